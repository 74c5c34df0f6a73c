#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/core/error.hpp>
#include <dmq/core/observer.hpp>
#include <dmq/metrics/histogram.hpp>

namespace dmq::inline DMQ_ABI::metrics {

/// What an operation does with the messages that its requests count.
enum class Flow { send, receive, settle };

/// By SQS's names; whatever else counts messages is a route, which sends.
constexpr Flow flow_of(std::string_view operation) noexcept {
  if (operation == "ReceiveMessage") return Flow::receive;
  const bool settles = operation.starts_with("DeleteMessage") || operation.starts_with("ChangeMessageVisibility");
  return settles ? Flow::settle : Flow::send;
}

/// Requests, handlings or fetches of one name that ended alike.
struct Series {
  std::string operation{};           ///< "publish", "ReceiveMessage", "process", "token".
  std::optional<ErrorKind> error{};  ///< Nothing: they succeeded.
  Histogram duration{};
  std::uint64_t messages = 0;  ///< That these requests sent, brought or deleted.
};

/// What a MetricsObserver has counted since it was made. Counts only grow.
struct Snapshot {
  std::string destination{};         ///< The queue's name, where the observer was given one.
  std::vector<Series> operations{};  ///< Requests to the gateway or the queue, retries included.
  std::vector<Series> handlings{};   ///< Calls of handlers.
  std::vector<Series> fetches{};     ///< Of tokens and credentials.

  std::uint64_t sent_messages = 0;      ///< Accepted by the queue.
  std::uint64_t consumed_messages = 0;  ///< Received, each time that they were.
  std::uint64_t empty_polls = 0;        ///< Receives that brought nothing.
  std::uint64_t retries = 0;
  std::uint64_t failures = 0;  ///< Operations that failed for good.
  std::uint64_t refused_values = 0;
  std::uint64_t failed_polls = 0;
  std::uint64_t acknowledged_messages = 0;
  std::uint64_t extended_leases = 0;
  std::uint64_t lost_leases = 0;
  std::uint64_t released_messages = 0;
  std::uint64_t discarded_messages = 0;
  std::uint64_t forgotten_messages = 0;
  std::uint64_t stray_answers = 0;
  std::uint64_t thrown_callbacks = 0;

  /// Of all requests, handlings and fetches of that name, however they ended.
  Histogram duration(std::string_view operation) const {
    Histogram all;
    for (const std::vector<Series>* family : {&operations, &handlings, &fetches})
      for (const Series& series : *family)
        if (series.operation == operation) all += series.duration;
    return all;
  }
};

/// The kinds of events that are counted as they are, and where.
struct EventCount {
  EventKind kind = EventKind::attempt;
  std::uint64_t Snapshot::* count = nullptr;
};
inline constexpr std::array event_counts = {
    EventCount{EventKind::retry, &Snapshot::retries},
    EventCount{EventKind::failed, &Snapshot::failures},
    EventCount{EventKind::value_refused, &Snapshot::refused_values},
    EventCount{EventKind::poll_failed, &Snapshot::failed_polls},
    EventCount{EventKind::acknowledged, &Snapshot::acknowledged_messages},
    EventCount{EventKind::extended, &Snapshot::extended_leases},
    EventCount{EventKind::lease_lost, &Snapshot::lost_leases},
    EventCount{EventKind::released, &Snapshot::released_messages},
    EventCount{EventKind::discarded, &Snapshot::discarded_messages},
    EventCount{EventKind::forgotten, &Snapshot::forgotten_messages},
    EventCount{EventKind::stray_answer, &Snapshot::stray_answers},
    EventCount{EventKind::callback_threw, &Snapshot::thrown_callbacks},
};

}  // namespace dmq::inline DMQ_ABI::metrics
