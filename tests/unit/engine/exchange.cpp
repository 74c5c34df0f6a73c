#include <doctest/doctest.h>

#include <dmq/engine/exchange.hpp>

using dmq::DeliveryState;
using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Random;
using dmq::Ticks;
using dmq::WallTime;
using dmq::engine::Exchange;
using dmq::engine::RetryState;
using dmq::engine::Terms;
using dmq::retry::Repeat;
using Step = Exchange::Step;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Instant start{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};

Error failure(ErrorKind kind, DeliveryState delivery) {
  return {.kind = kind, .delivery = delivery, .message = "x"};
}
const Error lost = failure(ErrorKind::network, DeliveryState::unknown);
const Error unreachable = failure(ErrorKind::network, DeliveryState::not_sent);
const Error throttled = failure(ErrorKind::throttled, DeliveryState::rejected);
const Error refused = failure(ErrorKind::rejected, DeliveryState::rejected);

/// Brings an exchange that wants a value to the point where its request is out.
void send(Exchange& exchange, Instant now) {
  REQUIRE(exchange.step() == Step::acquire);
  exchange.on_value();
  REQUIRE(exchange.step() == Step::send);
  REQUIRE(exchange.on_send(now));
}

/// Goes on after a failure; returns when.
Instant wait(Exchange& exchange, Instant now, RetryState& shared) {
  REQUIRE(exchange.step() == Step::wait);
  const Instant then{now.wall + (exchange.wake_at() - now.ticks), exchange.wake_at()};
  exchange.on_timer(then, shared);
  return then;
}

}  // namespace

TEST_CASE("an exchange that works takes one attempt") {
  RetryState shared;
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_success(shared);
  CHECK(exchange.step() == Step::done);
  CHECK_FALSE(exchange.error());
  CHECK(exchange.attempts() == 1);
  CHECK(exchange.first_byte() == start);
}

TEST_CASE("a passing failure is tried three times, with a growing pause below its ceiling") {
  RetryState shared;
  Exchange exchange{Terms{}};
  Instant now = start;
  for (int attempt = 1; attempt <= 2; ++attempt) {
    send(exchange, now);
    exchange.on_failure(unreachable, now, shared);
    REQUIRE(exchange.step() == Step::wait);
    CHECK(exchange.wake_at() >= now.ticks);
    CHECK(exchange.wake_at() <= now.ticks + milliseconds(50) * attempt);
    now = wait(exchange, now, shared);
  }
  send(exchange, now);
  exchange.on_failure(unreachable, now, shared);
  REQUIRE(exchange.step() == Step::done);
  CHECK(exchange.error()->attempts == 3);
  CHECK(exchange.error()->delivery == DeliveryState::not_sent);
}

TEST_CASE("a timer that comes too early changes nothing") {
  RetryState shared;
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_failure(failure(ErrorKind::throttled, DeliveryState::rejected), start, shared);
  REQUIRE(exchange.step() == Step::wait);
  exchange.on_timer({start.wall, exchange.wake_at() - Duration(1)}, shared);
  CHECK(exchange.step() == Step::wait);
}

TEST_CASE("what can't get better is not tried again") {
  for (const ErrorKind kind : {ErrorKind::rejected, ErrorKind::authentication, ErrorKind::authorization,
                               ErrorKind::configuration, ErrorKind::integrity, ErrorKind::cancelled}) {
    RetryState shared;
    Exchange exchange{Terms{}};
    send(exchange, start);
    exchange.on_failure(failure(kind, DeliveryState::rejected), start, shared);
    CHECK(exchange.step() == Step::done);
    CHECK(exchange.error()->kind == kind);
  }
}

TEST_CASE("once an attempt was unknown, a later refusal is unknown, too") {
  RetryState shared;
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_failure(lost, start, shared);
  const Instant now = wait(exchange, start, shared);
  send(exchange, now);
  exchange.on_failure(refused, now, shared);
  REQUIRE(exchange.step() == Step::done);
  CHECK(exchange.error()->kind == ErrorKind::rejected);
  CHECK(exchange.error()->delivery == DeliveryState::unknown);
}

