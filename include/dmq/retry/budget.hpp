#pragma once

#include <algorithm>

#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::retry {

/// A bucket of tokens that retries draw on and successes fill, so that a service in trouble sees few retries from all
/// of us together (AWS's standard mode: 500 tokens, 14 a retry, 5 after a throttle). Not thread-safe.
class Budget {
 public:
  static constexpr int capacity = 500;

  static constexpr int cost(Fault fault) noexcept { return fault == Fault::throttled ? 5 : 14; }

  /// Takes the cost of one retry; false when there is not enough left.
  bool take(Fault fault) noexcept {
    if (tokens_ < cost(fault)) return false;
    tokens_ -= cost(fault);
    return true;
  }

  /// After a success: what its last retry took, or 1 when it needed none.
  void give_back(int taken) noexcept { tokens_ = std::min(capacity, tokens_ + std::max(taken, 1)); }

  /// After the success of a probe: the service is back.
  void refill() noexcept { tokens_ = capacity; }

  int tokens() const noexcept { return tokens_; }

 private:
  int tokens_ = capacity;
};

}  // namespace dmq::inline DMQ_ABI::retry
