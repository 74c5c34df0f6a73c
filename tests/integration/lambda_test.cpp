// The loop over the runtime API, over real sockets: in the process of the test, and the program lambda_consumer.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/lambda/runtime.hpp>
#include <dmq/lambda/sqs_function.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <support/lambda_events.hpp>
#include <support/lambda_runtime_api.hpp>
#include <support/parser.hpp>

#ifdef DMQ_LAMBDA_CONSUMER
#include <support/lambda_program.hpp>
#endif

using namespace std::chrono_literals;
using dmq::http::CurlTransport;
using support::failed_ids;
using support::LambdaRuntimeApi;
using support::sqs_event;
using Ids = std::vector<std::string>;

namespace {

/// Goes on without sleeping.
class HastyClock : public dmq::testing::ManualClock {
 public:
  bool sleep_for(dmq::Duration duration, std::stop_token stop) const {
    HastyClock(*this).advance(duration);
    return !stop.stop_requested();
  }
};

std::int64_t milliseconds(dmq::WallTime at) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

/// A runtime on a thread of its own.
template <class Function>
auto start(const LambdaRuntimeApi& server, HastyClock clock, Function function, std::stop_token stop) {
  return std::async(std::launch::async, [address = server.address(), clock, function, stop]() mutable {
    dmq::lambda::RuntimeApi api(CurlTransport(), {.address = address}, clock);
    return dmq::lambda::run(api, std::move(function), stop);
  });
}

}  // namespace

TEST_CASE("lambda: failures, slow handlers, malformed events and a weary runtime API, in one process") {
  LambdaRuntimeApi server;
  HastyClock clock;
  std::stop_source stop;
  const auto handler = [clock](const dmq::Delivery& delivery) mutable {
    if (delivery.body == "slow") clock.advance(2s);
    if (delivery.body == "bad") throw std::runtime_error("as the test says");
  };
  auto runtime =
      start(server, clock, dmq::lambda::sqs_function(support::parse, handler, 500ms, clock), stop.get_token());
  for (int i = 0; i < 2'000; ++i) {
    const std::string id = std::to_string(i);
    const std::int64_t deadline = milliseconds(clock.now() + 3s);
    if (i % 20 == 0) server.queue({.next_status = 503});
    LambdaRuntimeApi::Outcome outcome;
    switch (i % 4) {
      case 0:
        outcome = server.invoke({id, sqs_event({{"a", "g", "x"}, {"b", "h", "bad"}, {"c", "h", "x"}}), deadline});
        CHECK(failed_ids(outcome.body) == Ids{"b", "c"});
        break;
      case 1:
        outcome = server.invoke({id, sqs_event({{"a", "g", "slow"}, {"b", "g", "slow"}, {"c", "h", "x"}}), deadline});
        CHECK(failed_ids(outcome.body) == Ids{"c"});
        break;
      case 2:
        outcome = server.invoke({id, R"({"Records":[{"messageId":"a"}]})", deadline});
        CHECK(outcome.kind == "error");
        CHECK(outcome.error_type == "Function.protocol");
        continue;
      default:
        outcome = server.invoke({id, sqs_event({{"a", "g", "x"}}), milliseconds(clock.now() - 1s)});
        CHECK(failed_ids(outcome.body) == Ids{"a"});
    }
    CHECK(outcome.kind == "response");
  }
  server.block_until_idle();
  stop.request_stop();
  CHECK(runtime.get().has_value());
  CHECK(server.strays() == 0);
}

TEST_CASE("lambda: an answer that is too large becomes an error, and the runtime goes on") {
  LambdaRuntimeApi server;
  std::stop_source stop;
  const auto function = [](const dmq::lambda::Invocation& invocation) -> dmq::Result<std::string> {
    if (invocation.event == "trace") return std::string(std::getenv("_X_AMZN_TRACE_ID"));
    return std::string(invocation.event == "huge" ? 7U * 1024 * 1024 : 2, 'x');
  };
  auto runtime = start(server, HastyClock(), function, stop.get_token());
  const auto outcome = server.invoke({.id = "1", .event = "huge"});
  CHECK(outcome.kind == "error");
  CHECK(outcome.body.find("413") != std::string::npos);
  CHECK(server.invoke({.id = "2", .event = "{}"}).body == "xx");
  CHECK(server.invoke({.id = "3", .event = "trace", .trace_id = "Root=1-abc"}).body == "Root=1-abc");
  server.block_until_idle();
  stop.request_stop();
  CHECK(runtime.get().has_value());
}

#ifdef DMQ_LAMBDA_CONSUMER

using support::LambdaProgram;

