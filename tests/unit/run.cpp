#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <latch>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dmq/metrics_observer.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/recording_observer.hpp>
#include <support/runs.hpp>

using dmq::Delivery;
using dmq::DeliveryState;
using dmq::Disposition;
using dmq::Error;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::Lease;
using dmq::Result;
using dmq::RunReport;
using dmq::RunSettings;
using dmq::SystemClock;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::CloudHooks;
using dmq::testing::CloudTransport;
using dmq::testing::ManualClock;
using dmq::testing::ObservedEvent;
using dmq::testing::RecordingObserver;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using support::Filled;
using support::HandledLog;
using support::run_settings;
using support::runner;

namespace {

bool is(const Request& request, const char* operation) {
  return request.headers.get("X-Amz-Target") == std::string("AmazonSQS.") + operation;
}

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"};

Response refusal(int status, const char* code) {
  return {.status = status, .body = std::string(R"({"__type":"com.amazonaws.sqs#)") + code + R"(","message":"no"})"};
}

/// The first `count` requests of that operation fail with this, unseen by the cloud.
CloudHooks failing(const char* operation, int count, Result<Response> with) {
  auto left = std::make_shared<std::atomic<int>>(count);
  return {.before = [=](const Request& request) -> std::optional<Result<Response>> {
    if (!is(request, operation) || (*left)-- <= 0) return std::nullopt;
    return with;
  }};
}

/// Runs a handler until `count` calls of it are over; what it answers goes on.
template <class Consumer, class Handler>
RunReport run_for(Consumer& consumer, std::size_t count, Handler handler) {
  std::stop_source stop;
  std::atomic<std::size_t> calls = 0;
  struct AtEnd {
    std::stop_source& stop;
    bool last;
    ~AtEnd() {
      if (last) stop.request_stop();
    }
  };
  return consumer.run(
      [&](const Delivery& delivery, Lease& lease) {
        const AtEnd end{stop, ++calls == count};
        if constexpr (std::invocable<Handler&, const Delivery&, Lease&>)
          return handler(delivery, lease);
        else
          return handler(delivery);
      },
      stop.get_token());
}

struct Number {
  int value = 0;
};

/// A place for a handler to stay in.
struct Gate {
  void pass() {
    entered.count_down();
    opened.wait();
  }
  std::latch entered{1};
  std::latch opened{1};
};

}  // namespace

template <>
struct dmq::Codec<Number> {
  static dmq::Result<std::string> encode(const Number& number) { return std::to_string(number.value); }
  static dmq::Result<Number> decode(std::string_view body) {
    if (body == "1") return dmq::invalid_argument("no number");
    return Number{std::stoi(std::string(body))};
  }
};

TEST_CASE("run handles every message once and in order in its group, and deletes it") {
  Filled cloud(100, 7);
  auto consumer = support::consumer(cloud.transport);
  HandledLog log;
  const RunReport report = run_for(consumer, 100, [&](const Delivery& delivery) { log.add(delivery); });
  CHECK_FALSE(report.error);
  CHECK(report.handled == 100);
  CHECK(report.received == 100);
  for (const auto& [group, bodies] : log.bodies()) CHECK(std::is_sorted(bodies.begin(), bodies.end()));
  CHECK(log.bodies().size() == 7);
  CHECK(cloud.messages().empty());
}

TEST_CASE("a handler that throws gets its message again before any later one of its group") {
  Filled cloud(10, 2);
  auto consumer = support::consumer(cloud.transport);
  HandledLog log;
  std::atomic<bool> failed = false;
  const RunReport report = run_for(consumer, 11, [&](const Delivery& delivery) {
    log.add(delivery);
    if (delivery.body == "4" && !failed.exchange(true)) throw std::runtime_error("not now");
  });
  CHECK(report.handled == 10);
  CHECK(report.retried == 1);
  CHECK(log.bodies()["g0"] == std::vector<int>{0, 2, 4, 4, 6, 8});
  CHECK(log.bodies()["g1"] == std::vector<int>{1, 3, 5, 7, 9});
}

TEST_CASE("as many handlers as workers run at once") {
  Filled cloud(4, 4);
  auto consumer = runner(cloud.transport, run_settings({.workers = 4}));
  std::latch all(4);
  const RunReport report = run_for(consumer, 4, [&](const Delivery&) { all.arrive_and_wait(); });
  CHECK(report.handled == 4);
}

TEST_CASE("a handler may be of any allowed shape") {
  const auto handles = [](auto handler) {
    Filled cloud(1);
    auto consumer = runner(cloud.transport);
    std::stop_source stop;
    RecordingObserver events;
    auto watched = runner(cloud.transport, run_settings(), events);
    std::thread stopper([&] {
      CHECK((events.wait_for(EventKind::acknowledged) || events.wait_for(EventKind::discarded)));
      stop.request_stop();
    });
    const RunReport report = watched.run(std::move(handler), stop.get_token());
    stopper.join();
    CHECK(report.handled + report.discarded == 1);
    CHECK(cloud.messages().empty());
    return report.handled == 1;
  };
  CHECK(handles([](const Delivery&) {}));
  CHECK(handles([](Delivery) {}));
  CHECK(handles([](const Delivery&, Lease&) {}));
  CHECK(handles([](const Delivery&, const Lease& lease) { CHECK(lease.remaining() > seconds(20)); }));
  CHECK(handles([](const Delivery&) { return Disposition::done(); }));
  CHECK(handles([](const Delivery&, Lease&) { return Disposition::done(); }));
  CHECK(handles([](const Delivery&) -> Result<void> { return {}; }));
  CHECK(handles([count = 0](const Delivery&) mutable { CHECK(++count == 1); }));
  CHECK(handles([owned = std::make_unique<int>(7)](const Delivery&) { CHECK(*owned == 7); }));
  CHECK(handles(+[](const Delivery&) {}));
  CHECK(handles(dmq::decoded<Number>([](const Number& n, const Delivery& d) { CHECK(n.value == std::stoi(d.body)); })));
  CHECK(handles(dmq::decoded<std::string>([](const std::string& text, const Delivery&, Lease& lease) {
    CHECK(text == "0");
    return lease.lost() ? Disposition::retry() : Disposition::done();
  })));
  CHECK(handles(dmq::decoded<Number>([](const Number&, const Delivery&) -> Result<void> { return {}; })));
}

TEST_CASE("whatever a handler throws, and an error that it returns, is a failure of its message and told") {
  Filled cloud(1);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  const RunReport report = run_for(consumer, 6, [](const Delivery& delivery) -> Result<void> {
    switch (delivery.receive_count) {
      case 1: throw std::runtime_error("a runtime error");
      case 2: throw 7;
      case 3: throw std::string("text");
      case 4: throw dmq::Exception({.kind = ErrorKind::unavailable, .message = "a database"});
      case 5: return Error{.kind = ErrorKind::full, .message = "a disk"};
      default: return {};
    }
  });
  CHECK(report.retried == 5);
  CHECK(report.handled == 1);
  const auto handled = events.events(EventKind::handled);
  REQUIRE(handled.size() == 6);
  CHECK(handled[0].error->message.find("a runtime error") != std::string::npos);
  for (const std::size_t i : {0U, 1U, 2U}) CHECK(handled[i].error->kind == ErrorKind::handler);
  CHECK(handled[3].error->kind == ErrorKind::unavailable);
  CHECK(handled[3].error->message == "a database");
  CHECK(handled[4].error->kind == ErrorKind::full);
  CHECK_FALSE(handled[5].error);
  for (std::size_t i = 0; i < 6; ++i) CHECK(handled[i].receive_count == static_cast<int>(i) + 1);
}

TEST_CASE("a body that can't be decoded is a failure of its message, which a handler never sees") {
  Filled cloud(2, 2);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  std::stop_source stop;
  std::atomic<int> calls = 0;
  std::jthread stopper([&] {
    events.wait_for(EventKind::acknowledged);
    events.wait_for(EventKind::released);
    stop.request_stop();
  });
  const RunReport report = consumer.run(dmq::decoded<Number>([&](const Number& number, const Delivery&) {
                                          CHECK(number.value == 0);
                                          ++calls;
                                        }),
                                        stop.get_token());
  CHECK(calls == 1);
  CHECK(report.handled == 1);
  CHECK(report.retried >= 1);
  bool told = false;
  for (const auto& event : events.events(EventKind::handled))
    told = told || (event.error && event.error->message == "no number");
  CHECK(told);
}

TEST_CASE("metrics count what was submitted, and what a run received and deleted") {
  support::Cloud<dmq::SystemClock> cloud;
  const dmq::MetricsObserver metrics;
  {
    auto producer =
        support::gateway_producer<dmq::gateway::BatchRoute>(cloud.transport, {}, support::settings(), metrics);
    for (int i = 0; i < 12; ++i)
      REQUIRE(producer.submit({.body = std::to_string(i), .group = "g" + std::to_string(i)}, [](auto&&) {}));
    CHECK(producer.close(seconds(60)).accepted == 12);
  }
  CHECK(metrics.snapshot().sent_messages == 12);
  auto consumer = runner(cloud.transport, run_settings(), metrics);
  CHECK(run_for(consumer, 12, [](const Delivery&) {}).handled == 12);
  const dmq::metrics::Snapshot counted = metrics.snapshot();
  CHECK(counted.sent_messages == 12);
  CHECK(counted.consumed_messages == 12);
  CHECK(counted.acknowledged_messages == 12);
}

TEST_CASE("a message's life in events") {
  Filled cloud(1);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  const RunReport report = run_for(consumer, 3, [](const Delivery& delivery) {
    if (delivery.receive_count == 1) return Disposition::retry(seconds(0));
    if (delivery.receive_count == 2) return Disposition::release();
    return Disposition::discard();
  });
  CHECK(report.discarded == 1);
  using enum EventKind;
  std::vector<EventKind> kinds;
  for (const ObservedEvent& event : events.events()) {
    if (event.operation != "run" || (event.kind == received && event.count == 0)) continue;
    // What was given back may be received before the answer to that is read.
    if (event.kind != released) kinds.push_back(event.kind);
    CHECK(event.at != dmq::WallTime());
    if (event.kind != received) CHECK(event.group == "g0");
    if (event.kind != received) CHECK(event.message_id.size() == 36);
  }
  CHECK(kinds == std::vector{received, handled, received, handled, received, handled, discarded});
  CHECK(events.count(released) == 2);
}

TEST_CASE("two consumers of one queue handle each message once and keep the order of each group") {
  Filled cloud(120, 6);
  RecordingObserver events;
  auto first = runner(cloud.transport, run_settings({.workers = 2, .max_held = 3, .wait = seconds(1)}), events);
  auto second = runner(cloud.transport, run_settings({.workers = 2, .max_per_receive = 3, .wait = seconds(1)}), events);
  HandledLog log;
  std::stop_source stop;
  const auto handler = [&](const Delivery& delivery) { log.add(delivery); };
  RunReport reports[2];
  std::thread one([&] { reports[0] = first.run(handler, stop.get_token()); });
  std::thread two([&] { reports[1] = second.run(handler, stop.get_token()); });
  CHECK(events.wait_for(EventKind::acknowledged, 120, seconds(50)));
  stop.request_stop();
  one.join();
  two.join();
  CHECK(reports[0].handled + reports[1].handled == 120);
  CHECK(log.count() == 120);
  for (const auto& [group, bodies] : log.bodies()) {
    CHECK(bodies.size() == 20);
    CHECK(std::is_sorted(bodies.begin(), bodies.end()));
  }
  CHECK(cloud.messages().empty());
}

TEST_CASE("a stop waits for the handler that runs, deletes what it did, and gives back what waits") {
  Filled cloud(5);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  std::stop_source stop;
  Gate gate;
  RunReport report;
  std::thread runs([&] { report = consumer.run([&](const Delivery&) { gate.pass(); }, stop.get_token()); });
  gate.entered.wait();
  stop.request_stop();
  CHECK(events.wait_for(EventKind::released, 4));
  gate.opened.count_down();
  runs.join();
  CHECK_FALSE(report.error);
  CHECK(report.handled == 1);
  CHECK(report.released.size() == 4);
  CHECK(report.released.front().group == "g0");
  CHECK(report.released.front().fence.receive_count == 1);
  CHECK(report.abandoned.empty());
  const auto again = consumer.receive({.wait = seconds(0)}).value();
  REQUIRE(again.size() == 4);
  CHECK(again.front().body == "1");
}

TEST_CASE("a handler that does not return by the stop deadline is abandoned, and may go on") {
  Filled cloud(2, 2);
  auto settings = run_settings({.stop_deadline = milliseconds(0)});
  std::stop_source stop;
  const auto gate = std::make_shared<Gate>();
  const auto left = std::make_shared<std::latch>(1);
  RunReport report;
  {
    auto consumer = runner(cloud.transport, settings);
    std::thread runs([&] {
      report = consumer.run(
          [gate, left](const Delivery& delivery) {
            if (delivery.group == "g1") return;
            gate->pass();
            left->count_down();
          },
          stop.get_token());
    });
    gate->entered.wait();
    stop.request_stop();
    runs.join();
  }
  REQUIRE(report.abandoned.size() == 1);
  CHECK(report.abandoned[0].group == "g0");
  CHECK(report.abandoned[0].fence.receive_count == 1);
  CHECK(report.abandoned[0].message_id.size() == 36);
  // Its lease goes on, so that nobody else gets it while its handler may be at it.
  auto other = runner(cloud.transport);
  for (const Delivery& delivery : other.receive({.wait = seconds(0)}).value()) CHECK(delivery.group == "g1");
  gate->opened.count_down();
  left->wait();
}

TEST_CASE("a consumer runs once at a time, and again afterwards") {
  Filled cloud(2);
  auto consumer = runner(cloud.transport);
  RunReport second;
  const RunReport first = run_for(consumer, 1, [&](const Delivery&) { second = consumer.run([](const Delivery&) {}); });
  CHECK(first.handled == 1);
  REQUIRE(second.error);
  CHECK(second.error->kind == ErrorKind::invalid_argument);
  CHECK(second.error->message == "this consumer is running already");
  const RunReport third = run_for(consumer, 1, [](const Delivery& delivery) { CHECK(delivery.body == "1"); });
  CHECK(third.handled == 1);
}

TEST_CASE("a stop token that has fired already ends a run before its first request") {
  Filled cloud(1);
  auto consumer = runner(cloud.transport);
  std::stop_source stop;
  stop.request_stop();
  const RunReport report = consumer.run([](const Delivery&) { FAIL("handled"); }, stop.get_token());
  CHECK_FALSE(report.error);
  CHECK(report.received == 0);
  CHECK(cloud.calls("ReceiveMessage") == 0);
}

TEST_CASE("a paused consumer asks for nothing until it is resumed") {
  Filled cloud(3);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings({.workers = 1, .max_held = 1}), events);
  std::stop_source stop;
  std::thread runs([&] {
    const RunReport report = consumer.run(
        [&](const Delivery& delivery) {
          if (delivery.body == "0") consumer.pause();
        },
        stop.get_token());
    CHECK(report.handled == 3);
  });
  CHECK(events.wait_for(EventKind::acknowledged));
  CHECK(cloud.calls("ReceiveMessage") == 1);
  consumer.resume();
  CHECK(events.wait_for(EventKind::acknowledged, 3));
  stop.request_stop();
  runs.join();
}

TEST_CASE("a consumer may be paused before it runs") {
  Filled cloud(1);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  consumer.pause();
  std::stop_source stop;
  std::thread runs([&] { CHECK(consumer.run([](const Delivery&) {}, stop.get_token()).handled == 1); });
  consumer.resume();
  CHECK(events.wait_for(EventKind::acknowledged));
  stop.request_stop();
  runs.join();
}

TEST_CASE("a handler whose lease is lost is told by its stop token") {
  Filled cloud(2);
  auto settings = run_settings({.max_held = 2, .heartbeat = milliseconds(10)});
  auto consumer = runner(cloud.transport, settings);
  std::atomic<int> calls = 0;
  const RunReport report = run_for(consumer, 2, [&](const Delivery& delivery, Lease& lease) {
    if (++calls > 1) return;
    CHECK(lease.remaining() > seconds(20));
    CHECK_FALSE(lease.lost());
    // As if somebody else had it: the next extension is refused. There is no room for a poll that brings it again.
    consumer.release(delivery).value();
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    never.wait(lock, lease.stop_token(), [] { return false; });
    CHECK(lease.lost());
  });
  CHECK(report.lost >= 1);
  CHECK(report.handled == 2);
  CHECK(calls == 2);
}

TEST_CASE("a lost delete is repeated before the next of the group is handled") {
  CloudHooks hooks;
  std::atomic<int> deletes = 0;
  hooks.after = [&](const Request& request, Result<Response> response) -> Result<Response> {
    if (!is(request, "DeleteMessageBatch") || ++deletes > 2) return response;
    return lost;
  };
  Filled cloud(2, 1, hooks);
  auto consumer = runner(cloud.transport);
  std::atomic<int> deletes_before_second = 0;
  const RunReport report = run_for(consumer, 2, [&](const Delivery& delivery) {
    if (delivery.body == "1") deletes_before_second = deletes.load();
  });
  CHECK(report.handled == 2);
  CHECK(deletes_before_second == 3);
}

// Stops and polls.

TEST_CASE("a stop breaks off a long poll") {
  std::latch polling(1);
  CloudHooks hooks;
  hooks.before = [&](const Request& request) -> std::optional<Result<Response>> {
    if (is(request, "ReceiveMessage") && request.body.find("\"WaitTimeSeconds\":20") != std::string::npos)
      polling.count_down();
    return std::nullopt;
  };
  Filled cloud(0, 1, hooks);
  auto consumer = runner(cloud.transport);
  std::stop_source stop;
  std::thread stopper([&] {
    polling.wait();
    stop.request_stop();
  });
  const RunReport report = consumer.run([](const Delivery&) {}, stop.get_token());
  stopper.join();
  CHECK_FALSE(report.error);
  CHECK(cloud.host->with([](auto& model) { return model.polls(); }) == 0);
}

TEST_CASE("what a broken-off poll had claimed is given back") {
  std::stop_source stop;
  std::atomic<int> receives = 0;
  CloudHooks hooks;
  hooks.after = [&](const Request& request, Result<Response> response) -> Result<Response> {
    if (!is(request, "ReceiveMessage") || ++receives > 1) return response;
    stop.request_stop();  // The answer with the messages is on its way, and never arrives.
    return Error{.kind = ErrorKind::cancelled, .delivery = DeliveryState::unknown, .message = "broken off"};
  };
  Filled cloud(3, 1, hooks);
  auto consumer = runner(cloud.transport);
  const RunReport report = consumer.run([](const Delivery&) { FAIL("handled"); }, stop.get_token());
  CHECK_FALSE(report.error);
  CHECK(report.released.size() == 3);
  CHECK(receives == 2);
  CHECK(runner(CloudTransport<SystemClock>(cloud.host)).receive({.wait = seconds(0)}).value().size() == 3);
}

TEST_CASE("a draining stop takes the answer of the poll") {
  std::stop_source stop;
  CloudHooks hooks;
  hooks.before = [&](const Request& request) -> std::optional<Result<Response>> {
    if (is(request, "ReceiveMessage")) stop.request_stop();
    return std::nullopt;
  };
  Filled cloud(3, 1, hooks);
  auto consumer = runner(cloud.transport, run_settings({.stop_poll = dmq::StopPoll::drain}));
  const RunReport report = consumer.run([](const Delivery&) {}, stop.get_token());
  // When the stop is seen the answer may have come already, and a handler may have begun.
  CHECK_FALSE(report.error);
  CHECK(report.received >= 3);
  CHECK(report.abandoned.empty());
}

// What goes wrong.

TEST_CASE("what trying again does not mend ends a run with one clear error, after one request") {
  struct Case {
    Result<Response> answer;
    ErrorKind kind;
  };
  for (const auto& [answer, kind] :
       {Case{refusal(403, "AccessDeniedException"), ErrorKind::authorization},
        Case{refusal(400, "AWS.SimpleQueueService.NonExistentQueue"), ErrorKind::configuration},
        Case{refusal(403, "InvalidClientTokenId"), ErrorKind::authentication},
        Case{refusal(400, "InvalidAddress"), ErrorKind::configuration},
        Case{refusal(400, "InvalidParameterValue"), ErrorKind::rejected}}) {
    Filled cloud(1, 1, failing("ReceiveMessage", 1000, answer));
    RecordingObserver events;
    auto consumer = runner(cloud.transport, run_settings(), events);
    const RunReport report = consumer.run([](const Delivery&) { FAIL("handled"); });
    REQUIRE(report.error);
    CHECK(report.error->kind == kind);
    CHECK_FALSE(report.error->message.empty());
    CHECK(events.count(EventKind::poll_failed) == 1);
    CHECK(events.count(EventKind::attempt_failed) <= 4);
  }
}

TEST_CASE("a queue that does not exist, and a wrong region, end a run with one clear error") {
  Filled cloud(1);
  auto nowhere = runner(cloud.transport, run_settings({}, "http://localhost/000000000000/other.fifo"));
  const RunReport missing = nowhere.run([](const Delivery&) { FAIL("handled"); });
  REQUIRE(missing.error);
  CHECK(missing.error->kind == ErrorKind::configuration);
  CHECK(cloud.calls("ReceiveMessage") == 1);

  RecordingObserver events;
  dmq::Consumer elsewhere(
      cloud.transport, dmq::sqs::Wire("http://localhost", support::parse),
      dmq::auth::SigV4(dmq::auth::StaticCredentials({.access_key_id = "AKIALOCALCLOUD000000",
                                                     .secret_access_key = dmq::Secret("local-cloud-secret-key")}),
                       {.region = "eu-west-1", .service = "sqs"}),
      run_settings(), SystemClock(), events);
  const RunReport wrong = elsewhere.run([](const Delivery&) { FAIL("handled"); });
  REQUIRE(wrong.error);
  CHECK(wrong.error->kind == ErrorKind::authentication);
  CHECK(wrong.error->message.find("region") != std::string::npos);
  CHECK(events.count(EventKind::attempt_failed) <= 4);
}

TEST_CASE("a queue that is deleted under a poll ends the run with one clear error") {
  std::latch polling(1);
  std::atomic<int> receives = 0;
  CloudHooks hooks;
  hooks.before = [&](const Request& request) -> std::optional<Result<Response>> {
    if (is(request, "ReceiveMessage") && ++receives == 1) polling.count_down();
    return std::nullopt;
  };
  Filled cloud(0, 1, hooks);
  auto consumer = runner(cloud.transport, run_settings({.wait = seconds(1)}));
  std::thread deleter([&] {
    polling.wait();
    consumer.client().delete_queue(support::queue_url).value();
  });
  const RunReport report = consumer.run([](const Delivery&) {});
  deleter.join();
  REQUIRE(report.error);
  CHECK(report.error->kind == ErrorKind::configuration);
  CHECK(receives <= 2);
}

TEST_CASE("a right that is taken away while messages are held ends the run, and what was done is reported") {
  Filled cloud(3, 3, failing("DeleteMessageBatch", 1000, refusal(403, "AccessDeniedException")));
  auto consumer = runner(cloud.transport, run_settings({.workers = 1}));
  std::atomic<int> calls = 0;
  const RunReport report = consumer.run([&](const Delivery&) { ++calls; });
  REQUIRE(report.error);
  CHECK(report.error->kind == ErrorKind::authorization);
  CHECK(report.handled == 0);
  CHECK(report.unconfirmed.size() == static_cast<std::size_t>(calls.load()));
  CHECK(report.unconfirmed.size() + report.released.size() == 3);
}

TEST_CASE("a poll that fails for a while is waited for") {
  for (const Result<Response>& answer : {Result<Response>(lost), Result<Response>(refusal(500, "InternalFailure")),
                                         Result<Response>(Response{.status = 200, .body = "x"})}) {
    Filled cloud(1, 1, failing("ReceiveMessage", 3, answer));
    RecordingObserver events;
    auto consumer = runner(cloud.transport, run_settings(), events);
    CHECK(run_for(consumer, 1, [](const Delivery&) {}).handled == 1);
    CHECK(events.count(EventKind::poll_failed) == 3);
    CHECK(cloud.calls("ReceiveMessage") >= 1);
  }
}

TEST_CASE("a transport that throws is a failure that may pass") {
  CloudHooks hooks;
  std::atomic<int> receives = 0, deletes = 0;
  hooks.before = [&](const Request& request) -> std::optional<Result<Response>> {
    if (is(request, "ReceiveMessage") && ++receives <= 2) throw std::runtime_error("no socket");
    if (is(request, "DeleteMessageBatch") && ++deletes <= 2) throw 7;
    return std::nullopt;
  };
  Filled cloud(1, 1, hooks);
  RecordingObserver events;
  auto consumer = runner(cloud.transport, run_settings(), events);
  CHECK(run_for(consumer, 1, [](const Delivery&) {}).handled == 1);
  CHECK(deletes == 3);
  const auto failures = events.events(EventKind::poll_failed);
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].error->message.find("no socket") != std::string::npos);
}

