#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Who is next in each group. A lane is a group's queue of tickets, kept as a list through one pool of slots; a lane
/// without tickets costs nothing. Every call takes constant time. Not thread-safe.
class Lanes {
 public:
  using Ticket = std::uint32_t;
  static constexpr Ticket none = UINT32_MAX;

  /// Queues behind all others of the group.
  Ticket enter(std::string_view group) {
    auto it = lanes_.find(group);
    if (it == lanes_.end()) it = lanes_.emplace(std::string(group), Lane{}).first;
    const Ticket ticket = take_slot();
    Slot& slot = slots_[ticket];
    slot = {&*it, it->second.last, none};
    (slot.previous == none ? it->second.first : slots_[slot.previous].next) = ticket;
    it->second.last = ticket;
    return ticket;
  }

  /// Whether no one is before it in its lane.
  bool is_first(Ticket ticket) const { return slots_[ticket].previous == none; }

  /// The one before it, or `none`.
  Ticket previous(Ticket ticket) const { return slots_[ticket].previous; }

  /// The one behind it, or `none`.
  Ticket next(Ticket ticket) const { return slots_[ticket].next; }

  /// The first of a group, or `none`.
  Ticket first(std::string_view group) const {
    const auto it = lanes_.find(group);
    return it == lanes_.end() ? none : it->second.first;
  }

  /// Leaves its lane, from any place in it. The ticket may be given to another afterwards. Returns the one that is the
  /// first of its lane by this, or `none`.
  Ticket leave(Ticket ticket) {
    const Slot slot = slots_[ticket];
    Lane& lane = slot.lane->second;
    (slot.previous == none ? lane.first : slots_[slot.previous].next) = slot.next;
    (slot.next == none ? lane.last : slots_[slot.next].previous) = slot.previous;
    if (lane.first == none) lanes_.erase(lanes_.find(slot.lane->first));
    slots_[ticket].next = free_;
    free_ = ticket;
    return slot.previous == none ? slot.next : none;
  }

  /// Tickets are below this, but for one that enter() may add.
  std::size_t slots() const noexcept { return slots_.size(); }
  /// Lanes with at least one ticket.
  std::size_t size() const noexcept { return lanes_.size(); }

 private:
  struct Lane {
    Ticket first = none;
    Ticket last = none;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using Map = std::unordered_map<std::string, Lane, Hash, std::equal_to<>>;
  struct Slot {
    Map::value_type* lane = nullptr;  ///< Stays where it is while the map grows.
    Ticket previous = none;
    Ticket next = none;
  };

  Ticket take_slot() {
    if (free_ == none) {
      slots_.emplace_back();
      return static_cast<Ticket>(slots_.size() - 1);
    }
    const Ticket ticket = free_;
    free_ = slots_[ticket].next;
    return ticket;
  }

  Map lanes_;
  std::vector<Slot> slots_;
  Ticket free_ = none;
};

}  // namespace dmq::inline DMQ_ABI::engine
