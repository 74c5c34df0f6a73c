#include <dmq/testing/faults.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <support/cloud.hpp>

using dmq::testing::Fault;
using dmq::testing::Faults;
namespace http = dmq::http;

namespace {

http::Request gateway_request() {
  return {.method = http::Method::post, .url = "http://127.0.0.1:9324/v1/publish-queue"};
}

}  // namespace

TEST_CASE("a fault comes as often as its rate says, and is counted") {
  Faults faults(7);
  CHECK_FALSE(faults.draw());
  faults.set_rate(Fault::throttle, 0.25);
  constexpr int draws = 10'000;
  int seen = 0;
  for (int i = 0; i < draws; ++i)
    if (const auto fault = faults.draw()) {
      CHECK(*fault == Fault::throttle);
      ++seen;
    }
  CHECK(std::abs(seen - draws / 4) < 200);
  CHECK(faults.count(Fault::throttle) == static_cast<std::uint64_t>(seen));
  CHECK(faults.count(Fault::lost_reply) == 0);
}

TEST_CASE("a rate of one always hits, what is drawn first goes first") {
  Faults faults(1);
  faults.set_rate(Fault::internal_error, 1);
  CHECK(faults.draw() == Fault::internal_error);
  faults.set_rate(Fault::lost_request, 1);
  CHECK(faults.draw() == Fault::lost_request);
}

TEST_CASE("the same seed draws the same faults") {
  const auto drawn = [](std::uint64_t seed) {
    Faults faults(seed);
    faults.set_rate(Fault::lost_reply, 0.5);
    std::vector<bool> hits;
    for (int i = 0; i < 64; ++i) hits.push_back(faults.draw().has_value());
    return hits;
  };
  CHECK(drawn(3) == drawn(3));
  CHECK(drawn(3) != drawn(4));
}

TEST_CASE("each service refuses in its own shape") {
  const http::Response gateway = dmq::testing::throttled_answer(gateway_request());
  CHECK(gateway.status == 429);
  CHECK(gateway.body == R"({"message":"Too Many Requests"})");
  CHECK(gateway.headers.get("x-amzn-ErrorType") == "TooManyRequestsException");

  const auto sqs_request = support::Cloud::queue_request("SendMessage", "");
  const http::Response sqs = dmq::testing::throttled_answer(sqs_request);
  CHECK(sqs.status == 403);
  CHECK(sqs.body == R"({"__type":"com.amazonaws.sqs#RequestThrottled"})");
  CHECK(sqs.headers.get("x-amzn-query-error") == "RequestThrottled;Sender");

  http::Request query = sqs_request;
  query.headers = {};
  CHECK(dmq::testing::throttled_answer(query).body.find("<Code>RequestThrottled</Code>") != std::string::npos);
  CHECK(dmq::testing::throttled_answer({.url = "http://127.0.0.1:9324/oauth2/token"}).status == 429);
}

TEST_CASE("failures of a service are its own too") {
  CHECK(dmq::testing::failed_answer(gateway_request(), 500).body == R"({"message":"Internal server error"})");
  CHECK(dmq::testing::failed_answer(gateway_request(), 504).body == R"({"message":"Endpoint request timed out"})");
  const http::Response sqs = dmq::testing::failed_answer(support::Cloud::queue_request("SendMessage", ""), 500);
  CHECK(sqs.status == 500);
  CHECK(sqs.headers.get("x-amzn-query-error") == "InternalFailure;Receiver");
}