TEST_CASE("a program's new_id that throws ends the run with its error") {
  Filled cloud(1);
  auto settings = run_settings();
  settings.new_id = []() -> std::string { throw std::runtime_error("no entropy"); };
  auto consumer = runner(cloud.transport, settings);
  const RunReport report = consumer.run([](const Delivery&) { FAIL("handled"); });
  REQUIRE(report.error);
  CHECK(report.error->kind == ErrorKind::invalid_argument);
  CHECK(report.error->message.find("no entropy") != std::string::npos);
}

namespace {

/// Has no credentials at first.
struct LateCredentials {
  Error error{};
  int failures = 0;
  std::shared_ptr<std::atomic<int>> fetches = std::make_shared<std::atomic<int>>(0);

  template <class Transport>
  Result<dmq::auth::Fetched<dmq::auth::Credentials>> fetch(Transport&, dmq::Instant, std::stop_token) const {
    if (++*fetches <= failures) return error;
    return dmq::auth::Fetched<dmq::auth::Credentials>{
        {.access_key_id = "AKIALOCALCLOUD000000", .secret_access_key = dmq::Secret("local-cloud-secret-key")}};
  }
};

template <class Transport>
auto runner_with(LateCredentials credentials, Transport transport, RecordingObserver events) {
  return dmq::Consumer(std::move(transport), dmq::sqs::Wire("http://localhost", support::parse),
                       dmq::auth::SigV4(std::move(credentials), {.region = "us-east-1", .service = "sqs"}),
                       run_settings(), SystemClock(), std::move(events));
}

}  // namespace

