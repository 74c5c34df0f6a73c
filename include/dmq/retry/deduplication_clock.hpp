#pragma once

#include <algorithm>
#include <chrono>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::retry {

/// SQS forgets a deduplication id five minutes after it first saw it (SQS developer guide, "Exactly-once processing").
/// A repeat that reaches it later is a second message. This tells until when a repeat is safe.
///
/// The first time is ours, and is at or before theirs, so the window ends no earlier than we think; what can be late
/// is the repeat: it may take its whole time limit to arrive, and then spend 30 s in the gateway.
class DeduplicationClock {
 public:
  static constexpr Duration window = std::chrono::seconds(300);
  static constexpr Duration in_gateway = std::chrono::seconds(30);
  static constexpr Duration margin = std::chrono::seconds(10);

  explicit DeduplicationClock(Instant first_byte) noexcept : first_byte_(first_byte) {}

  /// Whether an attempt with this time limit may start now.
  bool may_repeat(Instant now, Duration request_timeout) const noexcept {
    return elapsed(now) <= allowed(request_timeout);
  }

  /// The larger of both clocks: the wall clock may be set back, and ticks may stand still in a suspended machine.
  Duration elapsed(Instant now) const noexcept {
    return std::max({now.ticks - first_byte_.ticks, now.wall - first_byte_.wall, Duration::zero()});
  }

  /// The latest wall time at which an attempt with this time limit may start.
  WallTime last_start(Duration request_timeout) const noexcept { return first_byte_.wall + allowed(request_timeout); }

 private:
  static Duration allowed(Duration request_timeout) noexcept { return window - request_timeout - in_gateway - margin; }

  Instant first_byte_;
};

}  // namespace dmq::inline DMQ_ABI::retry
