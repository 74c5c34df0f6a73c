#include <doctest/doctest.h>

#include <condition_variable>
#include <limits>
#include <mutex>
#include <thread>

#include <dmq/core/clock.hpp>

using namespace std::chrono_literals;
using dmq::Duration;
using dmq::Ticks;

namespace {

/// Each reading is `step` after the one before.
struct SteppingClock {
  Duration step{};
  mutable Ticks at{};

  dmq::WallTime now() const { return {}; }
  Ticks ticks() const { return at += step; }
  bool sleep_for(Duration, std::stop_token) const { return true; }
};

/// Stands still, and has a way of its own to wait.
struct StandingClock {
  mutable int waits = 0;

  dmq::WallTime now() const { return {}; }
  Ticks ticks() const { return {}; }
  bool sleep_for(Duration, std::stop_token) const { return true; }
  template <class Done>
  bool wait_until(std::condition_variable_any&, std::unique_lock<std::mutex>&, const std::stop_token&, Ticks,
                  Done done) const {
    ++waits;
    return done();
  }
};

struct Waiting {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock<std::mutex> lock{mutex};
  std::stop_source stop;
};

}  // namespace

TEST_CASE("the system's ticks never go back and its wall time is after the year 2024") {
  const dmq::SystemClock clock;
  const Ticks first = clock.ticks();
  CHECK(clock.ticks() >= first);
  CHECK(clock.now().time_since_epoch() > std::chrono::hours(24 * 365 * 54));
}

TEST_CASE("an instant is both clocks, and adding moves both") {
  const dmq::Instant at = dmq::instant(SteppingClock{5s}) + 2s;
  CHECK(at.wall == dmq::WallTime(2s));
  CHECK(at.ticks == Ticks(7s));
}

TEST_CASE("a sleep of no time or less is over at once, and whole") {
  CHECK(dmq::SystemClock().sleep_for(0s, {}));
  CHECK(dmq::SystemClock().sleep_for(-5s, {}));
  CHECK(dmq::SystemClock().sleep_for(Duration::min(), {}));
}

TEST_CASE("a sleep under a stop that was requested before is over at once, however long") {
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(dmq::SystemClock().sleep_for(1h, stop.get_token()));
  CHECK_FALSE(dmq::SystemClock().sleep_for(Duration::max(), stop.get_token()));
  CHECK_FALSE(dmq::SystemClock().sleep_for(0s, stop.get_token()));
}

TEST_CASE("a stop ends a sleep that has no end of its own") {
  std::stop_source stop;
  const std::jthread stopper([&] { stop.request_stop(); });
  CHECK_FALSE(dmq::SystemClock().sleep_for(Duration::max(), stop.get_token()));
}

TEST_CASE("a wait for what holds already looks at no clock") {
  Waiting w;
  w.stop.request_stop();
  CHECK(dmq::wait_until(SteppingClock{}, w.changed, w.lock, w.stop.get_token(), Ticks::min(), [] { return true; }));
}

TEST_CASE("a wait ends at its deadline, also one in the past") {
  Waiting w;
  const auto never = [] { return false; };
  CHECK_FALSE(dmq::wait_until(SteppingClock{1h}, w.changed, w.lock, {}, Ticks::min(), never));
  CHECK_FALSE(dmq::wait_until(SteppingClock{1h}, w.changed, w.lock, {}, Ticks(1h), never));
}

TEST_CASE("a wait without end is woken by a change") {
  Waiting w;
  bool done = false;
  const std::jthread changer([&] {
    const std::lock_guard guard(w.mutex);
    done = true;
    w.changed.notify_all();
  });
  CHECK(dmq::wait_until(dmq::SystemClock(), w.changed, w.lock, {}, Ticks::max(), [&] { return done; }));
}

TEST_CASE("a wait without end is woken by a stop") {
  Waiting w;
  const std::jthread stopper([&] { w.stop.request_stop(); });
  const auto never = [] { return false; };
  CHECK_FALSE(dmq::wait_until(dmq::SystemClock(), w.changed, w.lock, w.stop.get_token(), Ticks::max(), never));
}

TEST_CASE("a clock with its own way to wait is asked to") {
  Waiting w;
  const StandingClock clock;
  CHECK(dmq::wait_until(clock, w.changed, w.lock, {}, Ticks::max(), [] { return true; }));
  CHECK(clock.waits == 1);
}
