#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <dmq/metrics/prometheus.hpp>

using dmq::ErrorKind;
using dmq::metrics::prometheus;
using dmq::metrics::Series;
using dmq::metrics::SharedHistogram;
using dmq::metrics::Snapshot;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

template <class... Durations>
dmq::metrics::Histogram of(Durations... durations) {
  SharedHistogram shared;
  (shared.add(durations), ...);
  return shared.read();
}

/// The lines that begin so.
std::string lines(const std::string& text, const std::string& beginning) {
  std::string found;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    if (text.compare(at, beginning.size(), beginning) == 0) found += text.substr(at, text.find('\n', at) + 1 - at);
  return found;
}

}  // namespace

TEST_CASE("the whole text, with every family") {
  Snapshot snapshot{
      .destination = "orders.fifo",
      .operations =
          {{.operation = "ReceiveMessage", .duration = of(seconds(20)), .messages = 7},
           {.operation = "publish", .duration = of(milliseconds(5), microseconds(7'250)), .messages = 2},
           {.operation = "publish", .error = ErrorKind::throttled, .duration = of(milliseconds(80)), .messages = 1}},
      .handlings = {{.operation = "process", .duration = of(milliseconds(600))}},
      .fetches = {{.operation = "token", .duration = of(milliseconds(60))}},
      .empty_polls = 1,
      .retries = 2,
      .failures = 3,
      .refused_values = 4,
      .failed_polls = 5,
      .acknowledged_messages = 6,
      .extended_leases = 7,
      .lost_leases = 8,
      .released_messages = 9,
      .discarded_messages = 10,
      .forgotten_messages = 11,
      .stray_answers = 12,
      .thrown_callbacks = 13};
  std::string text = prometheus(snapshot);
  const std::string every = R"(messaging_system="aws_sqs",messaging_destination_name="orders.fifo")";
  for (std::size_t at = 0; (at = text.find(every, at)) != std::string::npos;) text.replace(at, every.size(), "$");
  CHECK(text == R"(# HELP messaging_client_operation_duration_seconds Duration of requests to the gateway or the queue.
# TYPE messaging_client_operation_duration_seconds histogram
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.005"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.01"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.025"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.05"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.075"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.1"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.25"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.5"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="0.75"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="1"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="2.5"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="5"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="7.5"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="10"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="ReceiveMessage",le="+Inf"} 1
messaging_client_operation_duration_seconds_sum{$,messaging_operation_name="ReceiveMessage"} 20
messaging_client_operation_duration_seconds_count{$,messaging_operation_name="ReceiveMessage"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.005"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.01"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.025"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.05"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.075"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.1"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.25"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.5"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="0.75"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="1"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="2.5"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="5"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="7.5"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="10"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",le="+Inf"} 2
messaging_client_operation_duration_seconds_sum{$,messaging_operation_name="publish"} 0.01225
messaging_client_operation_duration_seconds_count{$,messaging_operation_name="publish"} 2
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.005"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.01"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.025"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.05"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.075"} 0
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.1"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.25"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.5"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="0.75"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="1"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="2.5"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="5"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="7.5"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="10"} 1
messaging_client_operation_duration_seconds_bucket{$,messaging_operation_name="publish",error_type="throttled",le="+Inf"} 1
messaging_client_operation_duration_seconds_sum{$,messaging_operation_name="publish",error_type="throttled"} 0.08
messaging_client_operation_duration_seconds_count{$,messaging_operation_name="publish",error_type="throttled"} 1
# HELP messaging_client_sent_messages_total Messages that the queue accepted.
# TYPE messaging_client_sent_messages_total counter
messaging_client_sent_messages_total{$,messaging_operation_name="publish"} 3
# HELP messaging_client_consumed_messages_total Messages that were received.
# TYPE messaging_client_consumed_messages_total counter
messaging_client_consumed_messages_total{$,messaging_operation_name="ReceiveMessage"} 7
# HELP messaging_process_duration_seconds Duration of the handling of messages.
# TYPE messaging_process_duration_seconds histogram
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.005"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.01"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.025"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.05"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.075"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.1"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.25"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.5"} 0
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="0.75"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="1"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="2.5"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="5"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="7.5"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="10"} 1
messaging_process_duration_seconds_bucket{$,messaging_operation_name="process",le="+Inf"} 1
messaging_process_duration_seconds_sum{$,messaging_operation_name="process"} 0.6
messaging_process_duration_seconds_count{$,messaging_operation_name="process"} 1
# HELP dmq_fetch_duration_seconds Duration of fetching tokens and credentials.
# TYPE dmq_fetch_duration_seconds histogram
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.005"} 0
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.01"} 0
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.025"} 0
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.05"} 0
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.075"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.1"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.25"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.5"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="0.75"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="1"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="2.5"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="5"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="7.5"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="10"} 1
dmq_fetch_duration_seconds_bucket{$,messaging_operation_name="token",le="+Inf"} 1
dmq_fetch_duration_seconds_sum{$,messaging_operation_name="token"} 0.06
dmq_fetch_duration_seconds_count{$,messaging_operation_name="token"} 1
# HELP dmq_retries_total Requests that were made again.
# TYPE dmq_retries_total counter
dmq_retries_total{$} 2
# HELP dmq_operations_failed_total Operations that failed for good.
# TYPE dmq_operations_failed_total counter
dmq_operations_failed_total{$} 3
# HELP dmq_values_refused_total Tokens and credentials that were refused.
# TYPE dmq_values_refused_total counter
dmq_values_refused_total{$} 4
# HELP dmq_polls_empty_total Receives that brought no message.
# TYPE dmq_polls_empty_total counter
dmq_polls_empty_total{$} 1
# HELP dmq_polls_failed_total Polls of the running consumer that failed.
# TYPE dmq_polls_failed_total counter
dmq_polls_failed_total{$} 5
# HELP dmq_messages_acknowledged_total Messages that are done.
# TYPE dmq_messages_acknowledged_total counter
dmq_messages_acknowledged_total{$} 6
# HELP dmq_messages_released_total Messages that were given back.
# TYPE dmq_messages_released_total counter
dmq_messages_released_total{$} 9
# HELP dmq_messages_discarded_total Messages that a handler discarded.
# TYPE dmq_messages_discarded_total counter
dmq_messages_discarded_total{$} 10
# HELP dmq_messages_forgotten_total Finished messages, their delete unconfirmed, that may be handled again.
# TYPE dmq_messages_forgotten_total counter
dmq_messages_forgotten_total{$} 11
# HELP dmq_leases_extended_total Extensions of leases.
# TYPE dmq_leases_extended_total counter
dmq_leases_extended_total{$} 7
# HELP dmq_leases_lost_total Leases that ended before their message was done.
# TYPE dmq_leases_lost_total counter
dmq_leases_lost_total{$} 8
# HELP dmq_stray_answers_total Answers to no request in flight.
# TYPE dmq_stray_answers_total counter
dmq_stray_answers_total{$} 12
# HELP dmq_callbacks_threw_total Callbacks of the program that threw.
# TYPE dmq_callbacks_threw_total counter
dmq_callbacks_threw_total{$} 13
)");
}

