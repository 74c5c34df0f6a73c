#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <dmq/consume_settings.hpp>
#include <dmq/publish_settings.hpp>

using dmq::ConsumeSettings;
using dmq::Deduplication;
using dmq::Duration;
using dmq::ErrorKind;
using dmq::PublishSettings;
using dmq::QueueType;
using dmq::ReceiveOptions;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string id() {
  return "id";
}

template <class Settings>
std::string refusal(const Settings& settings) {
  const auto ok = check(settings);
  if (ok) return "";
  CHECK(ok.error().kind == ErrorKind::invalid_argument);
  CHECK(ok.error().delivery == dmq::DeliveryState::not_sent);
  return ok.error().message;
}

}  // namespace

TEST_CASE("a publisher's settings are good as they are, but for the maker of ids") {
  CHECK(refusal(PublishSettings{}).starts_with("new_id is missing"));
  CHECK(refusal(PublishSettings{.new_id = id}) == "");
  CHECK(refusal(PublishSettings{.deduplication = Deduplication::content}) == "");
  CHECK(refusal(PublishSettings{.deduplication = Deduplication::none}) == "");
}

TEST_CASE("a run of a group has 1 to 10 messages") {
  for (const std::size_t count : {1U, 10U})
    CHECK(refusal(PublishSettings{.in_group_batch = count, .new_id = id}) == "");
  for (const std::size_t count : {0U, 11U})
    CHECK(refusal(PublishSettings{.in_group_batch = count, .new_id = id}) == "in_group_batch must be 1 to 10");
}

TEST_CASE("attempts, limits and waits of a publisher make sense") {
  CHECK(refusal(PublishSettings{.retry = {.max_attempts = 0}, .new_id = id}) == "max_attempts must be at least 1");
  CHECK(refusal(PublishSettings{.retry = {.base = seconds(-1)}, .new_id = id}) != "");
  CHECK(refusal(PublishSettings{.retry = {.throttled_base = seconds(-1)}, .new_id = id}) != "");
  CHECK(refusal(PublishSettings{.retry = {.cap = seconds(-1)}, .new_id = id}) != "");
  CHECK(refusal(PublishSettings{.retry = {.base = seconds(0), .cap = seconds(0)}, .new_id = id}) == "");
  CHECK(refusal(PublishSettings{.request_timeout = seconds(0), .new_id = id}) == "time limits must be above zero");
  CHECK(refusal(PublishSettings{.deadline = seconds(0), .new_id = id}) == "time limits must be above zero");
  CHECK(refusal(PublishSettings{.deadline = Duration::max(), .new_id = id}) == "the deadline must be a year at most");
  CHECK(refusal(PublishSettings{.request_timeout = seconds(250), .new_id = id}) == "");
  CHECK(refusal(PublishSettings{.request_timeout = seconds(251), .new_id = id}) != "");
}

TEST_CASE("a consumer's settings need a queue and a maker of ids") {
  CHECK(refusal(ConsumeSettings{.new_id = id}) == "queue_url is empty");
  CHECK(refusal(ConsumeSettings{.queue_url = "u"}).starts_with("new_id is missing"));
  CHECK(refusal(ConsumeSettings{.queue_url = "u", .new_id = id}) == "");
}

TEST_CASE("a lease is 0 s to 12 h long") {
  for (const seconds visibility : {seconds(0), seconds(43200)})
    CHECK(refusal(ConsumeSettings{.queue_url = "u", .visibility = visibility, .new_id = id}) == "");
  for (const seconds visibility : {seconds(-1), seconds(43201), seconds::max(), seconds::min()})
    CHECK(refusal(ConsumeSettings{.queue_url = "u", .visibility = visibility, .new_id = id}) ==
          "visibility must be 0 to 43200 s, not " + std::to_string(visibility.count()));
}

