#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/error.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/metrics/histogram.hpp>
#include <dmq/metrics/snapshot.hpp>

namespace dmq::inline DMQ_ABI::metrics {

/// Of what prometheus() writes.
inline constexpr const char* content_type = "text/plain; version=0.0.4; charset=utf-8";

namespace detail {
struct CounterName {
  std::uint64_t Snapshot::* count = nullptr;
  std::string_view name{};
  std::string_view help{};
};
inline constexpr std::array counter_names = {
    CounterName{&Snapshot::retries, "dmq_retries_total", "Requests that were made again."},
    CounterName{&Snapshot::failures, "dmq_operations_failed_total", "Operations that failed for good."},
    CounterName{&Snapshot::refused_values, "dmq_values_refused_total", "Tokens and credentials that were refused."},
    CounterName{&Snapshot::empty_polls, "dmq_polls_empty_total", "Receives that brought no message."},
    CounterName{&Snapshot::failed_polls, "dmq_polls_failed_total", "Polls of the running consumer that failed."},
    CounterName{&Snapshot::acknowledged_messages, "dmq_messages_acknowledged_total", "Messages that are done."},
    CounterName{&Snapshot::released_messages, "dmq_messages_released_total", "Messages that were given back."},
    CounterName{&Snapshot::discarded_messages, "dmq_messages_discarded_total", "Messages that a handler discarded."},
    CounterName{&Snapshot::forgotten_messages, "dmq_messages_forgotten_total",
                "Finished messages, their delete unconfirmed, that may be handled again."},
    CounterName{&Snapshot::extended_leases, "dmq_leases_extended_total", "Extensions of leases."},
    CounterName{&Snapshot::lost_leases, "dmq_leases_lost_total", "Leases that ended before their message was done."},
    CounterName{&Snapshot::stray_answers, "dmq_stray_answers_total", "Answers to no request in flight."},
    CounterName{&Snapshot::thrown_callbacks, "dmq_callbacks_threw_total", "Callbacks of the program that threw."},
};

/// Writes families of metrics, each with the samples of every snapshot.
class PrometheusWriter {
 public:
  explicit PrometheusWriter(std::span<const Snapshot> snapshots) {
    for (const Snapshot& snapshot : snapshots) {
      Labelled& one = snapshots_.emplace_back(Labelled{&snapshot, "messaging_system=\"aws_sqs\""});
      if (!snapshot.destination.empty()) append_label(one.labels, "messaging_destination_name", snapshot.destination);
    }
  }

  void durations(std::string_view name, std::string_view help, std::vector<Series> Snapshot::* family) {
    begin(name, help, "histogram");
    for (const Labelled& one : snapshots_)
      for (const Series& series : one.snapshot->*family) {
        std::string labels = one.labels;
        append_label(labels, "messaging_operation_name", series.operation);
        if (series.error) append_label(labels, "error_type", to_string(*series.error));
        histogram(name, labels, series.duration);
      }
  }

  /// The messages of the operations that move them so.
  void messages(std::string_view name, std::string_view help, Flow flow) {
    begin(name, help, "counter");
    for (const Labelled& one : snapshots_)
      for (auto it = one.snapshot->operations.begin(); it != one.snapshot->operations.end();) {
        const std::string& operation = it->operation;
        std::uint64_t count = 0;
        for (; it != one.snapshot->operations.end() && it->operation == operation; ++it) count += it->messages;
        if (count == 0 || flow_of(operation) != flow) continue;
        std::string labels = one.labels;
        append_label(labels, "messaging_operation_name", operation);
        sample(name, labels, std::to_string(count));
      }
  }

  void counter(const CounterName& counter) {
    begin(counter.name, counter.help, "counter");
    for (const Labelled& one : snapshots_)
      sample(counter.name, one.labels, std::to_string(one.snapshot->*counter.count));
  }

  std::string take() { return std::move(text_); }

 private:
  struct Labelled {
    const Snapshot* snapshot = nullptr;
    std::string labels{};
  };

  void begin(std::string_view name, std::string_view help, std::string_view type) {
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  }

  void sample(std::string_view name, std::string_view labels, std::string_view value) {
    text_.append(name).append("{").append(labels).append("} ").append(value).append("\n");
  }

  void histogram(std::string_view name, const std::string& labels, const Histogram& histogram) {
    const std::string bucket = std::string(name) + "_bucket";
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      count += histogram.counts[i];
      std::string bounded = labels;
      append_label(bounded, "le", i < bounds.size() ? seconds(bounds[i]) : "+Inf");
      sample(bucket, bounded, std::to_string(count));
    }
    sample(std::string(name) + "_sum", labels, seconds(histogram.sum));
    sample(std::string(name) + "_count", labels, std::to_string(count));
  }

  static std::string seconds(Duration duration) {
    std::array<char, 32> text{};
    const double value = std::chrono::duration<double>(duration).count();
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
  }

  /// Backslash, quote and line feed are escaped; what is no UTF-8 would spoil the whole text, and becomes '?'.
  static void append_label(std::string& labels, std::string_view name, std::string_view value) {
    labels.append(",").append(name).append("=\"");
    while (!value.empty()) {
      const std::size_t size = encoding::detail::decode_utf8(value).size;
      const char first = value.front();
      if (first == '\\' || first == '"') labels.push_back('\\');
      if (first == '\n')
        labels.append("\\n");
      else
        labels.append(size > 0 ? value.substr(0, size) : "?");
      value.remove_prefix(std::max<std::size_t>(size, 1));
    }
    labels.append("\"");
  }

  std::vector<Labelled> snapshots_;
  std::string text_;
};
}  // namespace detail

/// Prometheus's text format, version 0.0.4, for snapshots of different destinations, under the names that
/// OpenTelemetry's conventions for messaging (in development in 2026) have in Prometheus:
/// - messaging_client_operation_duration_seconds: each request, retries included, by operation and error_type, which is
///   an ErrorKind;
/// - messaging_process_duration_seconds: each call of a handler, with error_type when the message is to come again;
/// - messaging_client_sent_messages_total: messages that the queue has accepted;
/// - messaging_client_consumed_messages_total: messages received, each time that they were;
/// - dmq_fetch_duration_seconds (tokens and credentials) and the counters dmq_..._total of what else happens.
inline std::string prometheus(std::span<const Snapshot> snapshots) {
  detail::PrometheusWriter writer(snapshots);
  writer.durations("messaging_client_operation_duration_seconds", "Duration of requests to the gateway or the queue.",
                   &Snapshot::operations);
  writer.messages("messaging_client_sent_messages_total", "Messages that the queue accepted.", Flow::send);
  writer.messages("messaging_client_consumed_messages_total", "Messages that were received.", Flow::receive);
  writer.durations("messaging_process_duration_seconds", "Duration of the handling of messages.", &Snapshot::handlings);
  writer.durations("dmq_fetch_duration_seconds", "Duration of fetching tokens and credentials.", &Snapshot::fetches);
  for (const detail::CounterName& counter : detail::counter_names) writer.counter(counter);
  return writer.take();
}
inline std::string prometheus(const Snapshot& snapshot) {
  return prometheus(std::span(&snapshot, 1));
}

}  // namespace dmq::inline DMQ_ABI::metrics
