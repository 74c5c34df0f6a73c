#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// How often a service lets callers in.
struct RateLimit {
  double per_second = 0;   ///< 0: as often as they come; else at least 0.001.
  std::int64_t burst = 1;  ///< How many may come at once after a pause; at least 1.
};

/// Keeps a RateLimit: a bucket of `burst` tokens, full at first, which gains `per_second` and loses one with each
/// request. What it has gained is kept as the time at which the bucket will be full again, so that nothing is rounded.
class TokenBucket {
 public:
  /// False when there is no token.
  bool take(const RateLimit& limit, Ticks now) {
    if (limit.per_second <= 0) return true;
    const Duration interval(std::llround(1e9 / limit.per_second));
    const Ticks full = std::max(full_, now);
    if (full - now > interval * (limit.burst - 1)) return false;
    full_ = full + interval;
    return true;
  }

 private:
  Ticks full_ = Ticks::min();
};

/// How much a customer of a service may use, as in a usage plan.
struct Quota {
  std::uint64_t requests = 0;                            ///< In each period; 0: no bound.
  std::chrono::seconds period = std::chrono::hours(24);  ///< The first began with 1970, UTC.
};

/// Counts what was used of a Quota.
class QuotaCounter {
 public:
  /// False when nothing is left in this period.
  bool take(const Quota& quota, WallTime now) {
    if (quota.requests == 0) return true;
    const std::int64_t period = now.time_since_epoch() / quota.period;
    if (period != period_) used_ = 0;
    period_ = period;
    if (used_ >= quota.requests) return false;
    ++used_;
    return true;
  }

 private:
  std::int64_t period_ = 0;
  std::uint64_t used_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::testing