TEST_CASE("settings of a run that can't be kept are refused with the reason and the numbers") {
  const auto with = [](dmq::RunSettings run) {
    return refusal(ConsumeSettings{.queue_url = "u", .visibility = seconds(30), .new_id = id, .run = run});
  };
  CHECK(with({}) == "");
  CHECK(with({.workers = 0}) == "workers must be at least 1");
  CHECK(with({.max_per_receive = 0}) == "max_per_receive must be 1 to 10, not 0");
  CHECK(with({.max_per_receive = 11}) == "max_per_receive must be 1 to 10, not 11");
  for (const auto& [wait, text] : {std::pair{0, "0 s"}, {-1, "-1 s"}, {21, "21 s"}})
    CHECK(with({.wait = seconds(wait)}).starts_with("wait is " + std::string(text) + ", and must be 1 to 20 s"));
  CHECK(with({.heartbeat = seconds(29)}) == "");
  CHECK(with({.heartbeat = seconds(30)}) ==
        "heartbeat is 30 s, and must be below the visibility that it extends, 30 s");
  CHECK(with({.heartbeat = milliseconds(-1)}).starts_with("heartbeat is -1 ms"));
  CHECK(with({.handler_limit = hours(12)}) == "");
  for (const auto& [limit, text] : {std::pair<Duration, const char*>{seconds(0), "0 s"}, {seconds(43201), "43201 s"}})
    CHECK(with({.handler_limit = limit}) ==
          "handler_limit is " + std::string(text) +
              ", and must be above 0 and at most 12 h, the longest that SQS hides a message");
  CHECK(with({.retry_base = seconds(0), .retry_cap = seconds(0)}) == "");
  CHECK(with({.retry_base = seconds(9), .retry_cap = seconds(8)}).ends_with("they are 9 s and 8 s"));
  CHECK(with({.retry_base = seconds(-1)}).ends_with("they are -1 s and 300 s"));
  CHECK(with({.retry_cap = hours(12)}).ends_with("they are 1 s and 43200 s"));
  CHECK(with({.grace = milliseconds(999)}) == "grace must be 1 s to 10 min, not 999 ms");
  CHECK(with({.grace = seconds(601)}) == "grace must be 1 s to 10 min, not 601 s");
  CHECK(with({.stop_deadline = seconds(0)}) == "");
  CHECK(with({.stop_deadline = seconds(-1)}) == "stop_deadline must be 0 to 12 h, not -1 s");
  CHECK(with({.stop_deadline = hours(13)}) == "stop_deadline must be 0 to 12 h, not 46800 s");
}

TEST_CASE("a queue that gives up on a message after one receive must hand out one at a time") {
  const auto with = [](dmq::RunSettings run, const char* url = "u.fifo") {
    return refusal(ConsumeSettings{.queue_url = url, .new_id = id, .run = run});
  };
  CHECK(with({.max_per_receive = 3, .max_receive_count = 1}) ==
        "max_receive_count is 1, and max_per_receive 3: with one message that fails, those received behind it would go "
        "to the dead-letter queue unhandled; allow 2 receives, or set max_per_receive to 1");
  CHECK(with({.max_per_receive = 1, .max_receive_count = 1}) == "");
  CHECK(with({.max_per_receive = 3, .max_receive_count = 2}) == "");
  CHECK(with({.max_per_receive = 3, .max_receive_count = 1}, "u") == "");
  for (const int count : {-1, 1001})
    CHECK(with({.max_receive_count = count}) ==
          "max_receive_count must be 1 to 1000, or 0 where it is not known, not " + std::to_string(count));
}

TEST_CASE("a poll's time limit is above its wait") {
  const auto with = [](seconds limit, seconds wait) {
    return refusal(ConsumeSettings{.queue_url = "u", .new_id = id, .request_timeout = limit, .run = {.wait = wait}});
  };
  CHECK(with(seconds(21), seconds(20)) == "");
  CHECK(with(seconds(20), seconds(20)) == "request_timeout is 20 s, and must be above the wait of a poll, 20 s");
  CHECK(with(seconds(3), seconds(2)) == "");
  CHECK(with(hours(1), seconds(2)) == "");
  CHECK(with(seconds(3601), seconds(2)) == "request_timeout must be 1 h at most, not 3601 s");
}

TEST_CASE("a run needs at least five seconds to keep a lease, a receive does not") {
  ConsumeSettings settings{.queue_url = "u", .visibility = seconds(4), .new_id = id};
  CHECK(refusal(settings) == "");
  REQUIRE_FALSE(check_run(settings));
  CHECK(check_run(settings).error().message == "visibility is 4 s, and run() needs at least 5 s to keep a lease");
  settings.visibility = seconds(5);
  CHECK(check_run(settings));
  settings.run.workers = 0;
  CHECK_FALSE(check_run(settings));
}

TEST_CASE("a receive asks for 1 to 10 messages and waits 0 to 20 s") {
  CHECK(refusal(ReceiveOptions{}) == "");
  CHECK(refusal(ReceiveOptions{.max_messages = 1, .wait = seconds(0)}) == "");
  CHECK(refusal(ReceiveOptions{.max_messages = 0}) == "max_messages must be 1 to 10, not 0");
  CHECK(refusal(ReceiveOptions{.max_messages = 11}) == "max_messages must be 1 to 10, not 11");
  CHECK(refusal(ReceiveOptions{.wait = seconds(-1)}) == "wait must be 0 to 20 s, not -1");
  CHECK(refusal(ReceiveOptions{.wait = seconds(21)}) == "wait must be 0 to 20 s, not 21");
}

TEST_CASE("a FIFO queue is told by its name") {
  CHECK(ConsumeSettings{.queue_url = "https://h/1/q.fifo"}.queue_type() == QueueType::fifo);
  CHECK(ConsumeSettings{.queue_url = "https://h/1/q"}.queue_type() == QueueType::standard);
  CHECK(ConsumeSettings{.queue_url = "https://h/1/q.fifo-not"}.queue_type() == QueueType::standard);
}
