#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/testing/sqs_attempts.hpp>
#include <dmq/testing/sqs_deduplication.hpp>
#include <dmq/testing/sqs_handle.hpp>
#include <dmq/testing/sqs_lanes.hpp>
#include <dmq/testing/sqs_message.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// One SQS queue, FIFO or standard, without protocol: a value that can be copied to try something out. A message is
/// delivered only when all that are before it in its group are delivered with it or deleted: a receive walks a group
/// in order and stops at the first message that is invisible. In a standard queue every message is its own group.
/// The cost of an operation does not grow with the messages or groups held (but for their logarithm). Time is given
/// with each call and must not go back. Not thread-safe.
class SqsQueue {
 public:
  /// `id` is in every receipt handle and tells this queue from all others, also from an earlier one of its name.
  SqsQueue(std::string id, QueueSettings settings, std::uint64_t seed)
      : id_(std::move(id)), settings_(settings), random_(seed) {}

  const QueueSettings& settings() const noexcept { return settings_; }

  /// `message` keeps the rules of SQS. A duplicate gets the answer that the first one got (as other models have it;
  /// not recorded from AWS). `delay` is the message's own, in place of the queue's.
  Accepted send(Message message, std::optional<std::chrono::seconds> delay, Instant now);
  ReceiveOutcome receive(const ReceiveOrder& order, Instant now);
  HandleVerdict remove(std::string_view handle, Instant now);
  HandleVerdict change_visibility(std::string_view handle, std::chrono::seconds timeout, Instant now);
  /// Forgets the messages, and what it knew to tell duplicates.
  void purge();

  /// Carries out what was due by `now`: delays, visibility timeouts, retention. All operations begin with it.
  void settle(Ticks now);
  /// Whether a receive would find something.
  bool has_ready() const noexcept { return lanes_.any_ready(); }
  /// Whether a receive with this attempt id would be answered from memory.
  bool remembers(std::string_view attempt_id) const { return attempts_.find(attempt_id) != nullptr; }
  /// The next moment at which settle() has something to do with the messages.
  std::optional<Ticks> next_change() const {
    return timers_.empty() ? std::nullopt : std::optional(timers_.begin()->first);
  }

  /// All messages held, by sequence.
  const std::map<std::uint64_t, HeldMessage>& messages() const noexcept { return messages_; }
  std::size_t count(Visibility visibility) const noexcept { return counts_[static_cast<std::size_t>(visibility)]; }

 private:
  struct Found {
    HandleVerdict verdict = HandleVerdict::garbage;
    HeldMessage* message = nullptr;
  };

  std::string deduplication_key(const Message& message) const;
  void enqueue(HeldMessage message, std::chrono::seconds delay);
  void serve(SqsLanes::Id lane, const ReceiveOrder& order, Instant now, std::vector<std::uint64_t>& taken);
  ReceiveOutcome hand_out(const std::vector<std::uint64_t>& sequences) const;
  Found find(std::string_view handle);
  void set_visibility(HeldMessage& message, Visibility visibility, Ticks until = {});
  void wake(HeldMessage& message);
  void erase(HeldMessage& message);
  void refresh(SqsLanes::Id lane);
  std::size_t& counter(Visibility visibility) { return counts_[static_cast<std::size_t>(visibility)]; }
  bool is_full() const noexcept { return count(Visibility::in_flight) >= settings_.in_flight_limit; }
  std::chrono::seconds timeout_of(const ReceiveOrder& order) const {
    return order.visibility_timeout.value_or(settings_.visibility_timeout);
  }

  std::string id_;
  QueueSettings settings_;
  Random random_;
  std::uint64_t last_sequence_ = 0;
  std::map<std::uint64_t, HeldMessage> messages_;
  SqsLanes lanes_;
  std::size_t counts_[3] = {};
  std::set<std::pair<Ticks, std::uint64_t>> timers_;  ///< Of visibility and of retention, by sequence.
  DeduplicationMemory accepted_;
  ReceiveAttempts attempts_;
};

