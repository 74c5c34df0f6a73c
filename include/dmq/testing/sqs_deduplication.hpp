#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>

#include <dmq/core/clock.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/testing/sqs_slots.hpp>
#include <dmq/testing/uuid.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a queue answers to a message it takes.
struct Accepted {
  std::string message_id{};
  std::string sequence_number{};  ///< Empty from a standard queue.
};

/// Remembers for five minutes from the first send, whatever becomes of the message.
class DeduplicationMemory {
 public:
  static constexpr Duration window = std::chrono::minutes(5);

  /// Half of a SHA-256: keys of any length take 16 bytes.
  struct Key {
    std::uint64_t first = 0;
    std::uint64_t second = 0;

    static Key of(std::string_view text) {
      const auto digest = crypto::sha256(text);
      Key key;
      std::memcpy(&key, digest.data(), sizeof key);
      return key;
    }
    friend bool operator==(const Key&, const Key&) = default;
  };

  /// The message that was enqueued.
  struct Original {
    Uuid message_id{};
    std::uint64_t sequence = 0;
  };

  /// Null when `key` is new.
  const Original* find(Key key) const {
    const Slot slot = by_key_.find(key.first, [&](Slot candidate) { return records_[candidate].key == key; });
    return slot == no_slot ? nullptr : &records_[slot].original;
  }
  /// Of a key that is new.
  const Original& add(Key key, Original original, Ticks now) {
    const Slot slot = records_.add({key, original, now + window});
    by_key_.add(key.first, slot);
    order_.push_back(slot);
    return records_[slot].original;
  }
  void forget_until(Ticks now) {
    for (; !order_.empty() && records_[order_.front()].until <= now; order_.pop_front()) {
      by_key_.remove(records_[order_.front()].key.first, order_.front());
      records_.remove(order_.front());
    }
  }
  void clear() { *this = {}; }

  /// Calls `look(key, original, until)` for each that is remembered, the oldest first.
  template <class Look>
  void visit(Look look) const {
    for (const Slot slot : order_) look(records_[slot].key, records_[slot].original, records_[slot].until);
  }

 private:
  struct Record {
    Key key{};
    Original original{};
    Ticks until{};
  };

  SlotPool<Record> records_;
  SlotIndex by_key_;
  std::deque<Slot> order_;  ///< Of time.
};

}  // namespace dmq::inline DMQ_ABI::testing
