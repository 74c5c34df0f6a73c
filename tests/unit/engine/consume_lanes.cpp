#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <dmq/engine/consume_lanes.hpp>

using dmq::Delivery;
using dmq::Lease;
using dmq::Ticks;
using dmq::engine::ConsumeLane;
using dmq::engine::ConsumeLanes;
using dmq::engine::Held;
using std::chrono::seconds;

namespace {

Held& add(ConsumeLanes& lanes, const std::string& group, const std::string& sequence) {
  return lanes.add(lanes.lane(group), Delivery{.message_id = group + sequence, .sequence_number = sequence},
                   Lease([] { return Ticks(); }));
}

std::string next_of(const ConsumeLanes& lanes, const ConsumeLane& lane) {
  const Held* const held = lanes.next_of(lane);
  return held == nullptr ? "" : held->delivery->message_id;
}

std::vector<std::string> order(const ConsumeLane& lane) {
  std::vector<std::string> ids;
  for (const Held* held : lane.held) ids.push_back(held->delivery->message_id);
  return ids;
}

}  // namespace

TEST_CASE("a lane is in the order of its sequence numbers, however they came") {
  ConsumeLanes lanes(false);
  for (const char* sequence : {"30", "10", "20", "100"}) add(lanes, "a", sequence);
  CHECK(order(lanes.lane("a")) == std::vector<std::string>{"a10", "a20", "a30", "a100"});
  CHECK(lanes.size() == 4);
  CHECK(next_of(lanes, lanes.lane("a")) == "a10");
}

TEST_CASE("nothing comes before what runs, and the next only when that is gone") {
  ConsumeLanes lanes(false);
  Held& second = add(lanes, "a", "2");
  second.state = Held::State::running;
  add(lanes, "a", "1");
  ConsumeLane& lane = lanes.lane("a");
  CHECK(order(lane) == std::vector<std::string>{"a2", "a1"});
  CHECK(next_of(lanes, lane) == "");
  second.state = Held::State::finished;
  CHECK(next_of(lanes, lane) == "");
  lanes.remove(second);
  CHECK(next_of(lanes, lane) == "a1");
}

TEST_CASE("a pipelined lane goes on when its first is finished, not while it runs") {
  ConsumeLanes lanes(true);
  Held& first = add(lanes, "a", "1");
  add(lanes, "a", "2");
  first.state = Held::State::running;
  CHECK(next_of(lanes, lanes.lane("a")) == "");
  first.state = Held::State::finished;
  CHECK(next_of(lanes, lanes.lane("a")) == "a2");
}

TEST_CASE("a lane that waits for its failed message has nothing for a worker") {
  ConsumeLanes lanes(false);
  add(lanes, "a", "2");
  ConsumeLane& lane = lanes.lane("a");
  lane.awaited = ConsumeLane::Awaited{.message_id = "a1"};
  CHECK(next_of(lanes, lane) == "");
  lanes.consider(lane);
  CHECK_FALSE(lanes.has_listed());
  lane.awaited.reset();
  CHECK(next_of(lanes, lane) == "a2");
}

TEST_CASE("lanes with work are listed once, in the order in which they had it") {
  ConsumeLanes lanes(false);
  for (const char* group : {"b", "a", "c"}) {
    add(lanes, group, "1");
    lanes.consider(lanes.lane(group));
    lanes.consider(lanes.lane(group));
  }
  for (const char* group : {"b", "a", "c"}) CHECK(lanes.take_listed() == &lanes.lane(group));
  CHECK_FALSE(lanes.has_listed());
  CHECK(lanes.take_listed() == nullptr);
}

TEST_CASE("an empty lane goes when it is not listed") {
  ConsumeLanes lanes(false);
  Held& held = add(lanes, "a", "1");
  ConsumeLane& lane = lanes.lane("a");
  lanes.consider(lane);
  lanes.drop_empty(lane);
  CHECK(lanes.find_lane("a") == &lane);
  const auto id = held.id;
  CHECK(lanes.find(id) == &held);
  lanes.remove(held);
  CHECK(lanes.find(id) == nullptr);
  lanes.drop_empty(lane);
  CHECK(lanes.find_lane("a") == &lane);
  CHECK(lanes.take_listed() == &lane);
  lanes.drop_empty(lane);
  CHECK(lanes.find_lane("a") == nullptr);
}

TEST_CASE("the tail whose failed message is visible again first is found") {
  ConsumeLanes lanes(false);
  CHECK(lanes.first_awaiting() == nullptr);
  for (const auto& [group, back_at] : {std::pair{"a", 5}, {"b", 3}, {"c", 9}}) {
    add(lanes, group, "2");
    lanes.lane(group).awaited = ConsumeLane::Awaited{.back_at = Ticks(seconds(back_at))};
  }
  add(lanes, "d", "1");
  lanes.lane("e").awaited = ConsumeLane::Awaited{.back_at = Ticks(seconds(1))};  // Without a tail.
  CHECK(lanes.first_awaiting() == &lanes.lane("b"));
}

TEST_CASE("a message is found in its lane by its id") {
  ConsumeLanes lanes(false);
  Held& held = add(lanes, "a", "1");
  CHECK(lanes.lane("a").find("a1") == &held);
  CHECK(lanes.lane("a").find("a2") == nullptr);
}