TEST_CASE("without a destination there is no label for it, and what never happened is nowhere or zero") {
  const std::string text =
      prometheus(Snapshot{.operations = {{.operation = "GetQueueUrl", .duration = of(seconds(1))}}});
  CHECK(text.find("messaging_destination_name") == std::string::npos);
  CHECK(lines(text, "messaging_client_operation_duration_seconds_count") ==
        "messaging_client_operation_duration_seconds_count{messaging_system=\"aws_sqs\","
        "messaging_operation_name=\"GetQueueUrl\"} 1\n");
  CHECK(lines(text, "messaging_client_sent").empty());
  CHECK(lines(text, "dmq_leases_lost_total") == "dmq_leases_lost_total{messaging_system=\"aws_sqs\"} 0\n");
  CHECK(text.ends_with("} 0\n"));
}

TEST_CASE("what is settled counts neither as sent nor as consumed") {
  const std::string text =
      prometheus(Snapshot{.operations = {{.operation = "ChangeMessageVisibilityBatch", .messages = 4},
                                         {.operation = "DeleteMessageBatch", .messages = 3},
                                         {.operation = "SendMessageBatch", .messages = 2},
                                         {.operation = "my_route", .messages = 1}}});
  CHECK(lines(text, "messaging_client_consumed_messages_total").empty());
  CHECK(lines(text, "messaging_client_sent_messages_total") ==
        "messaging_client_sent_messages_total{messaging_system=\"aws_sqs\",messaging_operation_name="
        "\"SendMessageBatch\"} "
        "2\n"
        "messaging_client_sent_messages_total{messaging_system=\"aws_sqs\",messaging_operation_name=\"my_route\"} 1\n");
}

TEST_CASE("label values are escaped, and bytes that are no UTF-8 replaced") {
  const std::string text = prometheus(Snapshot{.destination = "a\\b\"c\nd\xC3\xA4\xFF\xC3"});
  CHECK(lines(text, "dmq_retries_total") ==
        "dmq_retries_total{messaging_system=\"aws_sqs\",messaging_destination_name="
        "\"a\\\\b\\\"c\\nd\xC3\xA4??\"} 0\n");
}

TEST_CASE("several snapshots share each family's head") {
  const std::vector<Snapshot> both{{.destination = "a", .retries = 1}, {.destination = "b", .retries = 2}};
  const std::string text = prometheus(both);
  CHECK(lines(text, "# TYPE dmq_retries_total") == "# TYPE dmq_retries_total counter\n");
  CHECK(lines(text, "dmq_retries_total") ==
        "dmq_retries_total{messaging_system=\"aws_sqs\",messaging_destination_name=\"a\"} 1\n"
        "dmq_retries_total{messaging_system=\"aws_sqs\",messaging_destination_name=\"b\"} 2\n");
}
