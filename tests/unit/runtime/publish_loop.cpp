#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <dmq/runtime/channel.hpp>
#include <dmq/runtime/publish_loop.hpp>
#include <dmq/testing/recording_observer.hpp>
#include <dmq/testing/simulation.hpp>

using dmq::DeliveryState;
using dmq::Duration;
using dmq::EntryBatch;
using dmq::Error;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::PublishResult;
using dmq::Receipt;
using dmq::Result;
using dmq::Ticks;
using dmq::testing::RecordingObserver;
using dmq::testing::SimulatedClock;
using dmq::testing::Simulation;
namespace http = dmq::http;
namespace auth = dmq::auth;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// Does what a test says, and else nothing at all.
struct Transport {
  void start(std::uint64_t id, http::Request&& request) {
    if (throws) throw std::bad_alloc();
    started.push_back(id);
    bodies.push_back(request.body);
  }
  void poll(std::vector<http::Completion>& out, Duration at_most) {
    waits.push_back(at_most);
    if (meanwhile) meanwhile();
    for (http::Completion& completion : std::exchange(ready, {})) out.push_back(std::move(completion));
  }
  void cancel(std::uint64_t id) { cancelled.push_back(id); }
  void wake() noexcept { ++wakes; }
  void complete(std::uint64_t id, Result<http::Response> result = http::Response{.status = 200}) {
    ready.push_back({.id = id, .result = std::move(result), .request = {}});
  }

  bool throws = false;
  std::function<void()> meanwhile{};
  int wakes = 0;
  std::vector<std::uint64_t> started{};
  std::vector<std::uint64_t> cancelled{};
  std::vector<std::string> bodies{};
  std::vector<Duration> waits{};
  std::vector<http::Completion> ready{};
};

/// 200 accepts all, anything else is an error of the service that passes.
struct Route {
  std::string_view name() const { return "publish"; }
  std::size_t max_batch() const { return 10; }
  Result<void> check(const dmq::Entry&) const { return {}; }
  Result<http::Request> build(EntryBatch batch) const {
    http::Request request;
    for (const dmq::Entry* entry : batch) request.body += entry->message.body;
    return request;
  }
  std::vector<Result<Receipt>> parse(const http::Response& response, EntryBatch batch) const {
    const Error busy{.kind = ErrorKind::throttled, .delivery = DeliveryState::rejected, .message = "busy"};
    return std::vector<Result<Receipt>>(
        batch.size(), response.status == 200 ? Result<Receipt>(Receipt{.message_id = "m"}) : Result<Receipt>(busy));
  }
};

struct NoTransport {
  Result<http::Response> send(const http::Request&, std::stop_token) { return http::Response{}; }
};

struct Authority {
  using value_type = std::string;
  std::function<Result<auth::Fetched<std::string>>()> get;
  Result<auth::Fetched<std::string>> fetch(NoTransport&, dmq::Instant, std::stop_token) { return get(); }
  Result<void> authorize(http::Request&, const std::string&, dmq::Instant) { return {}; }
  auth::Verdict verdict(const http::Response&, dmq::Instant) { return auth::Verdict::ok; }
  auth::RefreshPolicy refresh_policy() { return {}; }
};

struct Bench {
  explicit Bench(dmq::PublishSettings with = {}) : settings(std::move(with)) {}

  void submit(const std::string& body, const std::string& group = "g") {
    submit(body, group, [this, body](const PublishResult& result) {
      reports.push_back(body + (result ? " accepted"
                                       : " " + std::string(to_string(result.error().kind)) + " " +
                                             std::string(to_string(result.error().delivery))));
    });
  }
  void submit(const std::string& body, const std::string& group, std::function<void(PublishResult)> done) {
    dmq::engine::Submissions one;
    one.emplace_back(dmq::Message{.body = body, .group = group}, std::move(done)).entry.deduplication_id = body;
    if (state.machine.submit(std::move(one), channel.now())) state.tell_of_ready();
  }
  void turn() { loop.turn(Duration::max()); }
  void pass(Duration time) {
    world.after(time, [] {});
    world.run(Ticks::max());
    turn();
  }
  using Channel = dmq::runtime::Channel<NoTransport, Authority, SimulatedClock, RecordingObserver>;

