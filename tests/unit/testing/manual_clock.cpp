#include <dmq/testing/manual_clock.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace std::chrono_literals;
using dmq::testing::ManualClock;

TEST_CASE("ManualClock stands still until it is moved, and copies move with it") {
  ManualClock clock;
  const ManualClock copy = clock;
  const dmq::Instant before = dmq::instant(copy);
  CHECK(dmq::instant(copy) == before);
  clock.advance(3s);
  CHECK(dmq::instant(copy) == before + 3s);
  clock.jump_wall(-1h);
  CHECK(copy.now() == before.wall + 3s - 1h);
  CHECK(copy.ticks() == before.ticks + 3s);
}

TEST_CASE("ManualClock wakes a sleeper when its time has come, not before") {
  ManualClock clock;
  std::atomic<bool> slept = false;
  std::jthread sleeper([&](const std::stop_token& stop) { slept = clock.sleep_for(10s, stop); });
  clock.block_until(1);
  clock.advance(9s);
  CHECK(clock.sleepers() == 1);
  clock.advance(1s);
  CHECK(clock.sleepers() == 0);
  sleeper.join();
  CHECK(slept);
}

TEST_CASE("ManualClock ends a sleep at a stop request") {
  ManualClock clock;
  std::atomic<bool> slept = true;
  std::jthread sleeper([&](const std::stop_token& stop) { slept = clock.sleep_for(10s, stop); });
  clock.block_until(1);
  sleeper.request_stop();
  sleeper.join();
  CHECK_FALSE(slept);
}

TEST_CASE("dmq::wait_until runs on manual time and hears the condition too") {
  ManualClock clock;
  std::mutex mutex;
  std::condition_variable_any changed;
  bool flag = false;
  const auto wait = [&](dmq::Duration limit) {
    std::unique_lock lock(mutex);
    return dmq::wait_until(clock, changed, lock, {}, clock.ticks() + limit, [&] { return flag; });
  };
  CHECK_FALSE(wait(0s));

  bool timed_out = true;
  std::jthread late([&] { timed_out = !wait(5s); });
  clock.block_until(1);
  clock.advance(5s);
  late.join();
  CHECK(timed_out);

  bool heard = false;
  std::jthread early([&] { heard = wait(5s); });
  clock.block_until(1);
  {
    const std::lock_guard lock(mutex);
    flag = true;
  }
  changed.notify_all();
  early.join();
  CHECK(heard);
}

TEST_CASE("ManualClock loses no wake-up between many sleepers and many moves") {
  ManualClock clock;
  std::atomic<int> rounds = 0;
  std::vector<std::jthread> sleepers;
  for (int i = 0; i < 4; ++i)
    sleepers.emplace_back([&](const std::stop_token& stop) {
      for (int round = 0; round < 200 && clock.sleep_for(1s, stop); ++round) ++rounds;
    });
  while (rounds < 800) clock.advance(1s);
  CHECK(rounds == 800);
}
