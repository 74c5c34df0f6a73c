#include <dmq/lambda/invocation.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string_view>

#include <dmq/testing/manual_clock.hpp>

using namespace std::chrono_literals;
using dmq::lambda::read_invocation;
using dmq::testing::ManualClock;

namespace {

dmq::http::Response next(std::string_view deadline) {
  dmq::http::Response response{.status = 200, .body = "{}"};
  response.headers.add("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
  response.headers.add("Lambda-Runtime-Deadline-Ms", deadline);
  return response;
}

constexpr dmq::Instant now = ManualClock::default_start;  // 2026-01-01T00:00:00Z

}  // namespace

TEST_CASE("an invocation is read with all that the runtime API says of it") {
  dmq::http::Response response = next("1767225603500");
  response.headers.add("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f");
  response.headers.add("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1");
  response.headers.add("Lambda-Runtime-Client-Context", "{\"a\":1}");
  response.headers.add("Lambda-Runtime-Cognito-Identity", "{\"b\":2}");
  const auto invocation = read_invocation(std::move(response), now).value();
  CHECK(invocation.request_id == "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
  CHECK(invocation.event == "{}");
  CHECK(invocation.deadline == now.ticks + 3500ms);
  CHECK(invocation.function_arn == "arn:aws:lambda:eu-west-1:123456789012:function:f");
  CHECK(invocation.trace_id == "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1");
  CHECK(invocation.client_context == "{\"a\":1}");
  CHECK(invocation.cognito_identity == "{\"b\":2}");
}

TEST_CASE("a deadline that has passed is one") {
  CHECK(read_invocation(next("1767225599000"), now).value().deadline == now.ticks - 1s);
}

TEST_CASE("without a usable deadline an invocation has none") {
  for (const std::string_view text : {"", "soon", "0", "-1", "9223372036854775807", "99999999999999999999", "1.5"}) {
    CAPTURE(text);
    CHECK(read_invocation(next(text), now).value().deadline == dmq::Ticks::max());
  }
}

TEST_CASE("an invocation without a request id can't be answered") {
  dmq::http::Response response{.status = 200, .body = "{}"};
  const auto refused = read_invocation(std::move(response), now);
  CHECK(refused.error().kind == dmq::ErrorKind::protocol);
  CHECK(refused.error().message == "the runtime API gave an invocation without a request id");
}
