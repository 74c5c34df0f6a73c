#include <dmq/lambda/handle_batch.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/recording_observer.hpp>
#include <support/lambda_events.hpp>
#include <support/parser.hpp>

using namespace std::chrono_literals;
using dmq::Delivery;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::Result;
using dmq::lambda::handle_batch;
using dmq::testing::ManualClock;
using dmq::testing::RecordingObserver;
using support::EventRecord;
using support::failed_ids;
using support::sqs_event;
using Ids = std::vector<std::string>;

namespace {

/// Remembers what it saw, and fails for some ids.
struct Handler {
  Ids fails{};
  Ids seen{};
  Result<void> operator()(const Delivery& delivery) {
    seen.push_back(delivery.message_id);
    if (std::find(fails.begin(), fails.end(), delivery.message_id) == fails.end()) return {};
    return dmq::Error{.kind = ErrorKind::rejected, .message = "not today"};
  }
};

const std::vector<EventRecord> two_groups = {
    {"a1", "a"}, {"b1", "b"}, {"a2", "a"}, {"b2", "b"}, {"a3", "a"}, {"b3", "b"},
};

}  // namespace

TEST_CASE("a batch that is done has no failures") {
  Handler handler;
  CHECK(handle_batch(sqs_event(two_groups), support::parse, handler).value() == R"({"batchItemFailures":[]})");
  CHECK(handler.seen == Ids{"a1", "b1", "a2", "b2", "a3", "b3"});
}

TEST_CASE("an event without messages is done") {
  Handler handler;
  CHECK(handle_batch(R"({"Records":[]})", support::parse, handler).value() == R"({"batchItemFailures":[]})");
}

TEST_CASE("a failure stops its group and no other") {
  Handler handler{.fails = {"a2"}};
  const std::string answer = handle_batch(sqs_event(two_groups), support::parse, handler).value();
  CHECK(answer == R"({"batchItemFailures":[{"itemIdentifier":"a2"},{"itemIdentifier":"a3"}]})");
  CHECK(handler.seen == Ids{"a1", "b1", "a2", "b2", "b3"});
}

TEST_CASE("in a standard queue a failure is that of its message alone") {
  Handler handler{.fails = {"a2"}};
  const auto event = sqs_event(two_groups, support::standard_arn);
  CHECK(failed_ids(handle_batch(event, support::parse, handler).value()) == Ids{"a2"});
  CHECK(handler.seen == Ids{"a1", "b1", "a2", "b2", "a3", "b3"});
}

TEST_CASE("messages of a FIFO queue without a group are one group") {
  Handler handler{.fails = {"x"}};
  CHECK(failed_ids(handle_batch(sqs_event({{"x"}, {"y"}}), support::parse, handler).value()) == Ids{"x", "y"});
}

TEST_CASE("whatever a handler throws is a failure of its message") {
  const auto handler = [](const Delivery& delivery) {
    if (delivery.message_id == "1") throw std::runtime_error("broken");
    if (delivery.message_id == "2") throw 2;
  };
  const auto event = sqs_event({{"1"}, {"2"}, {"3"}}, support::standard_arn);
  CHECK(failed_ids(handle_batch(event, support::parse, handler).value()) == Ids{"1", "2"});
}

TEST_CASE("a damaged message fails without being handled, and stops its group") {
  auto records = two_groups;
  records[2].md5 = "00000000000000000000000000000000";
  Handler handler;
  CHECK(failed_ids(handle_batch(sqs_event(records), support::parse, handler).value()) == Ids{"a2", "a3"});
  CHECK(handler.seen == Ids{"a1", "b1", "b2", "b3"});
}

TEST_CASE("a message that comes twice is reported once") {
  Handler handler{.fails = {"1"}};
  const auto event = sqs_event({{"1"}, {"2"}, {"1"}}, support::standard_arn);
  CHECK(failed_ids(handle_batch(event, support::parse, handler).value()) == Ids{"1"});
}

TEST_CASE("ids are escaped where JSON needs it") {
  Handler handler{.fails = {"a\"\\\n\x01é"}};
  const auto event = sqs_event({{"a\"\\\n\x01é"}});
  CHECK(failed_ids(handle_batch(event, support::parse, handler).value()) == handler.fails);
}

