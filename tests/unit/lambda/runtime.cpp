#include <dmq/lambda/runtime.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <future>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <dmq/lambda/sqs_function.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>
#include <support/lambda_events.hpp>
#include <support/parser.hpp>

using namespace std::chrono_literals;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Result;
using dmq::http::Request;
using dmq::http::Response;
using dmq::lambda::Invocation;
using dmq::lambda::RuntimeApi;
using dmq::lambda::RuntimeOptions;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;

namespace {

/// A runtime API with a list of invocations, after which it answers 500, or stops the runtime.
struct Bench {
  ScriptedTransport transport{};
  ManualClock clock{};
  std::stop_source stop{};
  RuntimeApi<ScriptedTransport, ManualClock> api{transport, RuntimeOptions{.address = "127.0.0.1:9001"}, clock};

  Bench& invoke(const std::string& id, std::string event, const std::string& trace = {}) {
    Response response{.status = 200, .body = std::move(event)};
    response.headers.add("Lambda-Runtime-Aws-Request-Id", id);
    response.headers.add("Lambda-Runtime-Deadline-Ms", "1767225603000");  // 3 s from the clock's start.
    if (!trace.empty()) response.headers.add("Lambda-Runtime-Trace-Id", trace);
    transport.reply(std::move(response));
    return *this;
  }
  Bench& accept(int status = 202) {
    transport.reply({.status = status});
    return *this;
  }
  Bench& end() {
    transport.reply([this](const Request&) -> Result<Response> {
      stop.request_stop();
      return Error{.kind = ErrorKind::cancelled};
    });
    return *this;
  }
  template <class F>
  Result<void> run(F function) {
    return dmq::lambda::run(api, std::move(function), stop.get_token());
  }
  /// The last part of each request's path, with its body behind it.
  std::vector<std::string> told() const {
    std::vector<std::string> lines;
    for (const Request& request : transport.requests())
      lines.push_back(request.url.substr(request.url.find("/runtime/") + 9) + " " + request.body);
    return lines;
  }
};

const auto echo = [](const Invocation& invocation) -> Result<std::string> { return invocation.event; };

}  // namespace

TEST_CASE("each invocation is answered, until the runtime is stopped") {
  Bench bench;
  bench.invoke("1", "{\"a\":1}").accept().invoke("2", "{}").accept().end();
  CHECK(bench.run(echo).has_value());
  CHECK(bench.told() == std::vector<std::string>{"invocation/next ", "invocation/1/response {\"a\":1}",
                                                 "invocation/next ", "invocation/2/response {}", "invocation/next "});
}

TEST_CASE("an error and an exception fail their invocation only") {
  Bench bench;
  bench.invoke("1", "error").accept().invoke("2", "throw").accept().invoke("3", "ours").accept();
  bench.invoke("4", "{}").accept().end();
  const auto function = [](const Invocation& invocation) -> Result<std::string> {
    if (invocation.event == "error") return dmq::configuration_error("no table");
    if (invocation.event == "throw") throw std::runtime_error("broken");
    if (invocation.event == "ours") throw dmq::Exception(dmq::invalid_argument("odd"));
    return std::string("{}");
  };
  CHECK(bench.run(function).has_value());
  const auto told = bench.told();
  REQUIRE(told.size() == 9);
  CHECK(told[1] == R"(invocation/1/error {"errorMessage":"configuration (not_sent): no table",)"
                   R"("errorType":"Function.configuration","stackTrace":[]})");
  CHECK(told[3].find("the function threw: broken") != std::string::npos);
  CHECK(told[5].find("Function.invalid_argument") != std::string::npos);
  CHECK(told[7] == "invocation/4/response {}");
}

TEST_CASE("each invocation has its own trace id in the environment") {
  Bench bench;
  bench.invoke("1", "{}", "Root=1-a").accept().invoke("2", "{}").accept().invoke("3", "{}", "Root=1-c").accept().end();
  std::vector<std::string> seen;
  const auto function = [&](const Invocation&) -> Result<std::string> {
    const char* trace = std::getenv("_X_AMZN_TRACE_ID");
    seen.emplace_back(trace == nullptr ? "none" : trace);
    return std::string("{}");
  };
  CHECK(bench.run(function).has_value());
  CHECK(seen == std::vector<std::string>{"Root=1-a", "none", "Root=1-c"});
}