  RecordingObserver observer{};
  std::vector<std::string> reports{};
  Result<auth::Fetched<std::string>> token = auth::Fetched<std::string>{"token"};
  int fetches = 0;
  Simulation world{1};
  Transport transport{};
  Route route{};
  dmq::PublishSettings settings;
  Channel channel{NoTransport(), Authority{[this] {
                    ++fetches;
                    return token;
                  }},
                  world.clock(), observer, 1};
  dmq::runtime::PublishState state{settings, 10};
  dmq::runtime::PublishLoop<Route, Channel, Transport> loop{
      state, channel, route, settings, transport, [](const std::function<void()>& fetch) { fetch(); }};
};

using Reports = std::vector<std::string>;

const Error broken{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "broken"};

}  // namespace

TEST_CASE("a loop fetches a token, sends what is submitted, and reports it") {
  Bench bench;
  bench.submit("a", "a");
  bench.submit("b", "b");
  bench.turn();
  CHECK(bench.fetches == 1);
  bench.turn();
  REQUIRE(bench.transport.bodies == Reports{"ab"});
  CHECK(bench.reports.empty());
  CHECK_FALSE(bench.loop.idle());
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.reports == Reports{"a accepted", "b accepted"});
  CHECK(bench.loop.idle());
  CHECK(bench.state.machine.idle());
}

TEST_CASE("a loop that sleeps is woken for a message that can leave, and not for one that waits in its lane") {
  Bench bench;
  bench.submit("a1", "a");
  bench.turn();
  bench.turn();
  const int before = bench.transport.wakes;
  bench.transport.meanwhile = [&] { bench.submit("a2", "a"); };
  bench.turn();
  CHECK(bench.transport.wakes == before);
  bench.transport.meanwhile = [&] { bench.submit("b", "b"); };
  bench.turn();
  CHECK(bench.transport.wakes == before + 1);
  CHECK(bench.transport.bodies == Reports{"a1", "b"});
}

TEST_CASE("a loop that can send nothing more is woken once, for the deadline of what has come") {
  dmq::PublishSettings settings;
  settings.submit.max_in_flight = 1;
  settings.deadline = seconds(20);
  Bench bench(settings);
  bench.submit("a", "a");
  bench.turn();
  bench.turn();
  const int before = bench.transport.wakes;
  bench.transport.meanwhile = [&] {
    for (const char* group : {"b", "c", "d"}) bench.submit(group, group);
  };
  bench.turn();
  CHECK(bench.transport.wakes == before + 1);
  bench.transport.meanwhile = [&] { bench.submit("e", "e"); };
  bench.turn();
  CHECK(bench.transport.wakes == before + 1);
  bench.transport.meanwhile = {};
  bench.pass(seconds(20));
  CHECK(bench.reports ==
        Reports{"b timeout not_sent", "c timeout not_sent", "d timeout not_sent", "e timeout not_sent"});
}

TEST_CASE("an answer to nothing that is in flight, or a second one, is ignored and observed") {
  Bench bench;
  bench.submit("a");
  bench.turn();
  bench.turn();
  REQUIRE(bench.transport.started.size() == 1);
  bench.transport.complete(4711);
  bench.transport.complete(bench.transport.started[0]);
  bench.transport.complete(bench.transport.started[0], broken);
  bench.turn();
  CHECK(bench.reports == Reports{"a accepted"});
  CHECK(bench.observer.count(EventKind::stray_answer) == 2);
  bench.transport.complete(bench.transport.started[0], broken);
  bench.turn();
  CHECK(bench.reports.size() == 1);
  CHECK(bench.observer.count(EventKind::stray_answer) == 3);
  CHECK(bench.state.machine.ledger().total() == 1);
}