TEST_CASE("credentials that come late are waited for, without asking for them all the time") {
  Filled cloud(1);
  RecordingObserver events;
  const LateCredentials late{.error = {.kind = ErrorKind::unavailable, .message = "no metadata yet"}, .failures = 2};
  auto consumer = runner_with(late, cloud.transport, events);
  CHECK(run_for(consumer, 1, [](const Delivery&) {}).handled == 1);
  CHECK(*late.fetches == 3);
  CHECK(events.count(EventKind::poll_failed) >= 1);
  CHECK(events.count(EventKind::poll_failed) <= 20);
}

TEST_CASE("credentials that will not come end the run with their error") {
  Filled cloud(1);
  const LateCredentials wrong{.error = {.kind = ErrorKind::authentication, .message = "no such role"},
                              .failures = 1000};
  auto consumer = runner_with(wrong, cloud.transport, RecordingObserver());
  const RunReport report = consumer.run([](const Delivery&) { FAIL("handled"); });
  REQUIRE(report.error);
  CHECK(report.error->kind == ErrorKind::authentication);
  CHECK(report.error->message.find("no such role") != std::string::npos);
  CHECK(*wrong.fetches == 1);
  CHECK(cloud.calls("ReceiveMessage") == 0);
}

namespace {

/// A transport whose asynchronous side completes nothing, not even what is cancelled; waiting in it moves the clock.
struct Mute {
  struct Async {
    ManualClock clock;
    std::shared_ptr<std::atomic<int>> started;

