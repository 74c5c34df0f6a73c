#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include <dmq/engine/poller.hpp>

using dmq::ConsumeSettings;
using dmq::DeliveryState;
using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Random;
using dmq::Ticks;
using dmq::WallTime;
using dmq::engine::Poller;
using dmq::engine::PollOrder;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "x"};
const Error unsent{.kind = ErrorKind::network, .delivery = DeliveryState::not_sent, .message = "x"};
const Error throttled{
    .kind = ErrorKind::throttled, .delivery = DeliveryState::rejected, .message = "x", .http_status = 403};
const Error failed{
    .kind = ErrorKind::unavailable, .delivery = DeliveryState::unknown, .message = "x", .http_status = 500};

/// A poller whose attempt ids are 1, 2, 3, ...
struct Bench {
  explicit Bench(ConsumeSettings with = {}, std::string queue = "http://h/1/q.fifo") : settings(std::move(with)) {
    settings.queue_url = std::move(queue);
    settings.new_id = [this] { return std::to_string(++ids); };
  }

  /// "id of up to N", or nothing.
  std::string take(std::size_t room = 100) {
    const std::optional<PollOrder> order = poller.take(room, now);
    if (!order) return "";
    return order->attempt_id + " of up to " + std::to_string(order->max_messages);
  }
  Duration fail(const Error& error) {
    const Instant at = now;
    return poller.on_failure(error, dmq::retry::classify(error),
                             error.delivery == DeliveryState::not_sent ? std::nullopt : std::optional(at), now, random);
  }
  void pass(Duration by) { now = now + by; }

  int ids = 0;
  ConsumeSettings settings;
  Random random{1};
  Poller poller{settings};
  Instant now{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};
};

}  // namespace

TEST_CASE("one poll at a time, for as many as there is room for, at most ten") {
  Bench bench;
  CHECK(bench.take(0) == "");
  CHECK(bench.take(3) == "1 of up to 3");
  CHECK(bench.poller.in_flight());
  CHECK(bench.take() == "");
  CHECK(bench.poller.opens_at() == Ticks::max());
  bench.poller.on_answer();
  CHECK(bench.take() == "2 of up to 10");
  bench.poller.on_answer();
  bench.settings.run.max_per_receive = 1;
  CHECK(bench.take() == "3 of up to 1");
}

TEST_CASE("a poll waits as long as the settings say") {
  Bench bench({.run = {.wait = seconds(7)}});
  CHECK(bench.poller.take(1, bench.now)->wait == seconds(7));
}

TEST_CASE("a poll of a standard queue has no attempt id, and a lost one is not repeated") {
  Bench bench({}, "http://h/1/q");
  CHECK(bench.take() == " of up to 10");
  bench.fail(lost);
  CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
  bench.pass(minutes(1));
  CHECK(bench.take(0) == "");
  CHECK(bench.take(2) == " of up to 2");
}

TEST_CASE("a poll whose answer was lost is repeated as it was, room or not") {
  Bench bench;
  CHECK(bench.take(4) == "1 of up to 4");
  bench.fail(lost);
  CHECK(bench.poller.lost_answer(bench.now.ticks));
  bench.pass(seconds(1));
  CHECK(bench.take(0) == "1 of up to 4");
  bench.poller.on_answer();
  CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
  CHECK(bench.take() == "2 of up to 10");
}

TEST_CASE("any answer ends the attempt, an empty one, a throttle or a 500 too") {
  for (const Error& error : {throttled, failed}) {
    Bench bench;
    bench.take();
    bench.fail(lost);
    bench.pass(seconds(1));
    CHECK(bench.take() == "1 of up to 10");
    bench.fail(error);
    CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
    bench.pass(seconds(20));
    CHECK(bench.take() == "2 of up to 10");
  }
}

