#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <dmq/engine/group_table.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Who is next in each group. A lane is a group's queue of tickets, kept as a list through one pool of slots; a lane
/// without tickets costs nothing. Every call takes constant time. Not thread-safe.
class Lanes {
 public:
  using Ticket = std::uint32_t;
  static constexpr Ticket none = UINT32_MAX;

  /// Queues behind all others of the group. With an exception nothing has changed.
  Ticket enter(std::string_view group) {
    if (free_ == none) add_slot();
    const Groups::Number number = lanes_.add(group);
    Lane& lane = lanes_[number];
    const Ticket ticket = free_;
    Slot& slot = slots_[ticket];
    free_ = slot.next;
    slot = {number, lane.last, none};
    (slot.previous == none ? lane.first : slots_[slot.previous].next) = ticket;
    lane.last = ticket;
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
    const Groups::Number number = lanes_.find(group);
    return number == Groups::none ? none : lanes_[number].first;
  }

  /// Leaves its lane, from any place in it. The ticket may be given to another afterwards. Returns the one that is the
  /// first of its lane by this, or `none`.
  Ticket leave(Ticket ticket) noexcept {
    const Slot slot = slots_[ticket];
    Lane& lane = lanes_[slot.lane];
    (slot.previous == none ? lane.first : slots_[slot.previous].next) = slot.next;
    (slot.next == none ? lane.last : slots_[slot.next].previous) = slot.previous;
    if (lane.first == none) lanes_.erase(slot.lane);
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
  using Groups = GroupTable<Lane>;
  struct Slot {
    Groups::Number lane = Groups::none;
    Ticket previous = none;
    Ticket next = none;
  };

  void add_slot() {
    slots_.emplace_back();
    free_ = static_cast<Ticket>(slots_.size() - 1);
  }

  Groups lanes_;
  std::vector<Slot> slots_;
  Ticket free_ = none;  ///< The first of the free slots, which are a list by `next`.
};

}  // namespace dmq::inline DMQ_ABI::engine
