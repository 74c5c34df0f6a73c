#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/sqs_lanes.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_slots.hpp>
#include <dmq/testing/sqs_stored_message.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The messages that a queue holds: their order, which of them are visible, and when that changes by itself. Who
/// changes the visibility of a message refreshes its lane afterwards. References hold until the message is erased.
class MessageStore {
 public:
  explicit MessageStore(QueueType type) : type_(type) {}

  /// Puts a message behind all others of its group; in a standard queue every message is its own group. It is visible.
  StoredMessage& add(HeldMessage message);
  /// False when its lane ended with it.
  bool erase(StoredMessage& message);
  void set_visibility(StoredMessage& message, Visibility visibility, Ticks until = {});
  void refresh(SqsLanes::Id lane) {
    lanes_.mark(lane, messages_[lanes_[lane].messages.first].visibility == Visibility::visible);
  }
  /// Forgets the messages, but not which sequences were given out.
  void clear() {
    const std::uint64_t last = last_sequence_;
    *this = MessageStore(type_);
    last_sequence_ = last;
  }

  /// Gives the next message the sequence behind this one, which is not below any given out.
  void continue_after(std::uint64_t sequence) { last_sequence_ = sequence; }

  /// Null when there is none any more, or was none yet.
  StoredMessage* find(std::uint64_t sequence) { return pointer(slot_of(sequence)); }
  StoredMessage& at(std::uint64_t sequence) { return messages_[slot_of(sequence)]; }
  const StoredMessage& at(std::uint64_t sequence) const { return messages_[slot_of(sequence)]; }
  /// Null after the last one.
  StoredMessage* first_of(SqsLanes::Id lane) { return pointer(lanes_[lane].messages.first); }
  StoredMessage* next_of(const StoredMessage& message) { return pointer(message.in_lane.after); }

  /// The message that expires or becomes visible next, if that is due by `now`.
  StoredMessage* next_due(Ticks now, Duration retention);
  std::optional<Ticks> next_change(Duration retention) const;

  /// All there is to tell of a message.
  HeldMessage describe(const StoredMessage& message) const;
  /// Where to look for the oldest message, and for the one sent next after another; no_slot when there is none.
  Slot oldest() const noexcept { return all_.first; }
  Slot next(Slot slot) const { return messages_[slot].in_queue.after; }
  const StoredMessage& operator[](Slot slot) const { return messages_[slot]; }

  SqsLanes& lanes() noexcept { return lanes_; }
  const SqsLanes& lanes() const noexcept { return lanes_; }
  std::uint64_t last_sequence() const noexcept { return last_sequence_; }
  std::size_t size() const noexcept { return messages_.size(); }
  std::size_t count(Visibility visibility) const noexcept { return counts_[static_cast<std::size_t>(visibility)]; }

 private:
  /// What few messages have.
  struct Extras {
    Attributes attributes{};
    std::string trace_header{};
    std::string dead_letter_source{};

    bool empty() const { return attributes.empty() && trace_header.empty() && dead_letter_source.empty(); }
  };

  std::size_t& counter(Visibility visibility) { return counts_[static_cast<std::size_t>(visibility)]; }
  StoredMessage* pointer(Slot slot) { return slot == no_slot ? nullptr : &messages_[slot]; }
  Slot slot_of(std::uint64_t sequence) const {
    return by_sequence_.find(sequence, [&](Slot slot) { return messages_[slot].sequence == sequence; });
  }
  template <Links StoredMessage::* links>
  void append(MessageList& list, StoredMessage& message);
  template <Links StoredMessage::* links>
  void unlink(MessageList& list, const StoredMessage& message);
  std::optional<std::pair<Ticks, Slot>> next_sent() const;

  QueueType type_;
  std::uint64_t last_sequence_ = 0;
  SlotPool<StoredMessage> messages_;
  SlotIndex by_sequence_;
  MessageList all_;  ///< By sequence.
  SqsLanes lanes_;
  std::map<Slot, Extras> extras_;
  std::size_t counts_[3] = {};
  std::set<std::pair<Ticks, Slot>> invisible_;  ///< When they become visible.
  Ticks last_sent_ = Ticks::min();
  std::set<std::pair<Ticks, Slot>> late_;  ///< Those that came after one that was sent later: when they were sent.
};

inline StoredMessage& MessageStore::add(HeldMessage message) {
  const std::string& group = message.content.group;
  const Slot slot = messages_.add({.id = Uuid::parse(message.message_id),
                                   .sequence = ++last_sequence_,
                                   .sent = message.sent,
                                   .first_received = message.first_received,
                                   .received = message.received,
                                   .receive_count = message.receive_count,
                                   .received_elsewhere = message.received_elsewhere,
                                   .lane = type_ == QueueType::fifo ? lanes_.of_group(group) : lanes_.make(group)});
  StoredMessage& stored = messages_[slot];
  stored.slot = slot;
  stored.set_text(message.content.body, message.content.deduplication_id);
  Extras extras{std::move(message.content.attributes), std::move(message.content.trace_header),
                std::move(message.dead_letter_source)};
  if (!extras.empty()) extras_.emplace(slot, std::move(extras));
  by_sequence_.add(stored.sequence, slot);
  append<&StoredMessage::in_queue>(all_, stored);
  append<&StoredMessage::in_lane>(lanes_[stored.lane].messages, stored);
  ++counter(Visibility::visible);
  if (stored.sent.ticks < last_sent_) late_.emplace(stored.sent.ticks, slot);
  last_sent_ = std::max(last_sent_, stored.sent.ticks);
  return stored;
}

