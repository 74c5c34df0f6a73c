#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <dmq/metrics_observer.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>
#include <support/producers.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Event;
using dmq::EventKind;
using dmq::MetricsObserver;
using dmq::metrics::Series;
using dmq::metrics::Snapshot;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const Error timeout{.kind = ErrorKind::timeout};

template <class Transport, class Observer>
auto consumer(Transport transport, Observer observer) {
  return dmq::Consumer(std::move(transport), dmq::sqs::Wire("http://localhost", support::parse), support::signer(),
                       {.queue_url = support::queue_url, .new_id = dmq::crypto::RandomIds()}, dmq::SystemClock(),
                       observer);
}

const Series* find(const std::vector<Series>& all, std::string_view operation, std::optional<ErrorKind> error = {}) {
  for (const Series& series : all)
    if (series.operation == operation && series.error == error) return &series;
  return nullptr;
}

}  // namespace

TEST_CASE("requests, handlings and fetches are counted apart, by how they ended") {
  const MetricsObserver observer("orders.fifo");
  observer({.kind = EventKind::attempt, .operation = "publish", .duration = milliseconds(10), .count = 3});
  observer({.kind = EventKind::attempt_failed, .operation = "publish", .duration = seconds(2), .error = &timeout});
  observer({.kind = EventKind::value_fetched, .operation = "token", .duration = milliseconds(20)});
  observer({.kind = EventKind::attempt_failed, .operation = "token", .duration = seconds(1), .error = &timeout});
  observer({.kind = EventKind::handled, .operation = "run", .duration = milliseconds(30), .group = "a"});
  observer(
      {.kind = EventKind::handled, .operation = "run", .duration = milliseconds(40), .error = &timeout, .group = "b"});

  const Snapshot snapshot = observer.snapshot();
  CHECK(snapshot.destination == "orders.fifo");
  REQUIRE(snapshot.operations.size() == 2);
  REQUIRE(snapshot.fetches.size() == 2);
  REQUIRE(snapshot.handlings.size() == 2);
  CHECK(find(snapshot.operations, "publish")->duration.sum == milliseconds(10));
  CHECK(find(snapshot.operations, "publish", ErrorKind::timeout)->duration.sum == seconds(2));
  CHECK(find(snapshot.fetches, "token")->duration.sum == milliseconds(20));
  CHECK(find(snapshot.fetches, "token", ErrorKind::timeout)->duration.sum == seconds(1));
  CHECK(find(snapshot.handlings, "process")->duration.sum == milliseconds(30));
  CHECK(find(snapshot.handlings, "process", ErrorKind::timeout)->duration.sum == milliseconds(40));
  CHECK(snapshot.sent_messages == 3);
  CHECK(snapshot.consumed_messages == 0);
  CHECK(snapshot.duration("publish").count() == 2);
  CHECK(snapshot.duration("process").sum == milliseconds(70));
}

TEST_CASE("received messages are counted by their requests, and so are polls that brought none") {
  const MetricsObserver observer;
  const auto poll = [&](std::size_t count, const Error* error = nullptr) {
    observer({.kind = error == nullptr ? EventKind::attempt : EventKind::attempt_failed,
              .operation = "ReceiveMessage",
              .error = error,
              .count = count});
  };
  poll(10);
  poll(0);
  poll(0);
  poll(0, &timeout);
  poll(2);
  observer({.kind = EventKind::received, .operation = "ReceiveMessage", .count = 2});
  observer({.kind = EventKind::attempt, .operation = "DeleteMessageBatch", .count = 10});
  const Snapshot snapshot = observer.snapshot();
  CHECK(snapshot.consumed_messages == 12);
  CHECK(snapshot.empty_polls == 2);
  CHECK(snapshot.sent_messages == 0);
}

TEST_CASE("each of the other kinds has a count of its own") {
  const MetricsObserver observer;
  std::size_t times = 0;
  for (const dmq::metrics::EventCount& one : dmq::metrics::event_counts) {
    ++times;
    for (std::size_t i = 0; i < times; ++i) observer({.kind = one.kind, .group = std::to_string(i)});
  }
  const Snapshot snapshot = observer.snapshot();
  CHECK(snapshot.retries == 1);
  CHECK(snapshot.failures == 2);
  CHECK(snapshot.refused_values == 3);
  CHECK(snapshot.failed_polls == 4);
  CHECK(snapshot.acknowledged_messages == 5);
  CHECK(snapshot.extended_leases == 6);
  CHECK(snapshot.lost_leases == 7);
  CHECK(snapshot.released_messages == 8);
  CHECK(snapshot.discarded_messages == 9);
  CHECK(snapshot.forgotten_messages == 10);
  CHECK(snapshot.stray_answers == 11);
  CHECK(snapshot.thrown_callbacks == 12);
  CHECK(snapshot.operations.empty());
}

