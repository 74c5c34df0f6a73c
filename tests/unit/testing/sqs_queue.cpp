#include <dmq/testing/sqs_queue.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include <dmq/testing/manual_clock.hpp>

using namespace std::chrono_literals;
using dmq::testing::HandleVerdict;
using dmq::testing::QueueSettings;
using dmq::testing::QueueType;
using dmq::testing::ReceiveVerdict;
using dmq::testing::Visibility;

namespace {

using Texts = std::vector<std::string>;

/// A queue with a clock, whose messages have their body as deduplication id.
struct Bench {
  explicit Bench(QueueSettings settings = {.type = QueueType::fifo}) : queue("queue-id", settings, 1) {}

  dmq::testing::SqsQueue queue;
  dmq::Instant now = dmq::testing::ManualClock::default_start;
  std::map<std::string, std::string> handles{};  ///< The latest of each body.
  ReceiveVerdict verdict = ReceiveVerdict::done;

  dmq::testing::Accepted send(const std::string& body, std::string group = "") {
    if (group.empty()) group = body.substr(0, body.find('m'));
    return queue.send({.body = body, .group = group, .deduplication_id = body}, {}, now);
  }
  Texts receive(std::size_t max, std::chrono::seconds timeout = 30s, std::string attempt_id = "") {
    Texts bodies;
    const auto outcome = queue.receive({max, timeout, std::move(attempt_id)}, now);
    verdict = outcome.verdict;
    for (const auto& received : outcome.messages) {
      bodies.push_back(received.message.content.body);
      handles[bodies.back()] = received.receipt_handle;
    }
    return bodies;
  }
  HandleVerdict remove(const std::string& body) { return queue.remove(handles.at(body), now); }
  HandleVerdict change(const std::string& body, std::chrono::seconds timeout) {
    return queue.change_visibility(handles.at(body), timeout, now);
  }
};

}  // namespace

TEST_CASE("a FIFO queue drains a group before the next one, and served groups go to the end") {
  Bench bench;
  for (const char* body : {"g1m1", "g2m1", "g2m2", "g3m1", "g1m2"}) bench.send(body);
  CHECK(bench.receive(3, 0s) == Texts{"g1m1", "g1m2", "g2m1"});
  CHECK(bench.receive(10) == Texts{"g3m1", "g1m1", "g1m2", "g2m1", "g2m2"});
  CHECK(bench.receive(10).empty());
}

TEST_CASE("a receive takes the visible beginning of a group") {
  Bench bench;
  for (const char* body : {"gm1", "gm2", "gm3"}) bench.send(body);

  SUBCASE("what is in flight blocks what is behind it, new messages too") {
    CHECK(bench.receive(1) == Texts{"gm1"});
    bench.send("gm4");
    CHECK(bench.receive(10).empty());
  }
  SUBCASE("a message made visible comes back alone while its successor is in flight") {
    CHECK(bench.receive(2) == Texts{"gm1", "gm2"});
    CHECK(bench.change("gm1", 0s) == HandleVerdict::valid);
    CHECK(bench.receive(10) == Texts{"gm1"});
    CHECK(bench.receive(10).empty());
  }
  SUBCASE("an extended message lets only those before it come back") {
    CHECK(bench.receive(3, 10s).size() == 3);
    CHECK(bench.change("gm3", 60s) == HandleVerdict::valid);
    bench.now = bench.now + 10s;
    CHECK(bench.receive(10) == Texts{"gm1", "gm2"});
  }
  SUBCASE("deleting the last one in flight unlocks the group at once") {
    CHECK(bench.receive(2).size() == 2);
    CHECK(bench.remove("gm2") == HandleVerdict::valid);
    CHECK(bench.receive(10).empty());
    CHECK(bench.remove("gm1") == HandleVerdict::valid);
    CHECK(bench.receive(10) == Texts{"gm3"});
  }
  SUBCASE("after the timeout the same come back in order, with other handles") {
    CHECK(bench.receive(2, 30s).size() == 2);
    const auto before = bench.handles;
    bench.now = bench.now + 29s;
    CHECK(bench.receive(10).empty());
    bench.now = bench.now + 1s;
    CHECK(bench.receive(10) == Texts{"gm1", "gm2", "gm3"});
    CHECK(before.at("gm1") != bench.handles.at("gm1"));
    CHECK(bench.queue.messages().front().receive_count == 2);
  }
}