inline bool MessageStore::erase(StoredMessage& message) {
  set_visibility(message, Visibility::visible);
  --counter(Visibility::visible);
  late_.erase({message.sent.ticks, message.slot});
  extras_.erase(message.slot);
  const SqsLanes::Id lane = message.lane;
  unlink<&StoredMessage::in_lane>(lanes_[lane].messages, message);
  unlink<&StoredMessage::in_queue>(all_, message);
  by_sequence_.remove(message.sequence, message.slot);
  messages_.remove(message.slot);
  const bool lives = !lanes_[lane].messages.empty();
  if (lives)
    refresh(lane);
  else if (type_ == QueueType::fifo)
    lanes_.end_group(lane);
  else
    lanes_.end(lane);
  return lives;
}

inline void MessageStore::set_visibility(StoredMessage& message, Visibility visibility, Ticks until) {
  if (message.visibility != Visibility::visible) invisible_.erase({message.visible_at, message.slot});
  --counter(message.visibility);
  ++counter(visibility);
  message.visibility = visibility;
  message.visible_at = until;
  if (visibility != Visibility::visible) invisible_.emplace(until, message.slot);
}

/// Messages come in the order in which they were sent, but for the late ones: the oldest is the first one or late.
inline std::optional<std::pair<Ticks, Slot>> MessageStore::next_sent() const {
  if (all_.empty()) return std::nullopt;
  const std::pair first(messages_[all_.first].sent.ticks, all_.first);
  return late_.empty() ? first : std::min(first, *late_.begin());
}

inline StoredMessage* MessageStore::next_due(Ticks now, Duration retention) {
  const auto sent = next_sent();
  if (!sent) return nullptr;
  const bool invisible = !invisible_.empty() && invisible_.begin()->first < sent->first + retention;
  const auto [at, slot] = invisible ? *invisible_.begin() : std::pair(sent->first + retention, sent->second);
  return at > now ? nullptr : &messages_[slot];
}

inline std::optional<Ticks> MessageStore::next_change(Duration retention) const {
  const auto sent = next_sent();
  if (!sent) return std::nullopt;
  const Ticks expiry = sent->first + retention;
  return invisible_.empty() ? expiry : std::min(expiry, invisible_.begin()->first);
}

inline HeldMessage MessageStore::describe(const StoredMessage& message) const {
  HeldMessage held{.message_id = message.id.text(),
                   .sequence = message.sequence,
                   .sent = message.sent,
                   .first_received = message.first_received,
                   .received = message.received,
                   .receive_count = message.receive_count,
                   .received_elsewhere = message.received_elsewhere,
                   .visibility = message.visibility,
                   .visible_at = message.visible_at};
  held.content.body = message.body();
  held.content.group = lanes_[message.lane].group;
  held.content.deduplication_id = message.deduplication_id();
  if (const auto found = extras_.find(message.slot); found != extras_.end()) {
    held.content.attributes = found->second.attributes;
    held.content.trace_header = found->second.trace_header;
    held.dead_letter_source = found->second.dead_letter_source;
  }
  return held;
}

template <Links StoredMessage::* links>
void MessageStore::append(MessageList& list, StoredMessage& message) {
  message.*links = {.before = list.last};
  (list.empty() ? list.first : (messages_[list.last].*links).after) = message.slot;
  list.last = message.slot;
}

template <Links StoredMessage::* links>
void MessageStore::unlink(MessageList& list, const StoredMessage& message) {
  const auto [before, after] = message.*links;
  (before == no_slot ? list.first : (messages_[before].*links).after) = after;
  (after == no_slot ? list.last : (messages_[after].*links).before) = before;
}

/// The messages of a store in the order of their sequence, each described when it is looked at. Valid until the store
/// changes.
class HeldMessages {
 public:
  class Iterator {
   public:
    Iterator(const MessageStore& store, Slot slot) : store_(&store), slot_(slot) {}
    HeldMessage operator*() const { return store_->describe((*store_)[slot_]); }
    Iterator& operator++() {
      slot_ = store_->next(slot_);
      return *this;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const MessageStore* store_;
    Slot slot_;
  };

  explicit HeldMessages(const MessageStore& store) : store_(&store) {}

  Iterator begin() const { return {*store_, store_->oldest()}; }
  Iterator end() const { return {*store_, no_slot}; }
  std::size_t size() const noexcept { return store_->size(); }
  bool empty() const noexcept { return size() == 0; }
  HeldMessage front() const { return *begin(); }

 private:
  const MessageStore* store_;
};

}  // namespace dmq::inline DMQ_ABI::testing