TEST_CASE("an operation that must not happen twice is not repeated once its fate is unknown") {
  RetryState shared;
  Exchange first{Terms{.repeat = Repeat::never}};
  send(first, start);
  first.on_failure(lost, start, shared);
  CHECK(first.step() == Step::done);

  Exchange second{Terms{.repeat = Repeat::never}};
  send(second, start);
  second.on_failure(unreachable, start, shared);
  CHECK(second.step() == Step::wait);
}

TEST_CASE("no repeat of a publish of unknown fate starts after the deduplication window, less its time on the way") {
  const Terms terms{
      .retry = {.max_attempts = 100}, .repeat = Repeat::within_deduplication_window, .request_timeout = seconds(30)};
  const seconds last_start = seconds(300 - 30 - 30 - 10);
  for (const auto& [after, step] :
       {std::pair{last_start - seconds(1), Step::wait}, {last_start + seconds(1), Step::done}}) {
    RetryState shared;
    Exchange exchange{terms};
    send(exchange, start);
    exchange.on_failure(lost, start + after, shared);
    CHECK(exchange.step() == step);
    // A clock that was set back does not make the window longer, nor does a machine that slept.
    Exchange set_back{terms};
    send(set_back, start);
    set_back.on_failure(lost, {start.wall - seconds(3600), start.ticks + after}, shared);
    CHECK(set_back.step() == step);
    Exchange slept{terms};
    send(slept, start);
    slept.on_failure(lost, {start.wall + after, start.ticks}, shared);
    CHECK(slept.step() == step);
  }
}

TEST_CASE("the window counts from the first request, also from one of an earlier exchange") {
  RetryState shared;
  Exchange exchange{Terms{.repeat = Repeat::within_deduplication_window, .first_byte = start}};
  send(exchange, start + seconds(200));
  exchange.on_failure(throttled, start + seconds(231), shared);
  REQUIRE(exchange.step() == Step::done);
  CHECK(exchange.error()->delivery == DeliveryState::unknown);
}

TEST_CASE("no attempt starts at or after the deadline, also one that was planned before it") {
  RetryState shared;
  const Terms terms{.retry = {.max_attempts = 100}, .deadline = start.ticks + seconds(100)};
  Exchange planned_late{terms};
  send(planned_late, start);
  planned_late.on_failure(throttled, start + seconds(100), shared);
  CHECK(planned_late.step() == Step::done);

  Exchange slept{terms};
  send(slept, start);
  slept.on_failure(unreachable, start, shared);
  wait(slept, start, shared);
  slept.on_value();
  CHECK_FALSE(slept.on_send(start + seconds(100)));
  REQUIRE(slept.step() == Step::done);
  CHECK(slept.error()->kind == ErrorKind::network);
  CHECK(slept.error()->delivery == DeliveryState::not_sent);
  CHECK(slept.attempts() == 1);

  Exchange never{terms};
  never.on_value();
  CHECK_FALSE(never.on_send(start + seconds(100)));
  CHECK(never.error()->kind == ErrorKind::timeout);
  CHECK(never.error()->delivery == DeliveryState::not_sent);
}

TEST_CASE("a repeat that was planned in time and comes out late, after a sleep or a slow token, is not sent") {
  RetryState shared;
  Exchange exchange{Terms{.repeat = Repeat::within_deduplication_window}};
  send(exchange, start);
  exchange.on_failure(lost, start, shared);
  wait(exchange, start, shared);
  exchange.on_value();
  CHECK_FALSE(exchange.on_send(start + seconds(231)));
  REQUIRE(exchange.step() == Step::done);
  CHECK(exchange.error()->kind == ErrorKind::network);
  CHECK(exchange.error()->delivery == DeliveryState::unknown);

  Exchange replayed{Terms{.repeat = Repeat::within_deduplication_window, .first_byte = start}};
  replayed.on_value();
  CHECK_FALSE(replayed.on_send(start + seconds(231)));
  CHECK(replayed.error()->delivery == DeliveryState::unknown);
}

