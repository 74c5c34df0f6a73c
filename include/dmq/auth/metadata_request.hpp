#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/http/transport.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// Waits as Clock::sleep_for does.
using Sleep = std::function<bool(Duration, std::stop_token)>;

/// How often a metadata service is asked, and how long each time.
struct Tries {
  int count = 1;
  Duration timeout = std::chrono::seconds(1);
  Duration pause = Duration::zero();  ///< Between two.
};

namespace detail {
/// The same again may work a moment later.
inline bool may_try_again(const Result<http::Response>& response) noexcept {
  if (response) return response->status >= 500 || response->status == 429;
  const ErrorKind kind = response.error().kind;
  return kind == ErrorKind::network || kind == ErrorKind::timeout || kind == ErrorKind::protocol;
}
}  // namespace detail

/// The first answer that is none of a service in trouble, else the last one. Errors: those of the transport.
template <http::HttpTransport Transport>
Result<http::Response> ask_metadata(Transport& transport, http::Request request, const Tries& tries, const Sleep& sleep,
                                    const std::stop_token& stop) {
  request.timeout = tries.timeout;
  request.resend = http::Resend::allowed;
  request.response_limit_bytes = std::size_t{256} << 10U;
  for (int done = 1;; ++done) {
    Result<http::Response> response = transport.send(request, stop);
    if (done >= tries.count || !detail::may_try_again(response)) return response;
    if (!sleep(tries.pause, stop)) return Error{.kind = ErrorKind::cancelled, .message = "stopped by the caller"};
  }
}

/// What a status other than 200 means: it is for a person to mend, or the service is in trouble.
inline Error metadata_refusal(std::string_view service, int status) {
  Error error{.kind = ErrorKind::configuration,
              .message = std::string(service) + " refuses to give keys",
              .http_status = status};
  if (status >= 500)
    error = {.kind = ErrorKind::unavailable, .message = std::string(service) + " failed", .http_status = status};
  if (status == 429) error.kind = ErrorKind::throttled;
  return error;
}

}  // namespace dmq::inline DMQ_ABI::auth
