#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/core/result.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What became of a batch: its error as a whole, or one result for each entry.
using BatchOutcome = Result<std::vector<Result<void>>>;

/// Trying again does not help. A cancel that we did not ask for is a request that has no answer.
inline bool is_final(const Error& error) {
  return error.kind != ErrorKind::cancelled && retry::classify(error) == retry::Fault::permanent;
}

inline Result<void> result_of(const BatchOutcome& outcome, std::size_t entry) {
  return outcome ? (*outcome)[entry] : Result<void>(outcome.error());
}

/// What of a batch failed and may work another time, if anything.
inline const Error* passing_failure(const BatchOutcome& outcome) {
  if (!outcome) return &outcome.error();
  const Error* failure = nullptr;
  for (const Result<void>& result : *outcome)
    if (!result && !is_final(result.error())) failure = &result.error();
  return failure;
}

/// When requests of one kind may go out: one at a time, and after failures in a row later and later, up to a cap. Not
/// thread-safe.
class RequestGate {
 public:
  explicit RequestGate(Duration cap) : policy_{.cap = cap} {}

  bool in_flight() const noexcept { return in_flight_; }
  bool is_open(Ticks now) const noexcept { return !in_flight_ && now >= not_before_; }
  /// When it is open, should no request end before.
  Ticks opens_at() const noexcept { return in_flight_ ? Ticks::max() : not_before_; }

  void on_send() noexcept { in_flight_ = true; }
  void on_end(const BatchOutcome& outcome, Ticks now, Random& random) {
    in_flight_ = false;
    const Error* const failure = passing_failure(outcome);
    if (failure != nullptr)
      not_before_ = now + retry::backoff(policy_, failures_, retry::classify(*failure), failure->retry_after, random);
    failures_ = failure == nullptr ? 0 : std::min(failures_ + 1, 30);
  }

 private:
  retry::Policy policy_;
  bool in_flight_ = false;
  int failures_ = 0;  ///< In a row.
  Ticks not_before_ = Ticks::min();
};

}  // namespace dmq::inline DMQ_ABI::engine
