#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
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

/// What becomes of messages that a redrive policy does not let be received again.
enum class DeadLetters { leave, keep };

/// One SQS queue, FIFO or standard, without protocol: a value that can be copied to try something out. A message is
/// delivered only when all that are before it in its group are delivered with it or deleted: a receive walks a group
/// in order and stops at the first message that is invisible. In a standard queue every message is its own group.
/// The cost of an operation does not grow with the messages or groups held (but for their logarithm). Time is given
/// with each call and must not go back. Not thread-safe.
class SqsQueue {
 public:
  /// `id` is in every receipt handle and tells this queue from all others, also from an earlier one of its name.
  SqsQueue(std::string id, QueueSettings settings, std::uint64_t seed)
      : id_(std::move(id)), settings_(std::move(settings)), random_(seed), store_(settings_.type) {}

  const QueueSettings& settings() const noexcept { return settings_; }
  /// Holds at once, but not for the delay of messages that are there. A new deduplication scope holds after a minute:
  /// AWS goes on with the former one for a while, how long is not recorded. The type must stay.
  void reconfigure(QueueSettings settings, Instant now);

  /// `message` keeps the rules of SQS. A duplicate gets the answer that the first one got (as other models have it;
  /// not recorded from AWS). `delay` is the message's own, in place of the queue's.
  Accepted send(Message message, std::optional<std::chrono::seconds> delay, Instant now);
  /// A message that has been received as often as the redrive policy allows is not received again but leaves the queue,
  /// unless they are kept: then it is as if there were no policy.
  ReceiveOutcome receive(const ReceiveOrder& order, Instant now, DeadLetters dead_letters = DeadLetters::leave);
  /// Takes in a message that left the queue with the ARN `source`. A standard queue lets it keep its age.
  void adopt(HeldMessage message, std::string source, Instant now);
  /// A message that could be received, if there is one; its group's turn is over then.
  std::optional<HeldMessage> offer(Instant now);
  /// Lets go of a message that offer() has just shown.
  void drop(std::uint64_t sequence) { erase(store_.at(sequence)); }
  /// Puts in a message that another queue has dropped: a new one, with an id of its own, that is no duplicate.
  void put(Message message, Instant now);
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
  bool remembers_any() const noexcept { return !attempts_.empty(); }
  /// The next moment at which settle() has something to do with the messages.
  std::optional<Ticks> next_change() const { return store_.next_change(settings_.retention); }

  /// All messages held, by sequence. Valid until the queue is used again.
  HeldMessages messages() const noexcept { return HeldMessages(store_); }
  std::size_t count(Visibility visibility) const noexcept { return store_.count(visibility); }

 private:
  friend class QueueState;

  struct Found {
    HandleVerdict verdict = HandleVerdict::garbage;
    StoredMessage* message = nullptr;
  };

  struct Served {
    DeadLetters dead_letters = DeadLetters::leave;
    std::vector<StoredMessage*> taken{};
    std::vector<HeldMessage> dead{};
  };