TEST_CASE("a FIFO queue refuses a handle whose visibility has run out, a standard queue honours the latest") {
  for (const QueueType type : {QueueType::fifo, QueueType::standard}) {
    CAPTURE(static_cast<int>(type));
    Bench bench({.type = type});
    const bool fifo = type == QueueType::fifo;
    bench.send("gm1");
    CHECK(bench.receive(1, 5s).size() == 1);
    bench.now = bench.now + 5s;
    CHECK(bench.change("gm1", 7s) == (fifo ? HandleVerdict::expired : HandleVerdict::valid));
    if (!fifo) CHECK(bench.receive(1).empty());
    bench.now = bench.now + 7s;
    const std::string old = bench.handles.at("gm1");
    CHECK(bench.receive(1).size() == 1);
    CHECK(bench.queue.remove(old, bench.now) == (fifo ? HandleVerdict::expired : HandleVerdict::stale));
    CHECK(bench.queue.messages().size() == 1);
    if (!fifo) bench.now = bench.now + 1h;
    CHECK(bench.remove("gm1") == HandleVerdict::valid);
    CHECK(bench.remove("gm1") == HandleVerdict::gone);
    CHECK(bench.queue.messages().empty());
  }
}

TEST_CASE("handles that this queue never gave out are garbage") {
  Bench bench;
  bench.send("gm1");
  CHECK(bench.receive(1).size() == 1);
  CHECK(bench.queue.remove("garbage", bench.now) == HandleVerdict::garbage);
  CHECK(bench.queue.remove("", bench.now) == HandleVerdict::garbage);
  CHECK(bench.queue.remove("Ly8v", bench.now) == HandleVerdict::garbage);
  dmq::testing::SqsQueue other("another-id", {.type = QueueType::fifo}, 1);
  CHECK(other.remove(bench.handles.at("gm1"), bench.now) == HandleVerdict::garbage);
}