namespace {

const std::string payload = R"({"card":"4111-1111"})";
const std::string poison = R"({"card":"4111-1111")";

// Sanitizers keep freed memory for a while.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

std::ptrdiff_t lines(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace

TEST_CASE("lambda program: prints a line for each message and never a body") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  const auto outcome = server.invoke({.id = "1", .event = sqs_event({{"m1", "g\nh", payload}, {"m2", "i", payload}})});
  CHECK(outcome.kind == "response");
  CHECK(outcome.body == R"({"batchItemFailures":[]})");
  server.block_until_idle();
  CHECK(program.stop() == 0);
  CHECK(program.output() ==
        "message=m1 group=g\\nh sequence=10001 received=1 attributes=0 bytes=20\n"
        "message=m2 group=i sequence=10002 received=1 attributes=0 bytes=20\n");
  CHECK(program.errors().empty());
}

TEST_CASE("lambda program: what is not JSON fails, with what follows in its group and nothing else") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  const std::vector<support::EventRecord> records = {{"a1", "a", payload}, {"b1", "b", payload}, {"a2", "a", poison},
                                                     {"b2", "b", payload}, {"a3", "a", payload}, {"b3", "b", payload}};
  CHECK(failed_ids(server.invoke({.id = "1", .event = sqs_event(records)}).body) == Ids{"a2", "a3"});
  const std::string standard = sqs_event(records, support::standard_arn);
  CHECK(failed_ids(server.invoke({.id = "2", .event = standard}).body) == Ids{"a2"});
  CHECK(program.stop() == 0);
  CHECK(lines(program.output()) == 4 + 5);
  CHECK(program.errors().find("a2") != std::string::npos);
  CHECK(program.errors().find("corked") != std::string::npos);
  CHECK((program.output() + program.errors()).find("4111") == std::string::npos);
}

TEST_CASE("lambda program: with too little time left nothing is handled") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  const std::int64_t soon = milliseconds(dmq::SystemClock().now() + 400ms);
  const auto outcome = server.invoke({"1", sqs_event({{"a", "g", payload}, {"b", "h", payload}}), soon});
  CHECK(failed_ids(outcome.body) == Ids{"a", "b"});
  CHECK(program.stop() == 0);
  CHECK(program.output().empty());
}

TEST_CASE("lambda program: what is no SQS event is an error of its invocation") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  for (const char* event : {"", "{", "null", "{\"Records\":{}}", "{\"Records\":[{\"eventSource\":\"aws:s3\"}]}"}) {
    CAPTURE(event);
    const auto outcome = server.invoke({.id = std::string("e") + event, .event = event});
    CHECK(outcome.kind == "error");
    CHECK(outcome.error_type == "Function.protocol");
    CHECK(outcome.body.find("this is not an SQS event") != std::string::npos);
  }
  CHECK(server.invoke({.id = "2", .event = sqs_event({{"m", "g", payload}})}).kind == "response");
  CHECK(program.stop() == 0);
}

TEST_CASE("lambda program: ends with an exit code when the runtime API fails it") {
  SUBCASE("a 500 to next") {
    LambdaRuntimeApi server;
    LambdaProgram program(server.address());
    server.queue({.next_status = 500});
    CHECK(program.wait() == 1);
    CHECK(program.errors().find("the runtime API answered next with 500") != std::string::npos);
  }
  SUBCASE("a 500 to an answer") {
    LambdaRuntimeApi server;
    LambdaProgram program(server.address());
    server.queue({.id = "1", .event = sqs_event({{"m", "g", payload}}), .response_status = 500});
    CHECK(program.wait() == 1);
    CHECK(program.errors().find("the runtime API answered response with 500") != std::string::npos);
  }
  SUBCASE("nobody there") {
    std::string address;
    address = LambdaRuntimeApi().address();
    LambdaProgram program(address);
    CHECK(program.wait() == 1);
    CHECK(program.errors().find("[5 attempts]") != std::string::npos);
  }
  SUBCASE("no address") {
    LambdaProgram program("");
    CHECK(program.wait() == 1);
    CHECK(program.errors().find("AWS_LAMBDA_RUNTIME_API is not set") != std::string::npos);
  }
}

TEST_CASE("lambda program: SIGTERM while it waits ends it at once, and well") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  server.block_until_idle();
  CHECK(program.stop(SIGTERM) == 0);
  CHECK(program.errors().empty());
}

TEST_CASE("lambda program: ten thousand invocations in flat memory") {
  LambdaRuntimeApi server;
  LambdaProgram program(server.address());
  std::vector<support::EventRecord> records;
  for (int i = 0; i < 10; ++i) records.push_back({"m" + std::to_string(i), "g" + std::to_string(i % 3), payload});
  const std::string good = sqs_event(records);
  records[4].body = poison;
  const std::string bad = sqs_event(records);
  constexpr int count = sanitized ? 2'000 : 10'000;
  long early = 0;
  for (int i = 0; i < count; ++i) {
    if (i % 1000 == 999) server.queue({.next_status = 503});
    const std::string id = std::to_string(i);
    LambdaRuntimeApi::Outcome outcome;
    switch (i % 10) {
      case 3:
        outcome = server.invoke({.id = id, .event = bad});
        REQUIRE(failed_ids(outcome.body) == Ids{"m4", "m7"});
        break;
      case 5: REQUIRE(server.invoke({.id = id, .event = good.substr(0, 900)}).kind == "error"); break;
      case 7: REQUIRE(failed_ids(server.invoke({id, good, 1'767'225'600'000}).body).size() == 10); break;
      default: REQUIRE(server.invoke({.id = id, .event = good}).body == R"({"batchItemFailures":[]})");
    }
    if (i == count / 5) early = program.resident();
  }
  const long late = program.resident();
  CHECK(program.stop() == 0);
  CHECK(server.strays() == 0);
  if (!sanitized) CHECK(late < early + 1024);
  CHECK(lines(program.output()) == count / 10 * (7 * 10 + 8));
  MESSAGE("CPU of an invocation with ten messages: ", program.cpu().count() / count, " us; resident ", early,
          " kB after a fifth of ", count, " invocations, ", late, " kB at their end");
}

#endif