inline Accepted SqsQueue::send(Message message, std::optional<std::chrono::seconds> delay, Instant now) {
  settle(now.ticks);
  if (settings_.is_fifo() && message.deduplication_id.empty())
    message.deduplication_id = encoding::hex(crypto::sha256(message.body));
  const std::string key = deduplication_key(message);
  if (const Accepted* original = settings_.is_fifo() ? accepted_.find(key) : nullptr) return *original;

  HeldMessage held{.message_id = make_uuid(random_), .sequence = ++last_sequence_, .sent = now};
  const Accepted accepted{held.message_id, settings_.is_fifo() ? sequence_text(held.sequence) : std::string()};
  if (settings_.is_fifo()) accepted_.add(key, accepted, now.ticks);
  held.lane = settings_.is_fifo() ? lanes_.of_group(message.group) : lanes_.make();
  held.content = std::move(message);
  enqueue(std::move(held), delay.value_or(settings_.delay));
  return accepted;
}

inline std::string SqsQueue::deduplication_key(const Message& message) const {
  if (settings_.deduplication_scope == DeduplicationScope::queue) return message.deduplication_id;
  // No id has a NUL, so that no group and id can be taken for another pair.
  return message.group + '\0' + message.deduplication_id;
}

inline void SqsQueue::enqueue(HeldMessage message, std::chrono::seconds delay) {
  HeldMessage& held = messages_[message.sequence] = std::move(message);
  ++counter(Visibility::visible);
  held.expires_at = held.sent.ticks + settings_.retention;
  timers_.emplace(held.expires_at, held.sequence);
  if (delay > delay.zero()) set_visibility(held, Visibility::delayed, held.sent.ticks + delay);
  lanes_.add(held.lane, held.sequence);
  refresh(held.lane);
}

inline ReceiveOutcome SqsQueue::receive(const ReceiveOrder& order, Instant now) {
  settle(now.ticks);
  if (const ReceiveAttempts::Attempt* attempt = attempts_.find(order.attempt_id)) {
    if (attempt->spoiled) return {ReceiveVerdict::attempt_not_valid};
    for (const std::uint64_t sequence : attempt->sequences)
      set_visibility(messages_.at(sequence), Visibility::in_flight, now.ticks + timeout_of(order));
    return hand_out(attempt->sequences);
  }
  if (!settings_.is_fifo() && is_full()) return {ReceiveVerdict::over_limit};
  std::vector<std::uint64_t> taken;
  // A lane served with a timeout of zero is ready again, with a later turn: this call is through with it.
  const std::uint64_t last_turn = lanes_.last_turn();
  while (taken.size() < order.max_messages && !is_full()) {
    const auto lane = lanes_.take_next(last_turn);
    if (!lane) break;
    serve(*lane, order, now, taken);
  }
  if (!order.attempt_id.empty() && !taken.empty() && timeout_of(order).count() > 0)
    attempts_.add(order.attempt_id, taken, now.ticks);
  return hand_out(taken);
}

inline void SqsQueue::serve(SqsLanes::Id lane, const ReceiveOrder& order, Instant now,
                            std::vector<std::uint64_t>& taken) {
  const auto timeout = timeout_of(order);
  for (const std::uint64_t sequence : lanes_.sequences(lane)) {
    HeldMessage& message = messages_.at(sequence);
    if (message.visibility != Visibility::visible || taken.size() == order.max_messages || is_full()) break;
    if (message.receive_count++ == 0) message.first_received = now;
    message.received = now;
    message.attempt_id = order.attempt_id;
    if (timeout > timeout.zero()) set_visibility(message, Visibility::in_flight, now.ticks + timeout);
    taken.push_back(sequence);
  }
  refresh(lane);
}