TEST_CASE("a message stays invisible for twelve hours at most, counted from its receive") {
  Bench bench;
  bench.send("gm1");
  CHECK(bench.receive(1, 3600s).size() == 1);
  CHECK(bench.change("gm1", 43'200s) == HandleVerdict::valid);
  bench.now = bench.now + 1s;
  CHECK(bench.change("gm1", 43'200s) == HandleVerdict::beyond_limit);
  CHECK(bench.change("gm1", 43'199s) == HandleVerdict::valid);
}

TEST_CASE("duplicates are swallowed for five minutes from the first send, whatever became of it") {
  Bench bench;
  const auto first = bench.send("gm1");
  CHECK(first.sequence_number.size() == 20);
  CHECK(bench.receive(1).size() == 1);
  CHECK(bench.remove("gm1") == HandleVerdict::valid);
  bench.now = bench.now + 299s;
  const auto again = bench.send("gm1");
  CHECK(again.message_id == first.message_id);
  CHECK(again.sequence_number == first.sequence_number);
  CHECK(bench.send("gm1", "other").message_id == first.message_id);
  CHECK(bench.queue.messages().empty());
  bench.now = bench.now + 1s;
  CHECK(bench.send("gm1").message_id != first.message_id);
  CHECK(bench.send("gm2").sequence_number > first.sequence_number);
  bench.queue.purge();
  CHECK(bench.queue.messages().empty());
  CHECK(bench.send("gm1").message_id != first.message_id);
  CHECK(bench.queue.messages().size() == 1);
}

TEST_CASE("in the scope of message groups another group is another message") {
  Bench bench({.type = QueueType::fifo, .deduplication_scope = dmq::testing::DeduplicationScope::message_group});
  const auto first = bench.send("gm1", "a");
  CHECK(bench.send("gm1", "b").message_id != first.message_id);
  CHECK(bench.send("gm1", "a").message_id == first.message_id);
}

TEST_CASE("the content-based id is the body's SHA-256") {
  Bench bench;
  bench.queue.send({.body = "same", .group = "g"}, {}, bench.now);
  CHECK(bench.queue.messages().front().content.deduplication_id ==
        "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5");
}

TEST_CASE("a receive attempt id gives the same messages and handles again, and a full timeout") {
  Bench bench;
  for (const char* body : {"gm1", "gm2", "hm1"}) bench.send(body);
  CHECK(bench.receive(2, 30s, "id") == Texts{"gm1", "gm2"});
  const auto handles = bench.handles;
  bench.now = bench.now + 20s;
  CHECK(bench.receive(2, 30s, "id") == Texts{"gm1", "gm2"});
  CHECK(bench.handles == handles);
  CHECK(bench.queue.messages().front().receive_count == 1);
  CHECK(bench.receive(10, 30s, "other") == Texts{"hm1"});
  bench.now = bench.now + 29s;
  CHECK(bench.queue.count(Visibility::in_flight) == 3);
  CHECK(bench.remove("gm2") == HandleVerdict::valid);

  SUBCASE("not any more when one was deleted") {
    CHECK(bench.receive(2, 30s, "id").empty());
    CHECK(bench.verdict == ReceiveVerdict::attempt_not_valid);
    bench.now = bench.now + 5min;
    CHECK(bench.receive(1, 30s, "id") == Texts{"gm1"});
  }
  SUBCASE("nor when one was changed") {
    CHECK(bench.change("hm1", 0s) == HandleVerdict::valid);
    CHECK(bench.receive(2, 30s, "other").empty());
    CHECK(bench.verdict == ReceiveVerdict::attempt_not_valid);
  }
}

TEST_CASE("a receive attempt id begins anew when the messages are visible again") {
  Bench bench;
  bench.send("gm1");
  CHECK(bench.receive(1, 10s, "id").size() == 1);
  const std::string old = bench.handles.at("gm1");
  bench.now = bench.now + 10s;
  CHECK(bench.receive(1, 10s, "id") == Texts{"gm1"});
  CHECK(bench.verdict == ReceiveVerdict::done);
  CHECK(bench.handles.at("gm1") != old);
}

TEST_CASE("a delayed message blocks its group, and counts as delayed") {
  Bench bench({.type = QueueType::fifo, .delay = 10s});
  bench.send("gm1");
  CHECK(bench.queue.count(Visibility::delayed) == 1);
  CHECK(bench.receive(1).empty());
  bench.now = bench.now + 10s;
  CHECK(bench.queue.next_change() == bench.now.ticks);
  CHECK(bench.receive(1).size() == 1);
  CHECK(bench.queue.count(Visibility::delayed) == 0);
}

TEST_CASE("a message ends with the retention, and its group goes on") {
  Bench bench({.type = QueueType::fifo, .retention = 60s});
  bench.send("gm1");
  CHECK(bench.receive(1, 60s).size() == 1);
  bench.now = bench.now + 30s;
  bench.send("gm2");
  CHECK(bench.change("gm1", 100s) == HandleVerdict::valid);
  CHECK(bench.receive(1).empty());
  bench.now = bench.now + 30s;
  CHECK(bench.receive(1, 1s) == Texts{"gm2"});
  bench.now = bench.now + 30s;
  CHECK(bench.receive(1).empty());
  CHECK(bench.queue.messages().empty());
  CHECK(bench.queue.count(Visibility::visible) == 0);
  CHECK(bench.queue.count(Visibility::in_flight) == 0);
  CHECK_FALSE(bench.queue.next_change());
}

TEST_CASE("a new retention holds for the messages that are there") {
  Bench bench;
  bench.send("gm1");
  bench.now = bench.now + 100s;
  bench.send("gm2");
  QueueSettings settings = bench.queue.settings();
  settings.retention = 60s;
  bench.queue.reconfigure(settings, bench.now);
  CHECK(bench.receive(10) == Texts{"gm2"});
  CHECK(bench.queue.next_change() == (bench.now + 30s).ticks);
}

TEST_CASE("a message from another standard queue expires by its own age, also behind younger ones") {
  Bench bench({.type = QueueType::standard, .retention = 60s});
  dmq::testing::HeldMessage old{.content = {.body = "old"}, .sent = bench.now};
  bench.now = bench.now + 50s;
  bench.send("young");
  bench.queue.adopt(old, "arn", bench.now);
  CHECK(bench.queue.messages().size() == 2);
  bench.now = bench.now + 10s;
  CHECK(bench.receive(10) == Texts{"young"});
}

TEST_CASE("the limit of messages in flight: an error on a standard queue, silence on FIFO") {
  for (const QueueType type : {QueueType::fifo, QueueType::standard}) {
    Bench bench({.type = type, .in_flight_limit = 2});
    for (const char* body : {"gm1", "gm2", "gm3"}) bench.send(body);
    CHECK(bench.receive(10).size() == 2);
    CHECK(bench.receive(10).empty());
    CHECK(bench.verdict == (type == QueueType::fifo ? ReceiveVerdict::done : ReceiveVerdict::over_limit));
  }
}

TEST_CASE("a standard queue has no order to keep and no sequence numbers") {
  Bench bench({.type = QueueType::standard});
  CHECK(bench.send("gm1").sequence_number.empty());
  CHECK(bench.send("gm1").sequence_number.empty());
  CHECK(bench.receive(1).size() == 1);
  CHECK(bench.receive(1).size() == 1);
}

TEST_CASE("a copy of a queue is a world of its own") {
  Bench bench;
  bench.send("gm1");
  Bench fork = bench;
  CHECK(fork.receive(1).size() == 1);
  CHECK(fork.remove("gm1") == HandleVerdict::valid);
  CHECK(bench.receive(1) == Texts{"gm1"});
}

TEST_CASE("the work of a receive does not grow with the groups and messages held") {
  const auto time_receives = [](int groups) {
    Bench bench;
    for (int group = 0; group < groups; ++group)
      for (const char* message : {"m1", "m2"}) bench.send("g" + std::to_string(group) + message);
    bench.receive(10, 3600s);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 2'000; ++i) bench.receive(1, 0s);
    return std::chrono::steady_clock::now() - start;
  };
  time_receives(100);
  CHECK(time_receives(20'000) < 20 * time_receives(100));
}
