#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
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
    values_[slot] = T{};
    free_.push_back(slot);
  }

  T& operator[](Slot slot) { return values_[slot]; }
  const T& operator[](Slot slot) const { return values_[slot]; }
  std::size_t size() const noexcept { return values_.size() - free_.size(); }

 private:
  std::deque<T> values_;
  std::vector<Slot> free_;
};

/// Finds slots by a hash: a table with open addressing that holds nothing but their numbers, 4 to 11 bytes for each
/// slot. `hash_of(slot)` tells the hash of a slot that is in it.
class SlotIndex {
 public:
  /// The slot with this hash of which `matches(slot)` holds, or no_slot.
  template <class Matches>
  Slot find(std::uint64_t hash, Matches matches) const {
    if (slots_.empty()) return no_slot;
    for (std::size_t at = home(hash); slots_[at] != no_slot; at = next(at))
      if (matches(slots_[at])) return slots_[at];
    return no_slot;
  }

  template <class HashOf>
  void add(Slot slot, HashOf hash_of) {
    if (4 * (size_ + 1) > 3 * slots_.size()) grow(hash_of);
    place(slot, hash_of);
    ++size_;
  }

  /// `slot` has to be in it.
  template <class HashOf>
  void remove(Slot slot, HashOf hash_of) {
    std::size_t hole = home(hash_of(slot));
    while (slots_[hole] != slot) hole = next(hole);
    // What stands behind moves up, unless it would come to stand before its home.
    for (std::size_t at = next(hole); slots_[at] != no_slot; at = next(at)) {
      if (distance(home(hash_of(slots_[at])), at) < distance(hole, at)) continue;
      slots_[hole] = slots_[at];
      hole = at;
    }
    slots_[hole] = no_slot;
    --size_;
  }

 private:
  /// The upper bits of a product depend on all bits of the hash.
  std::size_t home(std::uint64_t hash) const noexcept {
    return static_cast<std::size_t>((hash * 0x9e37'79b9'7f4a'7c15) >> shift_);
  }
  std::size_t next(std::size_t at) const noexcept { return (at + 1) & (slots_.size() - 1); }
  std::size_t distance(std::size_t from, std::size_t to) const noexcept { return (to - from) & (slots_.size() - 1); }

  template <class HashOf>
  void place(Slot slot, HashOf hash_of) {
    std::size_t at = home(hash_of(slot));
    while (slots_[at] != no_slot) at = next(at);
    slots_[at] = slot;
  }
  template <class HashOf>
  void grow(HashOf hash_of) {
    const std::vector<Slot> old = std::move(slots_);
    slots_ = std::vector<Slot>(old.empty() ? 8 : 2 * old.size(), no_slot);
    shift_ = old.empty() ? 61 : shift_ - 1;
    for (const Slot slot : old)
      if (slot != no_slot) place(slot, hash_of);
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
  unsigned shift_ = 64;
};

}  // namespace dmq::inline DMQ_ABI::testing
