#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/testing/sqs_attempts.hpp>
#include <dmq/testing/sqs_deduplication.hpp>
#include <dmq/testing/sqs_handle.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_store.hpp>

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
  /// A message that has been received as often as the redrive policy allows is not received again but leaves the queue.
  ReceiveOutcome receive(const ReceiveOrder& order, Instant now);
  /// Takes in a message that left the queue with the ARN `source`. A standard queue lets it keep its age.
  void adopt(HeldMessage message, std::string source, Instant now);
  HandleVerdict remove(std::string_view handle, Instant now);
  HandleVerdict change_visibility(std::string_view handle, std::chrono::seconds timeout, Instant now);
  /// Forgets the messages, and what it knew to tell duplicates.
  void purge();

  /// Carries out what was due by `now`: delays, visibility timeouts, retention. All operations begin with it.
  void settle(Ticks now);
  /// Whether a receive would find something.
  bool has_ready() const noexcept { return store_.lanes().any_ready(); }
  /// Whether a receive with this attempt id would be answered from memory.
  bool remembers(std::string_view attempt_id) const { return attempts_.find(attempt_id) != nullptr; }
  /// The next moment at which settle() has something to do with the messages.
  std::optional<Ticks> next_change() const { return store_.next_change(); }

  /// All messages held, by sequence.
  const std::map<std::uint64_t, HeldMessage>& messages() const noexcept { return store_.messages(); }
  std::size_t count(Visibility visibility) const noexcept { return store_.count(visibility); }

 private:
  struct Found {
    HandleVerdict verdict = HandleVerdict::garbage;
    HeldMessage* message = nullptr;
  };

  struct Served {
    std::vector<std::uint64_t> taken{};
    std::vector<HeldMessage> dead{};
  };

  std::string deduplication_key(const Message& message) const;
  void serve(SqsLanes::Id lane, const ReceiveOrder& order, Instant now, Served& served);
  ReceiveOutcome hand_out(const std::vector<std::uint64_t>& sequences) const;
  Found find(std::string_view handle);
  void wake(HeldMessage& message);
  bool erase(HeldMessage& message);
  bool is_dead(const HeldMessage& message) const noexcept {
    return settings_.redrive &&
           message.receive_count - message.received_elsewhere >= settings_.redrive->max_receive_count;
  }
  bool is_full() const noexcept { return count(Visibility::in_flight) >= settings_.in_flight_limit; }
  std::chrono::seconds timeout_of(const ReceiveOrder& order) const {
    return order.visibility_timeout.value_or(settings_.visibility_timeout);
  }

  std::string id_;
  QueueSettings settings_;
  Random random_;
  MessageStore store_;
  DeduplicationMemory accepted_;
  ReceiveAttempts attempts_;
};

inline Accepted SqsQueue::send(Message message, std::optional<std::chrono::seconds> delay, Instant now) {
  settle(now.ticks);
  if (settings_.is_fifo() && message.deduplication_id.empty())
    message.deduplication_id = encoding::hex(crypto::sha256(message.body));
  const std::string key = deduplication_key(message);
  if (const Accepted* original = settings_.is_fifo() ? accepted_.find(key) : nullptr) return *original;

  HeldMessage& held = store_.add({.content = std::move(message), .message_id = make_uuid(random_), .sent = now},
                                 settings_.type, settings_.retention);
  const auto wait = delay.value_or(settings_.delay);
  if (wait > wait.zero()) store_.set_visibility(held, Visibility::delayed, now.ticks + wait);
  store_.refresh(held.lane);
  const Accepted accepted{held.message_id, settings_.is_fifo() ? sequence_text(held.sequence) : std::string()};
  if (settings_.is_fifo()) accepted_.add(key, accepted, now.ticks);
  return accepted;
}

inline std::string SqsQueue::deduplication_key(const Message& message) const {
  if (settings_.deduplication_scope == DeduplicationScope::queue) return message.deduplication_id;
  // No id has a NUL, so that no group and id can be taken for another pair.
  return message.group + '\0' + message.deduplication_id;
}