TEST_CASE("when the transport has sent twice, a refusal of the second leaves the first unknown") {
  RetryState shared;
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_resend();
  exchange.on_failure(refused, start, shared);
  CHECK(exchange.error()->delivery == DeliveryState::unknown);
}

TEST_CASE("a service that asks for time is given it, up to one cap more than we would wait") {
  RetryState shared;
  for (const auto& [asked, least, most] :
       {std::tuple{seconds(3), seconds(3), seconds(3)}, {seconds(3600), seconds(20), seconds(22)}}) {
    Exchange exchange{Terms{}};
    send(exchange, start);
    Error error = throttled;
    error.retry_after = asked;
    exchange.on_failure(error, start, shared);
    REQUIRE(exchange.step() == Step::wait);
    CHECK(exchange.wake_at() - start.ticks >= least);
    CHECK(exchange.wake_at() - start.ticks <= most);
  }
}

TEST_CASE("an empty budget ends the retries of all, and successes fill it") {
  RetryState shared;
  int retries = 0;
  for (bool more = true; more; ++retries) {
    Exchange exchange{Terms{}};
    send(exchange, start);
    exchange.on_failure(unreachable, start, shared);
    more = exchange.step() == Step::wait;
  }
  CHECK(retries - 1 == 500 / 14);
  Exchange works{Terms{}};
  send(works, start);
  for (int i = 0; i < 14; ++i) works.on_success(shared);
  Exchange again{Terms{}};
  send(again, start);
  again.on_failure(unreachable, start, shared);
  CHECK(again.step() == Step::wait);
}

TEST_CASE("a success gives back what its last retry took") {
  RetryState shared;
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_failure(unreachable, start, shared);
  CHECK(shared.budget.tokens() == 486);
  send(exchange, wait(exchange, start, shared));
  exchange.on_success(shared);
  CHECK(shared.budget.tokens() == 500);
}

TEST_CASE("a refused value is replaced at once, three times, and that is no attempt of the operation") {
  RetryState shared;
  Exchange exchange{Terms{.retry = {.max_attempts = 1}}};
  const Error stale = failure(ErrorKind::authentication, DeliveryState::rejected);
  for (int i = 0; i < Exchange::max_replays; ++i) {
    send(exchange, start);
    exchange.on_stale_value(stale, start);
    CHECK(exchange.step() == Step::acquire);
  }
  send(exchange, start);
  exchange.on_stale_value(stale, start);
  REQUIRE(exchange.step() == Step::done);
  CHECK(exchange.error()->delivery == DeliveryState::rejected);
  CHECK(exchange.error()->attempts == 4);
}

TEST_CASE("refusals with other failures between them are not counted together") {
  RetryState shared;
  Exchange exchange{
      Terms{.deadline = start.ticks + std::chrono::hours(1), .patience = dmq::engine::Patience::deadline}};
  const Error stale = failure(ErrorKind::authentication, DeliveryState::rejected);
  Instant now = start;
  for (int i = 0; i < 3 * Exchange::max_replays; ++i) {
    send(exchange, now);
    exchange.on_stale_value(stale, now);
    send(exchange, now);
    exchange.on_failure(throttled, now, shared);
    now = wait(exchange, now, shared);
  }
  send(exchange, now);
  exchange.on_success(shared);
  CHECK_FALSE(exchange.error());
}

TEST_CASE("a corrected clock signs again once") {
  Exchange exchange{Terms{}};
  const Error skew = failure(ErrorKind::authentication, DeliveryState::rejected);
  send(exchange, start);
  exchange.on_skew(skew, start);
  send(exchange, start);
  exchange.on_skew(skew, start);
  CHECK(exchange.step() == Step::done);
}

TEST_CASE("a stop while nothing is in flight is cancelled, and as unknown as what was sent before") {
  RetryState shared;
  Exchange quiet{Terms{}};
  quiet.on_stop();
  CHECK(quiet.error()->kind == ErrorKind::cancelled);
  CHECK(quiet.error()->delivery == DeliveryState::not_sent);

  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_failure(lost, start, shared);
  exchange.on_stop();
  CHECK(exchange.error()->delivery == DeliveryState::unknown);
}

