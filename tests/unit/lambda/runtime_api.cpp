#include <dmq/lambda/runtime_api.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/recording_observer.hpp>
#include <dmq/testing/scripted_transport.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::http::Method;
using dmq::http::Request;
using dmq::lambda::RuntimeOptions;
using dmq::testing::ManualClock;
using dmq::testing::RecordingObserver;
using dmq::testing::ScriptedTransport;

namespace {

/// Sleeps at once, and remembers.
class HastyClock : public ManualClock {
 public:
  HastyClock() = default;
  bool sleep_for(dmq::Duration duration, std::stop_token stop) const {
    slept->push_back(duration);
    return !stop.stop_requested();
  }
  std::shared_ptr<std::vector<dmq::Duration>> slept = std::make_shared<std::vector<dmq::Duration>>();
};

struct Bench {
  ScriptedTransport transport{};
  HastyClock clock{};
  RecordingObserver observer{};
  dmq::lambda::RuntimeApi<ScriptedTransport, HastyClock, RecordingObserver> api{
      transport, RuntimeOptions{.address = "127.0.0.1:9001"}, clock, observer};
};

dmq::http::Response invocation() {
  dmq::http::Response response{.status = 200, .body = "{\"a\":1}"};
  response.headers.add("Lambda-Runtime-Aws-Request-Id", "id-1");
  return response;
}

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"};

}  // namespace

TEST_CASE("the address of the runtime API is in the environment") {
  const auto from = [](std::string value) {
    return RuntimeOptions::from_env(Environment::of({{"AWS_LAMBDA_RUNTIME_API", std::move(value)}}));
  };
  CHECK(from("127.0.0.1:9001").value().address == "127.0.0.1:9001");
  CHECK(from("").error().kind == ErrorKind::configuration);
  CHECK(from("").error().message ==
        "environment variable AWS_LAMBDA_RUNTIME_API is not set; it should be HOST:PORT of the runtime API; Lambda "
        "sets it");
  CHECK(from("127.0.0.1:x").error().message ==
        "AWS_LAMBDA_RUNTIME_API should be HOST:PORT: its port must be between 1 and 65535");
}

TEST_CASE("the next invocation is asked for without a time limit") {
  Bench bench;
  bench.transport.reply(invocation());
  const auto next = bench.api.next().value();
  CHECK(next.request_id == "id-1");
  CHECK(next.event == "{\"a\":1}");
  const Request request = bench.transport.requests().at(0);
  CHECK(request.method == Method::get);
  CHECK(request.url == "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next");
  CHECK(request.body.empty());
  CHECK(request.timeout == 24h * 24);
}

TEST_CASE("an answer goes to its invocation") {
  Bench bench;
  bench.transport.reply({.status = 202}).reply({.status = 202});
  CHECK(bench.api.respond("id-1", "{\"ok\":true}").has_value());
  CHECK(bench.api.respond("../a b", "{}").has_value());
  const Request request = bench.transport.requests().at(0);
  CHECK(request.method == Method::post);
  CHECK(request.url == "http://127.0.0.1:9001/2018-06-01/runtime/invocation/id-1/response");
  CHECK(request.headers.get("Content-Type") == "application/json");
  CHECK_FALSE(request.headers.find("Lambda-Runtime-Function-Error-Type").has_value());
  CHECK(request.body == "{\"ok\":true}");
  CHECK(bench.transport.requests().at(1).url ==
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/..%2Fa%20b/response");
}

TEST_CASE("an error goes to its invocation, or says that the function can't start") {
  Bench bench;
  bench.transport.reply({.status = 202}).reply({.status = 202});
  CHECK(bench.api.fail("id-1", Error{.message = "bad event"}).has_value());
  CHECK(bench.api.fail_init(dmq::configuration_error("no table")).has_value());
  const Request failed = bench.transport.requests().at(0);
  CHECK(failed.url == "http://127.0.0.1:9001/2018-06-01/runtime/invocation/id-1/error");
  CHECK(failed.headers.get("Lambda-Runtime-Function-Error-Type") == "Function.protocol");
  CHECK(failed.body == R"({"errorMessage":"protocol (not_sent): bad event","errorType":"Function.protocol",)"
                       R"("stackTrace":[]})");
  const Request init = bench.transport.requests().at(1);
  CHECK(init.url == "http://127.0.0.1:9001/2018-06-01/runtime/init/error");
  CHECK(init.headers.get("Lambda-Runtime-Function-Error-Type") == "Runtime.configuration");
}

TEST_CASE("what fails for a passing reason is repeated after a back-off, and told of") {
  Bench bench;
  bench.transport.reply(lost).reply({.status = 503}).reply({.status = 429}).reply(invocation());
  CHECK(bench.api.next().value().request_id == "id-1");
  CHECK(bench.transport.count() == 4);
  const auto& slept = *bench.clock.slept;
  REQUIRE(slept.size() == 3);
  CHECK(slept[0] <= 50ms);
  CHECK(slept[1] <= 100ms);
  CHECK(slept[2] <= 200ms);
  const auto events = bench.observer.events();
  REQUIRE(events.size() == 3);
  CHECK(events[1].kind == EventKind::attempt_failed);
  CHECK(events[1].operation == "next");
  CHECK(events[1].attempt == 2);
  CHECK(events[1].http_status == 503);
}

TEST_CASE("it gives up after five attempts") {
  Bench bench;
  bench.transport.otherwise([](const Request&) { return lost; });
  const auto failed = bench.api.respond("id-1", "{}");
  CHECK(failed.error().kind == ErrorKind::network);
  CHECK(failed.error().attempts == 5);
  CHECK(bench.transport.count() == 5);
  CHECK(bench.observer.count(EventKind::attempt_failed) == 4);
  CHECK(bench.observer.count(EventKind::failed) == 1);
}

TEST_CASE("a 500 and a refusal are not repeated") {
  for (const int status : {500, 400, 403, 404, 413, 200}) {
    CAPTURE(status);
    Bench bench;
    bench.transport.reply({.status = status});
    const auto failed = bench.api.respond("id-1", "{}");
    REQUIRE_FALSE(failed.has_value());
    CHECK(failed.error().http_status == status);
    CHECK(failed.error().message == "the runtime API answered response with " + std::to_string(status));
    CHECK(failed.error().delivery == (status == 500 ? DeliveryState::unknown : DeliveryState::rejected));
    CHECK(bench.transport.count() == 1);
    CHECK(bench.clock.slept->empty());
  }
}

TEST_CASE("a stop ends the wait for an invocation, and one between attempts") {
  Bench bench;
  std::stop_source stop;
  bench.transport.block();
  auto next = std::async(std::launch::async, [&] { return bench.api.next(stop.get_token()); });
  bench.transport.block_until(1);
  stop.request_stop();
  CHECK(next.get().error().kind == ErrorKind::cancelled);
  bench.transport.release();
  bench.transport.otherwise([](const Request&) { return lost; });
  CHECK(bench.api.next(stop.get_token()).error().kind == ErrorKind::cancelled);
  CHECK(bench.transport.count() == 2);
}