    void start(std::uint64_t, Request&&) { ++*started; }
    void poll(std::vector<dmq::http::Completion>&, dmq::Duration at_most) {
      if (*started == 0) return std::this_thread::yield();  // Credentials are on their way.
      clock.advance(std::min<dmq::Duration>(std::max(at_most, dmq::Duration::zero()), seconds(1)));
    }
    void cancel(std::uint64_t) {}
    void wake() noexcept {}
  };

  ManualClock clock;
  std::shared_ptr<std::atomic<int>> started = std::make_shared<std::atomic<int>>(0);

  Result<Response> send(const Request&, std::stop_token) { return lost; }
  Async open_async() const { return {clock, started}; }
};

}  // namespace

TEST_CASE("a transport that completes nothing costs polls, not the run, and a stop still ends") {
  ManualClock clock;
  const Mute transport{.clock = clock};
  RecordingObserver events;
  auto consumer = runner(transport, run_settings(), events, clock);
  std::stop_source stop;
  std::thread stopper([&] {
    CHECK(events.wait_for(EventKind::poll_failed, 3));
    stop.request_stop();
  });
  const RunReport report = consumer.run([](const Delivery&) {}, stop.get_token());
  stopper.join();
  CHECK_FALSE(report.error);
  const auto failures = events.events(EventKind::poll_failed);
  REQUIRE(failures.size() >= 3);
  CHECK(failures[0].error->kind == ErrorKind::timeout);
  // Each for its 30 s, 5 s more and 1 s after its cancellation, and with a pause before the next.
  CHECK(failures[1].at - failures[0].at >= seconds(36));
}

TEST_CASE("settings that can't be kept are refused before anything starts") {
  Filled cloud(1);
  auto settings = run_settings();
  settings.visibility = seconds(4);
  const RunReport report = runner(cloud.transport, settings).run([](const Delivery&) { FAIL("handled"); });
  REQUIRE(report.error);
  CHECK(report.error->kind == ErrorKind::invalid_argument);
  CHECK(report.error->message == "visibility is 4 s, and run() needs at least 5 s to keep a lease");
  CHECK(cloud.calls("ReceiveMessage") == 0);
}
