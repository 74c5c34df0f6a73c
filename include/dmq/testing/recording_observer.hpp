#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <dmq/core/observer.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// An Event that owns what it holds.
struct ObservedEvent {
  EventKind kind = EventKind::attempt;
  Level level = Level::debug;
  WallTime at{};
  std::string operation{};
  int attempt = 0;
  Duration duration{};
  std::string request_id{};
  std::size_t bytes_out = 0;
  std::size_t bytes_in = 0;
  int http_status = 0;
  std::optional<Error> error{};
  std::string group{};
  std::string message_id{};
  int receive_count = 0;
  std::size_t count = 0;
};

/// Keeps all events, without bound, in the order in which they came. Copies share the record. Thread-safe.
class RecordingObserver {
 public:
  RecordingObserver() : record_(std::make_shared<Record>()) {}

  void operator()(const Event& event) const noexcept {
    const std::lock_guard lock(record_->mutex);
    record_->events.push_back(owned(event));
    record_->arrived.notify_all();
  }

  std::vector<ObservedEvent> events() const {
    const std::lock_guard lock(record_->mutex);
    return record_->events;
  }
  std::vector<ObservedEvent> events(EventKind kind) const {
    std::vector<ObservedEvent> all = events();
    std::erase_if(all, [&](const ObservedEvent& event) { return event.kind != kind; });
    return all;
  }
  std::size_t count(EventKind kind) const {
    const std::lock_guard lock(record_->mutex);
    return record_->count(kind);
  }

  /// Blocks until at least `count` events of that kind have come, counted from the beginning or the last clear().
  /// False when `limit`, of real time, has passed before.
  bool wait_for(EventKind kind, std::size_t count = 1, Duration limit = std::chrono::seconds(10)) const {
    std::unique_lock lock(record_->mutex);
    return record_->arrived.wait_for(lock, limit, [&] { return record_->count(kind) >= count; });
  }

  void clear() const {
    const std::lock_guard lock(record_->mutex);
    record_->events.clear();
  }

 private:
  struct Record {
    std::size_t count(EventKind kind) const {
      return static_cast<std::size_t>(
          std::count_if(events.begin(), events.end(), [&](const ObservedEvent& event) { return event.kind == kind; }));
    }

    std::mutex mutex{};
    std::condition_variable arrived{};
    std::vector<ObservedEvent> events{};
  };

  static ObservedEvent owned(const Event& event) {
    return {.kind = event.kind,
            .level = event.level,
            .at = event.at,
            .operation = std::string(event.operation),
            .attempt = event.attempt,
            .duration = event.duration,
            .request_id = std::string(event.request_id),
            .bytes_out = event.bytes_out,
            .bytes_in = event.bytes_in,
            .http_status = event.http_status,
            .error = event.error == nullptr ? std::nullopt : std::optional(*event.error),
            .group = std::string(event.group),
            .message_id = std::string(event.message_id),
            .receive_count = event.receive_count,
            .count = event.count};
  }

  std::shared_ptr<Record> record_;
};

static_assert(Observer<RecordingObserver>);

}  // namespace dmq::inline DMQ_ABI::testing
