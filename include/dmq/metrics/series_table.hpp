#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <dmq/metrics/snapshot.hpp>

namespace dmq::inline DMQ_ABI::metrics {

/// The series of one family. To add to one that exists takes neither lock nor allocation. Thread-safe.
class SeriesTable {
 public:
  /// Once there are so many, operations of new names count under `other`.
  static constexpr std::size_t most = 256;
  static constexpr std::string_view other = "_OTHER";

  /// What can't be kept for want of memory is not counted.
  void add(std::string_view operation, const Error* error, Duration duration, std::uint64_t messages) noexcept {
    const std::optional<ErrorKind> kind = error == nullptr ? std::nullopt : std::optional(error->kind);
    Cell* cell = find(operation, kind);
    if (cell == nullptr && full_.load(std::memory_order_relaxed)) cell = find(operation = other, kind);
    if (cell == nullptr) cell = make(operation, kind);
    if (cell == nullptr) return;
    cell->duration.add(duration);
    if (messages > 0) cell->messages.fetch_add(messages, std::memory_order_relaxed);
  }

  /// By operation, success first.
  std::vector<Series> read() const {
    std::vector<Series> all;
    for (const Cell* cell = newest_.load(std::memory_order_acquire); cell != nullptr; cell = cell->older)
      all.push_back({.operation = cell->operation,
                     .error = cell->error,
                     .duration = cell->duration.read(),
                     .messages = cell->messages.load(std::memory_order_relaxed)});
    std::sort(all.begin(), all.end(), [](const Series& a, const Series& b) {
      return std::tie(a.operation, a.error) < std::tie(b.operation, b.error);
    });
    return all;
  }

 private:
  struct Cell {
    Cell(std::string_view name, std::optional<ErrorKind> kind, Cell* next)
        : operation(name), error(kind), older(next) {}

    const std::string operation;
    const std::optional<ErrorKind> error;
    Cell* const older;
    SharedHistogram duration{};
    std::atomic<std::uint64_t> messages{0};
  };

  Cell* find(std::string_view operation, std::optional<ErrorKind> error) const noexcept {
    Cell* cell = newest_.load(std::memory_order_acquire);
    while (cell != nullptr && (cell->error != error || cell->operation != operation)) cell = cell->older;
    return cell;
  }

  Cell* make(std::string_view operation, std::optional<ErrorKind> error) noexcept try {
    const std::lock_guard lock(making_);
    if (Cell* cell = find(operation, error)) return cell;
    Cell* cell = &cells_.emplace_back(operation, error, newest_.load(std::memory_order_relaxed));
    newest_.store(cell, std::memory_order_release);
    full_.store(cells_.size() >= most, std::memory_order_relaxed);
    return cell;
  } catch (...) {
    return nullptr;
  }

  std::mutex making_;
  std::deque<Cell> cells_;  ///< They never move.
  std::atomic<Cell*> newest_{nullptr};
  std::atomic<bool> full_{false};
};

}  // namespace dmq::inline DMQ_ABI::metrics
