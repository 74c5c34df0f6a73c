#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <dmq/version.hpp>

/// How a queue keeps a million of a kind in little memory: numbered places of 32 bits instead of pointers, so that a
/// copy of the whole is a copy of each member.
namespace dmq::inline DMQ_ABI::testing {

/// The number of a place in a SlotPool.
using Slot = std::uint32_t;
constexpr Slot no_slot = 0xffff'ffff;

/// Places for values that come and go; a place that was given back is used again.
template <class T>
class SlotPool {
 public:
  Slot add(T value) {
    if (free_.empty()) {
      values_.push_back(std::move(value));
      return static_cast<Slot>(values_.size() - 1);
    }
    const Slot slot = free_.back();
    free_.pop_back();
    values_[slot] = std::move(value);
    return slot;
  }
  void remove(Slot slot) {
    // A string that an empty one is assigned to keeps its memory.
    std::destroy_at(&values_[slot]);
    std::construct_at(&values_[slot]);
    free_.push_back(slot);
  }

  T& operator[](Slot slot) { return values_[slot]; }
  const T& operator[](Slot slot) const { return values_[slot]; }
  std::size_t size() const noexcept { return values_.size() - free_.size(); }

 private:
  std::deque<T> values_;
  std::vector<Slot> free_;
};

/// Finds slots by a hash of what they hold: a table with open addressing, 11 to 22 bytes for each slot.
class SlotIndex {
 public:
  /// The slot with this hash of which `matches(slot)` holds, or no_slot.
  template <class Matches>
  Slot find(std::uint64_t hash, Matches matches) const {
    if (entries_.empty()) return no_slot;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home(tag); entries_[at].slot != no_slot; at = next(at))
      if (entries_[at].tag == tag && matches(entries_[at].slot)) return entries_[at].slot;
    return no_slot;
  }

  void add(std::uint64_t hash, Slot slot) {
    if (4 * (size_ + 1) > 3 * entries_.size()) grow();
    place({tag_of(hash), slot});
    ++size_;
  }

  /// `slot` has to be in it, with this hash.
  void remove(std::uint64_t hash, Slot slot) {
    std::size_t hole = home(tag_of(hash));
    while (entries_[hole].slot != slot) hole = next(hole);
    // What stands behind moves up, unless it would come to stand before its home.
    for (std::size_t at = next(hole); entries_[at].slot != no_slot; at = next(at)) {
      if (distance(home(entries_[at].tag), at) < distance(hole, at)) continue;
      entries_[hole] = entries_[at];
      hole = at;
    }
    entries_[hole] = {};
    --size_;
  }

 private:
  struct Entry {
    std::uint32_t tag = 0;
    Slot slot = no_slot;
  };

  /// The upper bits of a product depend on all bits of the hash.
  static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>((hash * 0x9e37'79b9'7f4a'7c15) >> 32);
  }
  std::size_t home(std::uint32_t tag) const noexcept { return tag >> shift_; }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (entries_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const noexcept { return (to - from) & (entries_.size() - 1); }

  void place(Entry entry) {
    std::size_t at = home(entry.tag);
    while (entries_[at].slot != no_slot) at = next(at);
    entries_[at] = entry;
  }
  void grow() {
    const std::vector<Entry> old = std::move(entries_);
    entries_ = std::vector<Entry>(old.empty() ? 8 : 2 * old.size());
    shift_ = old.empty() ? 29 : shift_ - 1;
    for (const Entry& entry : old)
      if (entry.slot != no_slot) place(entry);
  }

  std::vector<Entry> entries_;
  std::size_t size_ = 0;
  unsigned shift_ = 32;  ///< Of a tag, to leave the number of an entry.
};

}  // namespace dmq::inline DMQ_ABI::testing