TEST_CASE("a repeat that could not be sent is no answer: the attempt goes on") {
  Bench bench;
  bench.take();
  bench.fail(lost);
  bench.pass(seconds(1));
  bench.take();
  bench.fail(unsent);
  CHECK(bench.poller.lost_answer(bench.now.ticks));
  bench.pass(seconds(1));
  CHECK(bench.take() == "1 of up to 10");
}

TEST_CASE("a poll that was never sent has claimed nothing") {
  Bench bench;
  bench.take();
  bench.fail(unsent);
  CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
  bench.pass(seconds(1));
  CHECK(bench.take() == "2 of up to 10");
}

TEST_CASE("an attempt is kept for as long as its last sending may hide messages, five minutes from the first at most") {
  Bench bench;
  bench.take();
  bench.fail(lost);
  bench.pass(seconds(29));
  CHECK(bench.take() == "1 of up to 10");
  bench.fail(lost);
  bench.pass(milliseconds(29'999));
  CHECK(bench.poller.lost_answer(bench.now.ticks));
  bench.pass(milliseconds(1));
  CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
  CHECK(bench.take() == "2 of up to 10");

  Bench patient({.visibility = seconds(1000)});
  patient.take();
  patient.fail(lost);
  patient.pass(seconds(200));
  CHECK(patient.take() == "1 of up to 10");
  patient.fail(lost);
  patient.pass(milliseconds(99'999));
  CHECK(patient.poller.lost_answer(patient.now.ticks));
  patient.pass(milliseconds(1));
  CHECK(patient.take() == "2 of up to 10");
}

TEST_CASE("an attempt id that is not valid any more is replaced at once, and a second time after a wait") {
  Bench bench;
  bench.take();
  bench.poller.on_stale_attempt(bench.now, bench.random);
  CHECK(bench.take() == "2 of up to 10");
  for (int i = 0; i < 6; ++i) {
    bench.poller.on_stale_attempt(bench.now, bench.random);
    CHECK(bench.poller.opens_at() > bench.now.ticks);
    CHECK(bench.take() == "");
    bench.pass(seconds(20));
    CHECK(bench.take() != "");
  }
  bench.poller.on_answer();
  bench.take();
  bench.poller.on_stale_attempt(bench.now, bench.random);
  CHECK(bench.take() != "");
}

TEST_CASE("failures in a row are waited for longer and longer, up to 20 s, and an answer ends that") {
  Bench bench;
  Duration longest{};
  for (int i = 0; i < 200; ++i) {
    bench.take();
    const Duration pause = bench.fail(throttled);
    const double ceiling = std::min(20.0, std::ldexp(1.0, std::min(i, 10)));
    CHECK(std::chrono::duration<double>(pause).count() <= ceiling);
    CHECK(bench.poller.opens_at() == bench.now.ticks + pause);
    CHECK((pause == Duration::zero() || bench.take() == ""));
    longest = std::max(longest, pause);
    bench.pass(pause);
  }
  CHECK(longest > seconds(15));
  bench.take();
  bench.poller.on_answer();
  bench.take();
  CHECK(bench.fail(throttled) <= seconds(1));
}

TEST_CASE("what the service asks for is waited for") {
  Bench bench;
  bench.take();
  Error asks = throttled;
  asks.retry_after = seconds(9);
  CHECK(bench.fail(asks) == seconds(9));
}

TEST_CASE("a poll that a stop has broken off can be repeated at once, if it was sent") {
  Bench bench;
  bench.take(2);
  bench.poller.on_cancelled(bench.now);
  CHECK(bench.poller.lost_answer(bench.now.ticks));
  CHECK(bench.take(0) == "1 of up to 2");
  bench.poller.on_answer();
  bench.take();
  bench.poller.on_cancelled(std::nullopt);
  CHECK_FALSE(bench.poller.lost_answer(bench.now.ticks));
  CHECK(bench.take(0) == "");

  Bench again;
  again.take(2);
  again.fail(lost);
  again.pass(seconds(2));
  again.take();
  again.poller.on_cancelled(std::nullopt);  // The repeat was not sent; the first one was.
  CHECK(again.take(0) == "1 of up to 2");
}
