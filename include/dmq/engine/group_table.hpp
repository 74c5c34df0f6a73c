#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// A Value for each group that is in it, under a number that stays while the group does. With a hundred thousand groups
/// what counts is how often memory is touched that no cache holds: a look-up does so twice. Not thread-safe.
template <class Value>
class GroupTable {
 public:
  using Number = std::uint32_t;
  static constexpr Number none = UINT32_MAX;

  /// The number of a group, or `none`.
  Number find(std::string_view group) const noexcept {
    return cells_.empty() ? none : cells_[cell_of(group, hash_of(group))].number;
  }

  /// The number of a group, which is added with an empty Value if it is not there. With an exception nothing has
  /// changed.
  Number add(std::string_view group) {
    if (cells_.size() < 2 * (size_ + 1)) grow();
    const std::uint32_t hash = hash_of(group);
    Cell& cell = cells_[cell_of(group, hash)];
    if (cell.number == none) cell = {hash, take_entry(group, hash)};
    return cell.number;
  }

  /// Its number may be given to another group afterwards.
  void erase(Number number) noexcept {
    std::size_t hole = place(entries_[number].hash);
    while (cells_[hole].number != number) hole = place(hole + 1);
    // What had to go past the hole to find a place moves up, so that it is still found.
    for (std::size_t i = place(hole + 1); cells_[i].number != none; i = place(i + 1)) {
      if (place(i - cells_[i].hash) < place(i - hole)) continue;
      cells_[hole] = cells_[i];
      hole = i;
    }
    cells_[hole].number = none;
    entries_[number] = {.next_free = free_};
    free_ = number;
    --size_;
  }

  Value& operator[](Number number) noexcept { return entries_[number].value; }
  const Value& operator[](Number number) const noexcept { return entries_[number].value; }

  std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    std::string group{};
    std::uint32_t hash = 0;
    Number next_free = none;  ///< While it has no group.
    Value value{};
  };
  struct Cell {
    std::uint32_t hash = 0;
    Number number = none;
  };

  static std::uint32_t hash_of(std::string_view group) noexcept {
    const std::uint64_t hash = std::hash<std::string_view>()(group);
    return static_cast<std::uint32_t>(hash ^ (hash >> 32));
  }
  std::size_t place(std::size_t at) const noexcept { return at & (cells_.size() - 1); }

  /// Where a group stands, or would stand: from the place that its hash names to the first empty one.
  std::size_t cell_of(std::string_view group, std::uint32_t hash) const noexcept {
    std::size_t at = place(hash);
    while (cells_[at].number != none && (cells_[at].hash != hash || entries_[cells_[at].number].group != group))
      at = place(at + 1);
    return at;
  }

  Number take_entry(std::string_view group, std::uint32_t hash) {
    if (free_ == none) {
      entries_.emplace_back();
      free_ = static_cast<Number>(entries_.size() - 1);
    }
    const Number number = free_;
    Entry& entry = entries_[number];
    entry.group = group;
    entry.hash = hash;
    free_ = entry.next_free;
    ++size_;
    return number;
  }

  void grow() {
    std::vector<Cell> cells(cells_.empty() ? 16 : 2 * cells_.size());
    cells.swap(cells_);
    for (const Cell& cell : cells) {
      if (cell.number == none) continue;
      std::size_t at = place(cell.hash);
      while (cells_[at].number != none) at = place(at + 1);
      cells_[at] = cell;
    }
  }

  std::vector<Cell> cells_;  ///< A power of two of them, at most half of them full.
  std::vector<Entry> entries_;
  Number free_ = none;
  std::size_t size_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::engine
