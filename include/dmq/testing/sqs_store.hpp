#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/sqs_lanes.hpp>
#include <dmq/testing/sqs_message.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The messages that a queue holds: their order, which of them are visible, and when that changes by itself. Who
/// changes the visibility of a message refreshes its lane afterwards.
class MessageStore {
 public:
  /// Puts a message behind all others of its group; in a standard queue every message is its own group. It is visible,
  /// and expires `retention` after it was sent.
  HeldMessage& add(HeldMessage message, QueueType type, std::chrono::seconds retention) {
    message.sequence = ++last_sequence_;
    message.lane = type == QueueType::fifo ? lanes_.of_group(message.content.group) : lanes_.make();
    HeldMessage& held = messages_[message.sequence] = std::move(message);
    ++counter(Visibility::visible);
    held.expires_at = held.sent.ticks + retention;
    timers_.emplace(held.expires_at, held.sequence);
    lanes_.add(held.lane, held.sequence);
    return held;
  }

  /// False when its lane ended with it.
  bool erase(HeldMessage& message) {
    set_visibility(message, Visibility::visible);
    --counter(Visibility::visible);
    timers_.erase({message.expires_at, message.sequence});
    const SqsLanes::Id lane = message.lane;
    const bool lives = lanes_.remove(lane, message.sequence);
    messages_.erase(message.sequence);
    if (lives) refresh(lane);
    return lives;
  }

  void set_visibility(HeldMessage& message, Visibility visibility, Ticks until = {}) {
    // When both end at once there is one timer, which belongs to the retention.
    if (message.visibility != Visibility::visible && message.visible_at != message.expires_at)
      timers_.erase({message.visible_at, message.sequence});
    --counter(message.visibility);
    ++counter(visibility);
    message.visibility = visibility;
    message.visible_at = until;
    if (visibility != Visibility::visible) timers_.emplace(until, message.sequence);
  }

  void refresh(SqsLanes::Id lane) {
    const std::uint64_t head = *lanes_.sequences(lane).begin();
    lanes_.mark(lane, messages_.at(head).visibility == Visibility::visible);
  }

  /// Forgets the messages, but not which sequences were given out.
  void clear() {
    const std::uint64_t last = last_sequence_;
    *this = {};
    last_sequence_ = last;
  }

  /// Null when there is none any more, or was none yet.
  HeldMessage* find(std::uint64_t sequence) {
    const auto found = messages_.find(sequence);
    return found == messages_.end() ? nullptr : &found->second;
  }
  HeldMessage& at(std::uint64_t sequence) { return messages_.at(sequence); }

  /// The message that expires or becomes visible next, if that is due by `now`.
  HeldMessage* next_due(Ticks now) {
    return timers_.empty() || timers_.begin()->first > now ? nullptr : &messages_.at(timers_.begin()->second);
  }
  std::optional<Ticks> next_change() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
  }

  SqsLanes& lanes() noexcept { return lanes_; }
  const SqsLanes& lanes() const noexcept { return lanes_; }
  const std::map<std::uint64_t, HeldMessage>& messages() const noexcept { return messages_; }
  std::uint64_t last_sequence() const noexcept { return last_sequence_; }
  std::size_t count(Visibility visibility) const noexcept { return counts_[static_cast<std::size_t>(visibility)]; }

 private:
  std::size_t& counter(Visibility visibility) { return counts_[static_cast<std::size_t>(visibility)]; }

  std::uint64_t last_sequence_ = 0;
  std::map<std::uint64_t, HeldMessage> messages_;
  SqsLanes lanes_;
  std::size_t counts_[3] = {};
  std::set<std::pair<Ticks, std::uint64_t>> timers_;  ///< Of visibility and of retention, by sequence.
};

}  // namespace dmq::inline DMQ_ABI::testing