TEST_CASE("an answer that is refused becomes an error of its invocation") {
  for (const int refused_with : {202, 400}) {
    Bench bench;
    bench.invoke("1", "huge").accept(413).accept(refused_with).invoke("2", "{}").accept().end();
    CHECK(bench.run(echo).has_value());
    const auto told = bench.told();
    REQUIRE(told.size() == 6);
    CHECK(told[2].starts_with("invocation/1/error "));
    CHECK(told[2].find("answered response with 413") != std::string::npos);
    CHECK(told[4] == "invocation/2/response {}");
  }
}

TEST_CASE("a 500 ends the runtime with an error, wherever it comes") {
  {
    Bench bench;
    bench.accept(500);
    CHECK(bench.run(echo).error().http_status == 500);
    CHECK(bench.transport.count() == 1);
  }
  {
    Bench bench;
    bench.invoke("1", "{}").accept(500);
    CHECK(bench.run(echo).error().http_status == 500);
    CHECK(bench.transport.count() == 2);
  }
  {
    Bench bench;
    bench.invoke("1", "huge").accept(413).accept(500);
    CHECK(bench.run(echo).error().http_status == 500);
    CHECK(bench.transport.count() == 3);
  }
}

TEST_CASE("a runtime API that refuses to give work, or gives what can't be answered, ends the runtime") {
  Bench refuses;
  refuses.accept(403);
  CHECK(refuses.run(echo).error().kind == ErrorKind::authorization);
  Bench nameless;
  nameless.invoke("", "{}");
  CHECK(nameless.run(echo).error().kind == ErrorKind::protocol);
}

TEST_CASE("a stop ends the wait at once") {
  Bench bench;
  bench.transport.block();
  auto running = std::async(std::launch::async, [&] { return bench.run(echo); });
  bench.transport.block_until(1);
  bench.stop.request_stop();
  CHECK(running.get().has_value());
}

TEST_CASE("a stop while an invocation is handled comes after its answer") {
  Bench bench;
  bench.invoke("1", "{}").accept();
  const auto function = [&](const Invocation&) -> Result<std::string> {
    bench.stop.request_stop();
    return std::string("{}");
  };
  CHECK(bench.run(function).has_value());
  CHECK(bench.told() == std::vector<std::string>{"invocation/next ", "invocation/1/response {}"});
}

TEST_CASE("a stopped runtime takes no work") {
  Bench bench;
  bench.stop.request_stop();
  CHECK(bench.run(echo).has_value());
  CHECK(bench.transport.count() == 0);
}

TEST_CASE("the function of a queue answers its events within the time of each invocation") {
  Bench bench;
  const auto event = support::sqs_event({{"a1", "a"}, {"a2", "a"}, {"b1", "b"}, {"b2", "b"}});
  bench.invoke("1", event).accept().invoke("2", "{\"Records\":7}").accept().end();
  std::vector<std::string> seen;
  const auto handler = [&](const dmq::Delivery& delivery) -> Result<void> {
    CHECK(delivery.remaining(bench.clock.ticks()) == 3s - 1s * static_cast<int>(seen.size()));
    seen.push_back(delivery.message_id);
    bench.clock.advance(1s);
    if (delivery.message_id == "a1") return dmq::invalid_argument("no");
    return {};
  };
  CHECK(bench.run(dmq::lambda::sqs_function(support::parse, handler, 1500ms, bench.clock)).has_value());
  CHECK(seen == std::vector<std::string>{"a1", "b1"});
  const auto told = bench.told();
  REQUIRE(told.size() == 5);
  CHECK(told[1] == R"(invocation/1/response {"batchItemFailures":[{"itemIdentifier":"a1"},{"itemIdentifier":"a2"},)"
                   R"({"itemIdentifier":"b2"}]})");
  CHECK(told[3] == R"(invocation/2/error {"errorMessage":"protocol (not_sent): this is not an SQS event: it has no )"
                   R"(list of Records","errorType":"Function.protocol","stackTrace":[]})");
}
