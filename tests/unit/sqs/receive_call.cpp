#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>

#include <dmq/sqs/receive_call.hpp>
#include <dmq/testing/manual_clock.hpp>

using dmq::ErrorKind;
using dmq::http::Response;
using dmq::sqs::ReceiveCall;
using dmq::sqs::ReceiveMessage;
using dmq::sqs::Wire;
using dmq::testing::ManualClock;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

/// A poll whose ids are "1", "2", ...
struct Poll {
  Wire wire{"https://h", parse_json};
  ManualClock clock{};
  int ids = 0;
  ReceiveMessage operation{.queue_url = "u"};
  ReceiveCall<ManualClock> call;

  explicit Poll(seconds visibility)
      : operation{.queue_url = "u", .visibility = visibility},
        call(wire, operation, clock, [this] { return std::to_string(++ids); }) {}

  /// The attempt id of the next request.
  std::string id() {
    const auto request = call.build().value();
    dmq::json::Document document;
    support::parse(request.body, document).value();
    return std::string(document.root()["ReceiveRequestAttemptId"].string().value_or("none"));
  }
};

}  // namespace

TEST_CASE("an id is kept while no answer came, for the time of the lease") {
  Poll poll(seconds(30));
  CHECK(poll.call.name() == "ReceiveMessage");
  CHECK(poll.id() == "1");
  poll.clock.advance(seconds(29));
  CHECK(poll.id() == "1");
  poll.clock.advance(seconds(1));
  CHECK(poll.id() == "2");
  poll.clock.advance(seconds(29));
  CHECK(poll.id() == "2");
}

TEST_CASE("no id is kept for longer than five minutes, or beyond a lease that is not known") {
  Poll poll(std::chrono::hours(12));
  CHECK(poll.id() == "1");
  poll.clock.advance(minutes(5) - seconds(1));
  CHECK(poll.id() == "1");
  poll.clock.advance(seconds(1));
  CHECK(poll.id() == "2");
  Poll unknown(seconds(-1));
  CHECK(unknown.id() == "1");
  CHECK(unknown.id() == "2");
}

TEST_CASE("any answer ends an id") {
  for (const Response& response :
       {Response{.status = 200, .body = "{}"}, Response{.status = 200, .body = "{"},
        Response{.status = 403, .body = R"({"__type":"RequestThrottled"})"}, Response{.status = 500}}) {
    Poll poll(seconds(30));
    CHECK(poll.id() == "1");
    (void)poll.call.parse(response);
    CHECK(poll.id() == "2");
  }
}

TEST_CASE("an id that is not valid any more is a reason to try again, no other refusal is") {
  Poll poll(seconds(30));
  CHECK(poll.id() == "1");
  auto result = poll.call.parse(
      {.status = 400,
       .body = R"({"__type":"com.amazon.coral.service#InvalidParameterValueException","message":"The )"
               R"(receiveRequestAttemptId is not valid anymore since the receive call is not retryable."})"});
  CHECK(result.error().kind == ErrorKind::unavailable);
  CHECK(poll.id() == "2");
  result = poll.call.parse({.status = 400, .body = R"({"__type":"InvalidParameterValueException","message":"no"})"});
  CHECK(result.error().kind == ErrorKind::rejected);
}
