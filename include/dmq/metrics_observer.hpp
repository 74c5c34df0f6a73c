#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/observer.hpp>
#include <dmq/metrics/prometheus.hpp>
#include <dmq/metrics/series_table.hpp>
#include <dmq/metrics/snapshot.hpp>

namespace dmq::inline DMQ_ABI {

/// Counts events, for each operation and kind of error, never for a group or a message. Copies share the counts, so
/// that one observer serves any number of producers and consumers of one queue. Thread-safe; an event costs a few
/// additions, and a lock only when an operation ends in a way that it never did before.
class MetricsObserver {
 public:
  MetricsObserver() : shared_(std::make_shared<Shared>()) {}
  /// Each metric bears `destination`, the queue's name.
  explicit MetricsObserver(std::string destination) : MetricsObserver() {
    shared_->destination = std::move(destination);
  }

  void operator()(const Event& event) const noexcept {
    switch (event.kind) {
      case EventKind::attempt:
      case EventKind::attempt_failed: return shared_->take_attempt(event);
      case EventKind::value_fetched: return shared_->fetches.add(event.operation, event.error, event.duration, 0);
      case EventKind::handled: return shared_->handlings.add("process", event.error, event.duration, 1);
      default: return shared_->take_other(event);
    }
  }

  /// The counts, each as it is when it is read: events that happen meanwhile may be in some and not in others.
  metrics::Snapshot snapshot() const { return shared_->read(); }

  /// The snapshot in Prometheus's text format, under the names of OpenTelemetry's conventions for messaging; see
  /// metrics::prometheus(), which also joins several snapshots. Serve it as metrics::content_type.
  std::string prometheus() const { return metrics::prometheus(snapshot()); }

 private:
  struct Shared {
    void take_attempt(const Event& event) noexcept {
      // A fetch that succeeded has an event of its own.
      if (event.operation == "token") return fetches.add(event.operation, event.error, event.duration, 0);
      operations.add(event.operation, event.error, event.duration, event.count);
      if (event.count == 0 && event.error == nullptr && metrics::flow_of(event.operation) == metrics::Flow::receive)
        empty_polls.fetch_add(1, std::memory_order_relaxed);
    }

    void take_other(const Event& event) noexcept {
      for (std::size_t i = 0; i < others.size(); ++i)
        if (metrics::event_counts[i].kind == event.kind) others[i].fetch_add(1, std::memory_order_relaxed);
    }

    metrics::Snapshot read() const {
      metrics::Snapshot snapshot{.destination = destination,
                                 .operations = operations.read(),
                                 .handlings = handlings.read(),
                                 .fetches = fetches.read(),
                                 .empty_polls = empty_polls.load(std::memory_order_relaxed)};
      for (const metrics::Series& series : snapshot.operations) {
        const metrics::Flow flow = metrics::flow_of(series.operation);
        if (flow == metrics::Flow::send) snapshot.sent_messages += series.messages;
        if (flow == metrics::Flow::receive) snapshot.consumed_messages += series.messages;
      }
      for (std::size_t i = 0; i < others.size(); ++i)
        snapshot.*metrics::event_counts[i].count = others[i].load(std::memory_order_relaxed);
      return snapshot;
    }

    std::string destination{};
    metrics::SeriesTable operations{};
    metrics::SeriesTable handlings{};
    metrics::SeriesTable fetches{};
    std::atomic<std::uint64_t> empty_polls{0};
    std::array<std::atomic<std::uint64_t>, metrics::event_counts.size()> others{};
  };

  std::shared_ptr<Shared> shared_;
};

static_assert(Observer<MetricsObserver>);

}  // namespace dmq::inline DMQ_ABI
