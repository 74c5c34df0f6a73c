#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <dmq/testing/simulation.hpp>

using dmq::Ticks;
using dmq::testing::SimulatedClock;
using dmq::testing::SimulatedPart;
using dmq::testing::Simulation;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr Ticks begin = SimulatedClock::start.ticks;

/// Acts every second until its end.
struct Ticker final : SimulatedPart {
  Ticker(Simulation& in, Ticks until) : world(in), end(until) { world.add(*this); }
  ~Ticker() override { world.remove(*this); }
  void turn() override {
    if (world.now().ticks < next) return;
    times.push_back(world.now().ticks - begin);
    next = world.now().ticks + seconds(1);
  }
  Ticks next_deadline() override { return next > end ? Ticks::max() : next; }

  Simulation& world;
  Ticks end;
  Ticks next = Ticks::min();
  std::vector<dmq::Duration> times{};
};

/// Always wants to be called, and never has anything to do.
struct Restless final : SimulatedPart {
  void turn() override { ++turns; }
  Ticks next_deadline() override { return Ticks::min(); }
  int turns = 0;
};

}  // namespace

TEST_CASE("an event that plans itself again for the same moment does not stop the world for good") {
  dmq::testing::Simulation world(1);
  int times = 0;
  std::function<void()> again = [&] {
    ++times;
    world.after(dmq::Duration::zero(), again);
  };
  world.after(dmq::Duration::zero(), again);
  CHECK_FALSE(world.run(dmq::Ticks::max()));
  CHECK(times > 1000);
}

TEST_CASE("things happen at their times, and those of one time in the order in which they were planned") {
  Simulation world(1);
  std::string story;
  world.after(seconds(2), [&] { story += "d"; });
  world.after(seconds(1), [&] {
    story += "a";
    CHECK(world.now() == SimulatedClock::start + seconds(1));
    CHECK(world.clock().ticks() == begin + seconds(1));
    CHECK(world.clock().now() == SimulatedClock::start.wall + seconds(1));
    world.after(seconds(1), [&] { story += "e"; });
    world.after(seconds(0), [&] { story += "c"; });
  });
  world.after(seconds(1), [&] { story += "b"; });
  CHECK(world.run(Ticks::max()));
  CHECK(story == "abcde");
  CHECK(world.now().ticks == begin + seconds(2));
}

TEST_CASE("many things of one time come in the order in which they were planned") {
  Simulation world(1);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) world.after(seconds(1 + i % 2), [&order, i] { order.push_back(i); });
  CHECK(world.run(Ticks::max()));
  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) expected.push_back(i < 50 ? 2 * i : 2 * i - 99);
  CHECK(order == expected);
}

TEST_CASE("a run goes on up to its end, that included, and another from there") {
  Simulation world(1);
  std::string story;
  for (int i = 1; i <= 3; ++i) world.after(seconds(i), [&story, i] { story += std::to_string(i); });
  CHECK_FALSE(world.run(begin + seconds(2)));
  CHECK(story == "12");
  CHECK(world.now().ticks == begin + seconds(2));
  CHECK(world.run(Ticks::max()));
  CHECK(story == "123");
}

TEST_CASE("parts act when they want to, and when something happens, until they are removed") {
  Simulation world(1);
  Ticker one(world, begin + seconds(3));
  {
    Ticker gone(world, begin + seconds(3));
    CHECK_FALSE(world.run(begin));
    CHECK(gone.times.size() == 1);
  }
  one.next = begin + milliseconds(500);
  world.after(milliseconds(1700), [&] { one.next = Ticks::min(); });
  CHECK(world.run(Ticks::max()));
  CHECK(one.times == std::vector<dmq::Duration>{seconds(0), milliseconds(500), milliseconds(1500), milliseconds(1700),
                                                milliseconds(2700)});
}

TEST_CASE("a part that never comes to rest ends the run instead of holding it for ever") {
  Simulation world(1);
  Restless part;
  world.add(part);
  bool later = false;
  world.after(seconds(1), [&] { later = true; });
  CHECK_FALSE(world.run(Ticks::max()));
  CHECK_FALSE(later);
  CHECK(part.turns >= 1000);
}

TEST_CASE("a world repeats itself from its seed, and another is another") {
  const auto play = [](std::uint64_t seed) {
    Simulation world(seed);
    std::vector<dmq::Duration> times;
    for (int i = 0; i < 20; ++i) times.push_back(world.between(seconds(1), seconds(2)));
    return times;
  };
  CHECK(play(1) == play(1));
  CHECK(play(1) != play(2));
  const auto times = play(3);
  CHECK(*std::min_element(times.begin(), times.end()) >= seconds(1));
  CHECK(*std::max_element(times.begin(), times.end()) <= seconds(2));
  CHECK(Simulation(1).between(seconds(5), seconds(5)) == seconds(5));
}

TEST_CASE("a story is told to those who listen, and not made otherwise") {
  Simulation world(1);
  int made = 0;
  const auto line = [&] {
    ++made;
    return std::string("line");
  };
  world.tell(line);
  CHECK(made == 0);
  std::string heard;
  world.trace = [&](const std::string& told) { heard += told; };
  world.tell(line);
  CHECK(heard == "line");
}

TEST_CASE("sleeping takes no time") {
  Simulation world(1);
  CHECK(world.clock().sleep_for(seconds(10), {}));
  std::stop_source stop;
  stop.request_stop();
  CHECK_FALSE(world.clock().sleep_for(seconds(10), stop.get_token()));
  CHECK(world.now() == SimulatedClock::start);
}