TEST_CASE("what is no SQS event is an error and calls no handler") {
  Handler handler;
  CHECK(handle_batch("{", support::parse, handler).error().kind == ErrorKind::protocol);
  CHECK(handle_batch(R"({"Records":[{}]})", support::parse, handler).error().kind == ErrorKind::protocol);
  auto records = two_groups;
  records[5].id = "";
  CHECK(handle_batch(sqs_event(records), support::parse, handler).error().kind == ErrorKind::protocol);
  CHECK(handler.seen.empty());
}

TEST_CASE("no message is begun when the time gets short, and all that is left is reported") {
  ManualClock clock;
  Ids seen;
  const auto handler = [&](const Delivery& delivery) {
    seen.push_back(delivery.message_id);
    clock.advance(1s);
  };
  const dmq::Ticks deadline = clock.ticks() + 4s;
  // Begun with 4, 3 and 2 s left.
  const auto answer =
      handle_batch(sqs_event(two_groups), support::parse, handler, {.deadline = deadline, .reserve = 2s}, clock);
  CHECK(seen == Ids{"a1", "b1", "a2"});
  CHECK(failed_ids(answer.value()) == Ids{"b2", "a3", "b3"});
}

TEST_CASE("after the deadline nothing is handled") {
  ManualClock clock;
  Handler handler;
  const auto answer = handle_batch(sqs_event(two_groups, support::standard_arn), support::parse, handler,
                                   {.deadline = clock.ticks() - 1s, .reserve = 0s}, clock);
  CHECK(handler.seen.empty());
  CHECK(failed_ids(answer.value()) == Ids{"a1", "b1", "a2", "b2", "a3", "b3"});
}

TEST_CASE("a delivery's lease is the function's time") {
  ManualClock clock;
  std::vector<dmq::Duration> left;
  const auto handler = [&](const Delivery& delivery) { left.push_back(delivery.remaining(clock.ticks())); };
  const auto event = sqs_event({{"1"}});
  CHECK(handle_batch(event, support::parse, handler, {.deadline = clock.ticks() + 30s}, clock).has_value());
  CHECK(left == std::vector<dmq::Duration>{30s});
}

TEST_CASE("an observer hears of each message, and never of a body") {
  ManualClock clock;
  const RecordingObserver observer;
  const auto handler = [&](const Delivery& delivery) {
    clock.advance(100ms);
    if (delivery.message_id == "a1") throw std::runtime_error("out of stock");
  };
  const auto event = sqs_event({{"a1", "a"}, {"a2", "a"}, {"b1", "b", "secret"}, {"b2", "b"}});
  const auto answer = handle_batch(event, support::parse, handler,
                                   {.deadline = clock.ticks() + 650ms, .reserve = 500ms}, clock, observer);
  CHECK(failed_ids(answer.value()) == Ids{"a1", "a2", "b2"});
  const auto events = observer.events();
  REQUIRE(events.size() == 4);
  CHECK(events[0].kind == EventKind::handled);
  CHECK(events[0].operation == "handle_batch");
  CHECK(events[0].message_id == "a1");
  CHECK(events[0].group == "a");
  CHECK(events[0].receive_count == 1);
  CHECK(events[0].duration == 100ms);
  CHECK(events[0].level == dmq::Level::warning);
  CHECK(events[0].error->message == "the handler threw: out of stock");
  CHECK(events[1].kind == EventKind::released);
  CHECK(events[1].message_id == "a2");
  CHECK(events[1].error->kind == ErrorKind::corked);
  CHECK(events[2].kind == EventKind::handled);
  CHECK(events[2].level == dmq::Level::debug);
  CHECK_FALSE(events[2].error.has_value());
  CHECK(events[3].kind == EventKind::released);
  CHECK(events[3].error->kind == ErrorKind::timeout);
}

TEST_CASE("nothing is kept from one batch to the next") {
  Handler handler{.fails = {"a1"}};
  CHECK(failed_ids(handle_batch(sqs_event(two_groups), support::parse, handler).value()) == Ids{"a1", "a2", "a3"});
  handler.fails.clear();
  CHECK(failed_ids(handle_batch(sqs_event(two_groups), support::parse, handler).value()).empty());
}
