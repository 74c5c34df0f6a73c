#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <string>

#include <dmq/core/clock.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI {

/// Tells a later handling from an earlier one: it rises with every message of a group, and with every time the same
/// message is received. A store that keeps the highest one it has seen can refuse writers that come too late.
struct Fence {
  std::string sequence_number{};
  int receive_count = 0;

  friend std::strong_ordering operator<=>(const Fence& a, const Fence& b) {
    if (const auto by = a.sequence_number.size() <=> b.sequence_number.size(); by != 0) return by;
    if (const auto by = a.sequence_number.compare(b.sequence_number); by != 0) return by <=> 0;
    return a.receive_count <=> b.receive_count;
  }
  friend bool operator==(const Fence&, const Fence&) = default;
};

/// A received message. It is invisible to others until its lease ends; delete it before that, or it comes back.
struct Delivery {
  std::string message_id{};
  std::string group{};
  std::string sequence_number{};  ///< 20 digits, rising inside the group; empty from a standard queue.
  std::string body{};
  Attributes attributes{};
  int receive_count = 0;  ///< 1 at the first time.
  WallTime sent_at{};     ///< To a millisecond.
  std::string deduplication_id{};
  std::string trace_header{};            ///< AWSTraceHeader, as it was published.
  std::string dead_letter_source_arn{};  ///< Of the queue it was moved from, when this is a dead-letter queue.
  std::string receipt_handle{};
  Ticks leased_until{};  ///< By the consumer's clock, rounded down: no later than the queue's own figure.

  Fence fence() const { return {sequence_number, receive_count}; }

  /// What is left of the lease, at least zero.
  Duration remaining(Ticks now) const noexcept { return std::max(leased_until - now, Duration::zero()); }
};

}  // namespace dmq::inline DMQ_ABI