TEST_CASE("what a producer and a consumer do is seen by an observer that they share") {
  const support::Cloud<dmq::SystemClock> cloud;
  const MetricsObserver observer("dmq.fifo");
  auto producer = support::gateway_producer<dmq::gateway::BatchRoute>(cloud.transport, dmq::SystemClock(),
                                                                      support::settings(), observer);
  auto taking = consumer(cloud.transport, observer);
  std::vector<dmq::Message> messages;
  for (int i = 0; i < 25; ++i) messages.push_back({.body = "secret body", .group = "private-" + std::to_string(i)});
  for (const auto& result : producer.publish_batch(messages)) CHECK(result);
  std::size_t received = 0;
  while (received < 25) {
    const auto deliveries = taking.receive({.wait = seconds(0)}).value();
    received += deliveries.size();
    for (const auto& result : taking.acknowledge(deliveries)) CHECK(result);
  }
  CHECK(taking.receive({.wait = seconds(0)}).value().empty());

  const Snapshot snapshot = observer.snapshot();
  CHECK(snapshot.sent_messages == 25);
  CHECK(snapshot.consumed_messages == 25);
  CHECK(snapshot.empty_polls == 1);
  CHECK(find(snapshot.operations, "publish_batch")->duration.count() == 3);
  CHECK(find(snapshot.operations, "DeleteMessageBatch")->messages == 25);
  REQUIRE(snapshot.fetches.size() >= 1);
  const std::string text = observer.prometheus();
  CHECK(text.find("messaging_client_sent_messages_total{messaging_system=\"aws_sqs\",messaging_destination_name="
                  "\"dmq.fifo\",messaging_operation_name=\"publish_batch\"} 25\n") != std::string::npos);
  CHECK(text.find("private-") == std::string::npos);
  CHECK(text.find("secret") == std::string::npos);
}

TEST_CASE("a batch that was accepted in part counts that part, and the rest when it is accepted") {
  dmq::testing::ScriptedTransport transport;
  const dmq::testing::ManualClock clock;
  const MetricsObserver observer;
  transport.reply({.status = 200, .body = R"({"access_token":"t","token_type":"Bearer","expires_in":3600})"});
  transport.reply({.status = 200, .body = R"({"Successful":[{"Id":"0","MessageId":"m0","SequenceNumber":"1",
                              "MD5OfMessageBody":"0cc175b9c0f1b6a831c399e269772661"}],
                              "Failed":[{"Id":"1","Code":"InvalidParameterValue","SenderFault":true,"Message":"no"}]})"});
  auto producer = support::gateway_producer<dmq::gateway::BatchRoute>(transport, clock, support::settings(), observer);
  const auto results = producer.publish_batch({{.body = "a", .group = "a"}, {.body = "b", .group = "b"}});
  CHECK(results[0]);
  CHECK_FALSE(results[1]);
  CHECK(observer.snapshot().sent_messages == 1);
  CHECK(observer.snapshot().duration("publish_batch").count() == transport.count() - 1);
}

TEST_CASE("copies count together, on any number of threads, and may be read meanwhile") {
  const MetricsObserver observer;
  constexpr int threads = 4, rounds = 5'000;
  {
    std::vector<std::jthread> running;
    for (int t = 0; t < threads; ++t)
      running.emplace_back([copy = observer] {
        for (int i = 0; i < rounds; ++i) {
          copy({.kind = EventKind::attempt, .operation = "ReceiveMessage", .duration = milliseconds(7), .count = 2});
          copy({.kind = EventKind::attempt_failed, .operation = "publish", .error = &timeout});
          copy({.kind = EventKind::handled, .duration = milliseconds(1)});
          copy({.kind = EventKind::lease_lost});
        }
      });
    std::uint64_t before = 0;
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t now = observer.snapshot().consumed_messages;
      CHECK(now >= before);
      CHECK(now % 2 == 0);
      before = now;
    }
  }
  const Snapshot snapshot = observer.snapshot();
  CHECK(snapshot.consumed_messages == 2 * threads * rounds);
  CHECK(snapshot.duration("publish").count() == threads * rounds);
  CHECK(snapshot.duration("process").sum == threads * rounds * milliseconds(1));
  CHECK(snapshot.lost_leases == threads * rounds);
}
