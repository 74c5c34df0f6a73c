#include <doctest/doctest.h>

#include <chrono>

#include <dmq/retry/deduplication_clock.hpp>
#include <dmq/testing/manual_clock.hpp>

using dmq::Instant;
using dmq::instant;
using dmq::retry::DeduplicationClock;
using dmq::testing::ManualClock;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a repeat is safe until 300 s less its time limit, 30 s and 10 s") {
  ManualClock clock;
  const DeduplicationClock window(instant(clock));
  CHECK(window.may_repeat(instant(clock), seconds(30)));
  clock.advance(seconds(300 - 30 - 30 - 10));
  CHECK(window.may_repeat(instant(clock), seconds(30)));
  CHECK_FALSE(window.may_repeat(instant(clock), seconds(31)));
  clock.advance(milliseconds(1));
  CHECK_FALSE(window.may_repeat(instant(clock), seconds(30)));
  CHECK(window.may_repeat(instant(clock), seconds(29)));
}

TEST_CASE("a wall clock that is set back does not lengthen the window") {
  ManualClock clock;
  const DeduplicationClock window(instant(clock));
  clock.advance(seconds(231));
  clock.jump_wall(-std::chrono::hours(1));
  CHECK(window.elapsed(instant(clock)) == seconds(231));
  CHECK_FALSE(window.may_repeat(instant(clock), seconds(30)));
}

TEST_CASE("ticks that stood still do not lengthen the window") {
  ManualClock clock;
  const DeduplicationClock window(instant(clock));
  clock.jump_wall(seconds(231));
  CHECK(window.elapsed(instant(clock)) == seconds(231));
  CHECK_FALSE(window.may_repeat(instant(clock), seconds(30)));
}

TEST_CASE("time before the first byte counts as none") {
  ManualClock clock;
  const DeduplicationClock window(instant(clock) + seconds(5));
  CHECK(window.elapsed(instant(clock)) == seconds(0));
}

TEST_CASE("the window ends 300 s after the first byte, by the wall clock") {
  const DeduplicationClock window(ManualClock::default_start);
  CHECK(window.last_start(seconds(30)) == ManualClock::default_start.wall + seconds(230));
}

TEST_CASE("a time limit beyond the window leaves no repeat") {
  CHECK_FALSE(DeduplicationClock(Instant{}).may_repeat(Instant{}, seconds(261)));
  CHECK(DeduplicationClock(Instant{}).may_repeat(Instant{}, seconds(260)));
}