  StoredMessage& enqueue(Message message, std::chrono::seconds delay, Instant now);
  DeduplicationScope scope(Ticks now) const {
    return now < former_scope_until_ ? former_scope_ : settings_.deduplication_scope;
  }
  DeduplicationMemory::Key deduplication_key(const Message& message, Ticks now) const;
  void serve(SqsLanes::Id lane, const ReceiveOrder& order, Instant now, Served& served);
  ReceiveOutcome hand_out(const std::vector<StoredMessage*>& messages) const;
  Found find(std::string_view handle);
  bool erase(StoredMessage& message);
  bool is_dead(const StoredMessage& message) const noexcept {
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
  DeduplicationScope former_scope_ = DeduplicationScope::queue;
  Ticks former_scope_until_{};
};

inline void SqsQueue::reconfigure(QueueSettings settings, Instant now) {
  if (settings.deduplication_scope != settings_.deduplication_scope) {
    former_scope_ = scope(now.ticks);
    former_scope_until_ = now.ticks + std::chrono::minutes(1);
  }
  settings_ = std::move(settings);
}

inline Accepted SqsQueue::send(Message message, std::optional<std::chrono::seconds> delay, Instant now) {
  settle(now.ticks);
  if (settings_.is_fifo() && message.deduplication_id.empty())
    message.deduplication_id = encoding::hex(crypto::sha256(message.body));
  const auto wait = delay.value_or(settings_.delay);
  if (!settings_.is_fifo()) return {enqueue(std::move(message), wait, now).id.text()};

  const DeduplicationMemory::Key key = deduplication_key(message, now.ticks);
  const auto* original = accepted_.find(key);
  if (original == nullptr) {
    const StoredMessage& stored = enqueue(std::move(message), wait, now);
    original = &accepted_.add(key, {stored.id, stored.sequence}, now.ticks);
  }
  return {original->message_id.text(), sequence_text(original->sequence)};
}

inline StoredMessage& SqsQueue::enqueue(Message message, std::chrono::seconds delay, Instant now) {
  StoredMessage& stored = store_.add({.content = std::move(message), .message_id = make_uuid(random_), .sent = now});
  if (delay > delay.zero()) store_.set_visibility(stored, Visibility::delayed, now.ticks + delay);
  store_.refresh(stored.lane);
  return stored;
}

inline DeduplicationMemory::Key SqsQueue::deduplication_key(const Message& message, Ticks now) const {
  if (scope(now) == DeduplicationScope::queue) return DeduplicationMemory::Key::of(message.deduplication_id);
  // No id has a NUL, so that no group and id can be taken for another pair.
  return DeduplicationMemory::Key::of(message.group + '\0' + message.deduplication_id);
}

inline ReceiveOutcome SqsQueue::receive(const ReceiveOrder& order, Instant now, DeadLetters dead_letters) {
  settle(now.ticks);
  if (const ReceiveAttempts::Attempt* attempt = attempts_.find(order.attempt_id)) {
    if (attempt->spoiled) return {ReceiveVerdict::attempt_not_valid};
    std::vector<StoredMessage*> messages;
    for (const std::uint64_t sequence : attempt->sequences) {
      messages.push_back(&store_.at(sequence));
      store_.set_visibility(*messages.back(), Visibility::in_flight, now.ticks + timeout_of(order));
    }
    return hand_out(messages);
  }
  if (!settings_.is_fifo() && is_full()) return {ReceiveVerdict::over_limit};
  Served served{.dead_letters = dead_letters};
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
  StoredMessage* next = store_.first_of(lane);
  while (next != nullptr) {
    StoredMessage& message = *next;
    if (message.visibility != Visibility::visible || served.taken.size() == order.max_messages || is_full()) break;
    next = store_.next_of(message);
    if (served.dead_letters == DeadLetters::leave && is_dead(message)) {
      served.dead.push_back(store_.describe(message));
      if (erase(message)) continue;
      return;
    }
    if (message.receive_count++ == 0) message.first_received = now.wall;
    message.received = now.ticks;
    if (timeout > timeout.zero()) store_.set_visibility(message, Visibility::in_flight, now.ticks + timeout);
    served.taken.push_back(&message);
  }
  store_.refresh(lane);
}

inline void SqsQueue::adopt(HeldMessage message, std::string source, Instant now) {
  if (settings_.is_fifo()) message.sent = now;
  message.received_elsewhere = message.receive_count;
  message.dead_letter_source = std::move(source);
  store_.refresh(store_.add(std::move(message)).lane);
  settle(now.ticks);
}

inline std::optional<HeldMessage> SqsQueue::offer(Instant now) {
  settle(now.ticks);
  const auto lane = store_.lanes().take_next(store_.lanes().last_turn());
  if (!lane) return std::nullopt;
  store_.refresh(*lane);
  return store_.describe(*store_.first_of(*lane));
}

inline void SqsQueue::put(Message message, Instant now) {
  settle(now.ticks);
  enqueue(std::move(message), settings_.delay, now);
}

inline ReceiveOutcome SqsQueue::hand_out(const std::vector<StoredMessage*>& messages) const {
  ReceiveOutcome outcome;
  for (const StoredMessage* message : messages)
    outcome.messages.push_back(
        {store_.describe(*message), ReceiptHandle{id_, message->sequence, message->receive_count}.text()});
  return outcome;
}

/// A FIFO queue refuses a handle whose visibility has run out, a standard queue honours the latest one.
inline SqsQueue::Found SqsQueue::find(std::string_view text) {
  const auto handle = ReceiptHandle::parse(text);
  if (!handle || handle->queue_id != id_ || handle->sequence > store_.last_sequence()) return {};
  StoredMessage* const found = store_.find(handle->sequence);
  if (found == nullptr) return {HandleVerdict::gone};
  StoredMessage& message = *found;
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
  if (now.ticks + timeout > found.message->received + std::chrono::hours(12)) return HandleVerdict::beyond_limit;
  attempts_.spoil(found.message->sequence);
  if (timeout > timeout.zero())
    store_.set_visibility(*found.message, Visibility::in_flight, now.ticks + timeout);
  else
    store_.set_visibility(*found.message, Visibility::visible);
  store_.refresh(found.message->lane);
  return HandleVerdict::valid;
}

inline void SqsQueue::settle(Ticks now) {
  while (StoredMessage* const message = store_.next_due(now, settings_.retention)) {
    if (message->visibility == Visibility::visible ||
        message->visible_at >= message->sent.ticks + settings_.retention) {
      erase(*message);
    } else {
      attempts_.lapse(message->sequence);
      store_.set_visibility(*message, Visibility::visible);
      store_.refresh(message->lane);
    }
  }
  accepted_.forget_until(now);
  attempts_.forget_until(now);
}

inline bool SqsQueue::erase(StoredMessage& message) {
  attempts_.spoil(message.sequence);
  return store_.erase(message);
}

inline void SqsQueue::purge() {
  store_.clear();
  accepted_.clear();
  attempts_.clear();
}

}  // namespace dmq::inline DMQ_ABI::testing