TEST_CASE("a request that the transport never completes is cancelled, then given up as unknown") {
  Bench bench({.request_timeout = seconds(10), .deadline = seconds(12)});
  bench.submit("a");
  bench.submit("b");
  bench.turn();
  bench.turn();
  REQUIRE(bench.transport.started.size() == 1);
  bench.pass(seconds(14));
  CHECK(bench.transport.cancelled.empty());
  bench.pass(seconds(2));
  CHECK(bench.transport.cancelled == bench.transport.started);
  CHECK(bench.reports.empty());
  bench.pass(seconds(2));
  CHECK(bench.reports == Reports{"a timeout unknown", "b corked not_sent"});
  CHECK(bench.transport.cancelled.size() == 1);
  CHECK(bench.loop.idle());
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.reports.size() == 2);
  CHECK(bench.observer.count(EventKind::stray_answer) == 1);
}

TEST_CASE("what a late transport says when it is cancelled counts") {
  Bench bench({.request_timeout = seconds(10)});
  bench.submit("a");
  bench.turn();
  bench.turn();
  bench.pass(seconds(16));
  REQUIRE(bench.transport.cancelled.size() == 1);
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.reports == Reports{"a accepted"});
  CHECK(bench.observer.count(EventKind::stray_answer) == 0);
}

TEST_CASE("a token that can't be fetched is tried for again after pauses, and then all goes on") {
  Bench bench;
  bench.token = Error{.kind = ErrorKind::network, .message = "no connection"};
  bench.submit("a");
  for (int i = 0; i < 10; ++i) bench.turn();
  CHECK(bench.fetches == 1);
  CHECK(bench.transport.started.empty());
  REQUIRE(bench.loop.next_deadline() > bench.channel.now().ticks);
  for (int i = 0; i < 100; ++i) bench.pass(milliseconds(100));
  CHECK(bench.fetches >= 3);
  CHECK(bench.fetches <= 10);
  bench.token = auth::Fetched<std::string>{"token"};
  for (int i = 0; i < 600 && bench.transport.started.empty(); ++i) bench.pass(milliseconds(100));
  REQUIRE(bench.transport.started.size() == 1);
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.reports == Reports{"a accepted"});
}

TEST_CASE("an identity that is not accepted stops all groups") {
  Bench bench({.submit = {.max_in_flight = 1}});
  bench.token = Error{.kind = ErrorKind::authentication, .message = "unknown client"};
  for (int i = 0; i < 11; ++i) bench.submit("m" + std::to_string(i), "g" + std::to_string(i));
  for (int i = 0; i < 5; ++i) bench.turn();
  REQUIRE(bench.reports.size() == 11);
  for (const std::string& report : bench.reports) CHECK(report.ends_with(" authentication not_sent"));
  CHECK(bench.fetches == 1);
  CHECK(bench.state.machine.refusal("new")->kind == ErrorKind::authentication);
}

TEST_CASE("a fetch that can't be begun is tried again after a pause") {
  Bench bench;
  int begun = 0;
  dmq::runtime::PublishLoop<Route, Bench::Channel, Transport> loop{bench.state,
                                                                   bench.channel,
                                                                   bench.route,
                                                                   bench.settings,
                                                                   bench.transport,
                                                                   [&](const std::function<void()>& fetch) {
                                                                     if (++begun == 1)
                                                                       throw std::runtime_error("no thread");
                                                                     fetch();
                                                                   }};
  bench.submit("a");
  for (int i = 0; i < 20 && bench.transport.started.empty(); ++i) {
    loop.turn(Duration::max());
    bench.world.after(milliseconds(100), [] {});
    bench.world.run(Ticks::max());
  }
  CHECK(begun == 2);
  REQUIRE(bench.transport.started.size() == 1);
  bench.transport.complete(bench.transport.started[0]);
  loop.turn(Duration::max());
  CHECK(bench.reports == Reports{"a accepted"});
}

TEST_CASE("a start that throws has sent nothing, and is repeated in its time") {
  Bench bench({.deadline = seconds(10)});
  bench.transport.throws = true;
  bench.submit("a");
  bench.turn();
  bench.turn();
  CHECK(bench.reports.empty());
  SUBCASE("until it works") {
    bench.transport.throws = false;
    for (int i = 0; i < 20 && bench.transport.started.empty(); ++i) bench.pass(milliseconds(100));
    REQUIRE(bench.transport.started.size() == 1);
    bench.transport.complete(bench.transport.started[0]);
    bench.turn();
    CHECK(bench.reports == Reports{"a accepted"});
  }
  SUBCASE("until its end") {
    for (int i = 0; i < 20; ++i) bench.pass(seconds(1));
    CHECK(bench.reports == Reports{"a network not_sent"});
    CHECK(bench.loop.idle());
  }
}