TEST_CASE("whatever fails in whatever order, the outcome and the repeats keep the rules") {
  const Error faults[] = {lost, unreachable, throttled, refused,
                          failure(ErrorKind::unavailable, DeliveryState::unknown)};
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    RetryState shared{.random = Random(seed)};
    const auto repeat = static_cast<Repeat>(random.below(3));
    const auto timeout = seconds(1 + random.below(60));
    const int most = 1 + static_cast<int>(random.below(6));
    Exchange exchange{Terms{.retry = {.max_attempts = most}, .repeat = repeat, .request_timeout = timeout}};
    Instant now = start;
    DeliveryState worst = DeliveryState::not_sent;
    int sent = 0;
    while (exchange.step() != Step::done) {
      if (exchange.step() == Step::wait) {
        now = wait(exchange, now, shared);
        continue;
      }
      // A slow token, or a machine that was suspended.
      if (random.chance(0.3)) now = now + seconds(random.below(300));
      if (worst == DeliveryState::unknown) REQUIRE(repeat != Repeat::never);
      const bool open = worst != DeliveryState::unknown || repeat == Repeat::always ||
                        now.ticks - exchange.first_byte()->ticks <= seconds(260) - timeout;
      exchange.on_value();
      REQUIRE(exchange.on_send(now) == open);
      if (!open) break;
      REQUIRE(++sent <= most);
      if (random.chance(0.2)) {
        exchange.on_success(shared);
        worst = DeliveryState::not_sent;
        break;
      }
      const Error& error = faults[random.below(std::size(faults))];
      worst = std::max(worst, error.delivery);
      now = now + seconds(random.below(120));
      exchange.on_failure(error, now, shared);
    }
    if (exchange.error()) {
      REQUIRE(exchange.error()->delivery == worst);
      REQUIRE(exchange.error()->attempts == sent);
    }
  }
}

TEST_CASE("with patience an exchange goes on until its deadline, however many attempts it takes") {
  RetryState shared;
  Exchange exchange{
      Terms{.deadline = start.ticks + std::chrono::hours(1), .patience = dmq::engine::Patience::deadline}};
  Instant now = start;
  for (int attempt = 1; attempt <= 20; ++attempt) {
    send(exchange, now);
    exchange.on_failure(unreachable, now, shared);
    now = wait(exchange, now, shared);
  }
  send(exchange, now);
  exchange.on_success(shared);
  CHECK(exchange.step() == Step::done);
  CHECK_FALSE(exchange.error());
}

TEST_CASE("without a budget one patient exchange probes, the others wait, and its success refills") {
  RetryState shared;
  while (shared.budget.take(dmq::retry::Fault::transient)) {
  }
  const Terms terms{.deadline = start.ticks + std::chrono::hours(1), .patience = dmq::engine::Patience::deadline};
  Exchange probe{terms};
  Exchange other{terms};
  for (Exchange* exchange : {&probe, &other}) {
    send(*exchange, start);
    exchange->on_failure(unreachable, start, shared);
    REQUIRE(exchange->step() == Step::wait);
  }
  const Instant then = start + milliseconds(50);
  probe.on_timer(then, shared);
  CHECK(probe.step() == Step::acquire);
  other.on_timer(then, shared);
  CHECK(other.step() == Step::wait);
  CHECK(other.wake_at() >= then.ticks + milliseconds(50));
  send(probe, then);
  probe.on_success(shared);
  CHECK(shared.budget.tokens() == dmq::retry::Budget::capacity);
  wait(other, then, shared);
  CHECK(other.step() == Step::acquire);
}

TEST_CASE("an impatient exchange ends when the budget is empty") {
  RetryState shared;
  while (shared.budget.take(dmq::retry::Fault::transient)) {
  }
  Exchange exchange{Terms{}};
  send(exchange, start);
  exchange.on_failure(unreachable, start, shared);
  CHECK(exchange.step() == Step::done);
}
