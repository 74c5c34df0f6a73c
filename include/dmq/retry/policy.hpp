#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <dmq/core/error.hpp>
#include <dmq/core/random.hpp>

namespace dmq::inline DMQ_ABI::retry {

/// Whether trying the same again can help.
enum class Fault {
  permanent,  ///< It will fail the same way.
  transient,  ///< It may work a moment later.
  throttled,  ///< It may work when there is less to do.
};

constexpr Fault classify(const Error& error) noexcept {
  switch (error.kind) {
    case ErrorKind::throttled: return Fault::throttled;
    case ErrorKind::network:
    case ErrorKind::timeout:
    case ErrorKind::unavailable:
    case ErrorKind::protocol: return Fault::transient;
    default: return Fault::permanent;
  }
}

/// Errors that trying again does not mend and that are about no single message: what stops one stops all.
constexpr bool is_about_no_message(const Error& error) noexcept {
  return error.kind == ErrorKind::authentication || error.kind == ErrorKind::authorization ||
         error.kind == ErrorKind::configuration;
}

/// AWS's standard retry mode of 2026 (AWS SDKs and Tools reference, "Retry behavior").
struct Policy {
  int max_attempts = 3;
  Duration base = std::chrono::milliseconds(50);
  Duration throttled_base = std::chrono::seconds(1);
  Duration cap = std::chrono::seconds(20);
};

/// How long to wait before the next attempt: a random part of base * 2^retries up to the cap ("full jitter").
/// `asked` is what the service asked for: it is a lower bound, honoured to at most one cap above our own figure.
inline Duration backoff(const Policy& policy, int retries, Fault fault, std::optional<Duration> asked, Random& random) {
  const Duration base = fault == Fault::throttled ? policy.throttled_base : policy.base;
  const auto doublings = std::clamp(retries, 0, 30);
  const double ceiling = std::min(static_cast<double>(base.count()) * static_cast<double>(1LL << doublings),
                                  static_cast<double>(policy.cap.count()));
  const Duration own(static_cast<Duration::rep>(ceiling * random.uniform()));
  if (!asked || *asked <= own) return own;
  return std::min(*asked, own + policy.cap);
}

}  // namespace dmq::inline DMQ_ABI::retry