TEST_CASE("no more requests are out than the settings allow, those that wait to be repeated not counted") {
  Bench bench({.submit = {.max_in_flight = 2}});
  for (int i = 0; i < 30; ++i) bench.submit("m", "g" + std::to_string(i));
  bench.turn();
  bench.turn();
  REQUIRE(bench.transport.started.size() == 2);
  CHECK(bench.transport.waits.back() > Duration::zero());
  bench.transport.complete(bench.transport.started[0], http::Response{.status = 503});
  bench.turn();
  CHECK(bench.transport.started.size() == 3);
  bench.pass(seconds(5));
  CHECK(bench.transport.started.size() == 3);
  bench.transport.complete(bench.transport.started[1]);
  bench.turn();
  CHECK(bench.reports.size() == 10);
  CHECK(bench.transport.started.size() == 4);
  CHECK(bench.observer.count(EventKind::retry) == 1);
}

TEST_CASE("abort cancels what is out, breaks off what waits, and ends when nothing is under way any more") {
  Bench bench({.submit = {.max_in_flight = 4}});
  for (int i = 10; i < 31; ++i) bench.submit("m" + std::to_string(i), "g" + std::to_string(i));
  bench.turn();
  bench.turn();
  REQUIRE(bench.transport.started.size() == 3);
  bench.transport.complete(bench.transport.started[0], http::Response{.status = 503});
  bench.turn();
  bench.state.machine.close();
  bench.state.machine.end_queued({.kind = ErrorKind::closed, .message = "closed"});
  bench.loop.abort();
  bench.turn();
  CHECK(bench.transport.cancelled.size() == 2);
  REQUIRE(bench.reports.size() == 10);
  for (const std::string& report : bench.reports) CHECK(report.ends_with(" cancelled rejected"));
  bench.transport.complete(bench.transport.started[1],
                           Error{.kind = ErrorKind::cancelled, .delivery = DeliveryState::unknown, .message = "c"});
  bench.turn();
  const std::size_t answered = bench.reports.size();
  CHECK(answered == 10 + bench.transport.bodies[1].size() / 3);
  CHECK(bench.reports.back().ends_with(" cancelled unknown"));
  CHECK_FALSE(bench.loop.idle());
  bench.pass(seconds(1));
  CHECK(bench.reports.size() == 21);
  CHECK(bench.reports.back().ends_with(" cancelled unknown"));
  CHECK(bench.loop.idle());
  CHECK(bench.state.machine.idle());
}

TEST_CASE("a callback that throws is observed, and the others are told") {
  Bench bench;
  bench.submit("a", "a", [](const PublishResult&) { throw std::runtime_error("thrown"); });
  bench.submit("b", "b");
  bench.turn();
  bench.turn();
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.observer.count(EventKind::callback_threw) == 1);
  CHECK(bench.reports == Reports{"b accepted"});
  CHECK(bench.state.machine.ledger().accepted == 2);
}

TEST_CASE("a loop that is asked for less waits less, and does not wait while there is something to do") {
  Bench bench({.submit = {.linger = milliseconds(500)}});
  bench.loop.turn(milliseconds(7));
  CHECK(bench.transport.waits.back() == milliseconds(7));
  bench.turn();
  CHECK(bench.transport.waits.back() > std::chrono::hours(1000));
  bench.submit("a", "a");
  bench.turn();
  CHECK(bench.transport.waits.back() == milliseconds(500));
  bench.submit("b", "b", [&](const PublishResult&) {
    for (int i = 0; i < 10; ++i) bench.submit("m", "g" + std::to_string(i));
  });
  bench.pass(milliseconds(500));
  bench.turn();
  REQUIRE(bench.transport.started.size() == 1);
  bench.transport.complete(bench.transport.started[0]);
  bench.turn();
  CHECK(bench.reports == Reports{"a accepted"});
  bench.turn();
  CHECK(bench.transport.started.size() == 2);
}