inline ReceiveOutcome SqsQueue::receive(const ReceiveOrder& order, Instant now) {
  settle(now.ticks);
  if (const ReceiveAttempts::Attempt* attempt = attempts_.find(order.attempt_id)) {
    if (attempt->spoiled) return {ReceiveVerdict::attempt_not_valid};
    for (const std::uint64_t sequence : attempt->sequences)
      store_.set_visibility(store_.at(sequence), Visibility::in_flight, now.ticks + timeout_of(order));
    return hand_out(attempt->sequences);
  }
  if (!settings_.is_fifo() && is_full()) return {ReceiveVerdict::over_limit};
  Served served;
  // A lane served with a timeout of zero is ready again, with a later turn: this call is through with it.
  const std::uint64_t last_turn = store_.lanes().last_turn();
  while (served.taken.size() < order.max_messages && !is_full()) {
    const auto lane = store_.lanes().take_next(last_turn);
    if (!lane) break;
    serve(*lane, order, now, served);
  }
  if (!order.attempt_id.empty() && !served.taken.empty() && timeout_of(order).count() > 0)
    attempts_.add(order.attempt_id, served.taken, now.ticks);
  ReceiveOutcome outcome = hand_out(served.taken);
  outcome.dead = std::move(served.dead);
  return outcome;
}

inline void SqsQueue::serve(SqsLanes::Id lane, const ReceiveOrder& order, Instant now, Served& served) {
  const auto timeout = timeout_of(order);
  const auto& sequences = store_.lanes().sequences(lane);
  for (auto next = sequences.begin(); next != sequences.end();) {
    HeldMessage& message = store_.at(*next++);
    if (message.visibility != Visibility::visible || served.taken.size() == order.max_messages || is_full()) break;
    if (is_dead(message)) {
      served.dead.push_back(message);
      if (erase(message)) continue;
      return;
    }
    if (message.receive_count++ == 0) message.first_received = now;
    message.received = now;
    message.attempt_id = order.attempt_id;
    if (timeout > timeout.zero()) store_.set_visibility(message, Visibility::in_flight, now.ticks + timeout);
    served.taken.push_back(message.sequence);
  }
  store_.refresh(lane);
}

inline void SqsQueue::adopt(HeldMessage message, std::string source, Instant now) {
  if (settings_.is_fifo()) message.sent = now;
  message.received_elsewhere = message.receive_count;
  message.dead_letter_source = std::move(source);
  message.attempt_id.clear();
  store_.refresh(store_.add(std::move(message), settings_.type, settings_.retention).lane);
  settle(now.ticks);
}

inline ReceiveOutcome SqsQueue::hand_out(const std::vector<std::uint64_t>& sequences) const {
  ReceiveOutcome outcome;
  for (const std::uint64_t sequence : sequences) {
    const HeldMessage& message = store_.messages().at(sequence);
    outcome.messages.push_back({&message, ReceiptHandle{id_, sequence, message.receive_count}.text()});
  }
  return outcome;
}

/// A FIFO queue refuses a handle whose visibility has run out, a standard queue honours the latest one.
inline SqsQueue::Found SqsQueue::find(std::string_view text) {
  const auto handle = ReceiptHandle::parse(text);
  if (!handle || handle->queue_id != id_ || handle->sequence > store_.last_sequence()) return {};
  HeldMessage* const found = store_.find(handle->sequence);
  if (found == nullptr) return {HandleVerdict::gone};
  HeldMessage& message = *found;
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
    store_.set_visibility(*found.message, Visibility::in_flight, now.ticks + timeout);
  else
    wake(*found.message);
  store_.refresh(found.message->lane);
  return HandleVerdict::valid;
}

inline void SqsQueue::settle(Ticks now) {
  while (HeldMessage* const message = store_.next_due(now)) {
    if (message->expires_at <= now) {
      erase(*message);
    } else {
      attempts_.lapse(message->attempt_id);
      wake(*message);
      store_.refresh(message->lane);
    }
  }
  accepted_.forget_until(now);
  attempts_.forget_until(now);
}

inline void SqsQueue::wake(HeldMessage& message) {
  store_.set_visibility(message, Visibility::visible);
  message.attempt_id.clear();
}

inline bool SqsQueue::erase(HeldMessage& message) {
  attempts_.spoil(message.attempt_id);
  return store_.erase(message);
}

inline void SqsQueue::purge() {
  store_.clear();
  accepted_.clear();
  attempts_.clear();
}

}  // namespace dmq::inline DMQ_ABI::testing
