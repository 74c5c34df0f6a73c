#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/testing/sqs_slots.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The first and the last message of a list whose messages know their neighbours.
struct MessageList {
  Slot first = no_slot;
  Slot last = no_slot;

  bool empty() const noexcept { return first == no_slot; }
};

/// The message groups, and whose turn it is. Lanes are served in rotation: who was served goes behind all others. The
/// messages themselves, and which of them are visible, are for the store to know.
class SqsLanes {
 public:
  using Id = Slot;

  struct Lane {
    std::string group{};
    MessageList messages{};
    std::uint64_t turn = 0;
  };

  /// The lane of a group, made when there is none.
  Id of_group(std::string_view group) {
    const Id known = by_group_.find(hash(group), [&](Slot slot) { return lanes_[slot].group == group; });
    if (known != no_slot) return known;
    const Id id = make(group);
    by_group_.add(hash(group), id);
    return id;
  }
  /// A lane for one message alone, whose group may have others.
  Id make(std::string_view group) { return lanes_.add({.group = std::string(group), .turn = ++last_turn_}); }

  /// Ends a lane that of_group() or make() gave.
  void end_group(Id id) {
    by_group_.remove(hash(lanes_[id].group), id);
    end(id);
  }
  void end(Id id) {
    ready_.erase(lanes_[id].turn);
    lanes_.remove(id);
  }

  Lane& operator[](Id id) { return lanes_[id]; }
  const Lane& operator[](Id id) const { return lanes_[id]; }

  /// Of a lane that is not marked ready. No other lane has this turn.
  void set_turn(Id id, std::uint64_t turn) {
    lanes_[id].turn = turn;
    last_turn_ = std::max(last_turn_, turn);
  }

  /// Whether the first message can be received.
  void mark(Id id, bool ready) {
    const std::uint64_t turn = lanes_[id].turn;
    if (ready)
      ready_.emplace(turn, id);
    else
      ready_.erase(turn);
  }

  bool any_ready() const noexcept { return !ready_.empty(); }
  std::uint64_t last_turn() const noexcept { return last_turn_; }

  /// The ready lane whose turn it is, unless that is later than `last_turn`. It goes behind all others, not ready.
  std::optional<Id> take_next(std::uint64_t last_turn) {
    if (ready_.empty() || ready_.begin()->first > last_turn) return std::nullopt;
    const Id id = ready_.begin()->second;
    ready_.erase(ready_.begin());
    lanes_[id].turn = ++last_turn_;
    return id;
  }

 private:
  static std::uint64_t hash(std::string_view group) { return std::hash<std::string_view>()(group); }

  SlotPool<Lane> lanes_;
  SlotIndex by_group_;
  std::map<std::uint64_t, Id> ready_;  ///< By turn.
  std::uint64_t last_turn_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::testing