inline ReceiveOutcome SqsQueue::hand_out(const std::vector<std::uint64_t>& sequences) const {
  ReceiveOutcome outcome;
  for (const std::uint64_t sequence : sequences) {
    const HeldMessage& message = messages_.at(sequence);
    outcome.messages.push_back({&message, ReceiptHandle{id_, sequence, message.receive_count}.text()});
  }
  return outcome;
}

/// A FIFO queue refuses a handle whose visibility has run out, a standard queue honours the latest one.
inline SqsQueue::Found SqsQueue::find(std::string_view text) {
  const auto handle = ReceiptHandle::parse(text);
  if (!handle || handle->queue_id != id_ || handle->sequence > last_sequence_) return {};
  const auto found = messages_.find(handle->sequence);
  if (found == messages_.end()) return {HandleVerdict::gone};
  HeldMessage& message = found->second;
  const bool latest = handle->receive_count == message.receive_count;
  if (latest && message.visibility == Visibility::in_flight) return {HandleVerdict::valid, &message};
  if (settings_.is_fifo()) return {HandleVerdict::expired, &message};
  return {latest ? HandleVerdict::valid : HandleVerdict::stale, &message};
}

inline HandleVerdict SqsQueue::remove(std::string_view handle, Instant now) {
  settle(now.ticks);
  const Found found = find(handle);
  if (found.verdict == HandleVerdict::valid) erase(*found.message);
  return found.verdict;
}

inline HandleVerdict SqsQueue::change_visibility(std::string_view handle, std::chrono::seconds timeout, Instant now) {
  settle(now.ticks);
  const Found found = find(handle);
  if (found.verdict != HandleVerdict::valid) return found.verdict;
  if (now.ticks + timeout > found.message->received.ticks + std::chrono::hours(12)) return HandleVerdict::beyond_limit;
  attempts_.spoil(found.message->attempt_id);
  if (timeout > timeout.zero())
    set_visibility(*found.message, Visibility::in_flight, now.ticks + timeout);
  else
    wake(*found.message);
  refresh(found.message->lane);
  return HandleVerdict::valid;
}

inline void SqsQueue::settle(Ticks now) {
  while (!timers_.empty() && timers_.begin()->first <= now) {
    HeldMessage& message = messages_.at(timers_.begin()->second);
    if (message.expires_at <= now) {
      erase(message);
    } else {
      attempts_.lapse(message.attempt_id);
      wake(message);
      refresh(message.lane);
    }
  }
  accepted_.forget_until(now);
  attempts_.forget_until(now);
}

inline void SqsQueue::set_visibility(HeldMessage& message, Visibility visibility, Ticks until) {
  // When both end at once there is one timer, which belongs to the retention.
  if (message.visibility != Visibility::visible && message.visible_at != message.expires_at)
    timers_.erase({message.visible_at, message.sequence});
  --counter(message.visibility);
  ++counter(visibility);
  message.visibility = visibility;
  message.visible_at = until;
  if (visibility != Visibility::visible) timers_.emplace(until, message.sequence);
}

inline void SqsQueue::wake(HeldMessage& message) {
  set_visibility(message, Visibility::visible);
  message.attempt_id.clear();
}

inline void SqsQueue::erase(HeldMessage& message) {
  attempts_.spoil(message.attempt_id);
  set_visibility(message, Visibility::visible);
  --counter(Visibility::visible);
  timers_.erase({message.expires_at, message.sequence});
  const SqsLanes::Id lane = message.lane;
  const bool lives = lanes_.remove(lane, message.sequence);
  messages_.erase(message.sequence);
  if (lives) refresh(lane);
}

inline void SqsQueue::refresh(SqsLanes::Id lane) {
  const std::uint64_t head = *lanes_.sequences(lane).begin();
  lanes_.mark(lane, messages_.at(head).visibility == Visibility::visible);
}

inline void SqsQueue::purge() {
  messages_.clear();
  timers_.clear();
  lanes_ = {};
  for (std::size_t& count : counts_) count = 0;
  accepted_.clear();
  attempts_.clear();
}

}  // namespace dmq::inline DMQ_ABI::testing
