#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/engine/lanes.hpp>

using dmq::Random;
using dmq::engine::Lanes;

TEST_CASE("a lane lets its tickets go first in the order in which they came") {
  Lanes lanes;
  const auto a1 = lanes.enter("a");
  const auto a2 = lanes.enter("a");
  const auto b1 = lanes.enter("b");
  CHECK(lanes.is_first(a1));
  CHECK_FALSE(lanes.is_first(a2));
  CHECK(lanes.is_first(b1));
  CHECK(lanes.previous(a2) == a1);
  lanes.leave(a1);
  CHECK(lanes.is_first(a2));
  CHECK(lanes.size() == 2);
  lanes.leave(a2);
  lanes.leave(b1);
  CHECK(lanes.size() == 0);
}

TEST_CASE("lanes do what a queue for each group does") {
  Random random(7);
  Lanes lanes;
  std::map<std::string, std::deque<Lanes::Ticket>> naive;
  std::vector<std::pair<std::string, Lanes::Ticket>> held;
  for (int step = 0; step < 50'000; ++step) {
    if (held.empty() || random.chance(0.5)) {
      const std::string group = "g" + std::to_string(random.below(40));
      const auto ticket = lanes.enter(group);
      naive[group].push_back(ticket);
      held.emplace_back(group, ticket);
    } else {
      const std::size_t at = random.below(held.size());
      const auto [group, ticket] = held[at];
      held[at] = held.back();
      held.pop_back();
      const bool first = naive[group].front() == ticket;
      const Lanes::Ticket left = lanes.leave(ticket);
      std::erase(naive[group], ticket);
      REQUIRE(left == (first && !naive[group].empty() ? naive[group].front() : Lanes::none));
      if (naive[group].empty()) naive.erase(group);
    }
    REQUIRE(lanes.size() == naive.size());
    if (naive.empty()) continue;
    const auto some = std::next(naive.begin(), static_cast<std::ptrdiff_t>(random.below(naive.size())));
    const std::deque<Lanes::Ticket>& queue = some->second;
    REQUIRE(lanes.first(some->first) == queue.front());
    for (std::size_t i = 0; i < queue.size(); ++i) {
      REQUIRE(lanes.is_first(queue[i]) == (i == 0));
      REQUIRE(lanes.previous(queue[i]) == (i == 0 ? Lanes::none : queue[i - 1]));
      REQUIRE(lanes.next(queue[i]) == (i + 1 == queue.size() ? Lanes::none : queue[i + 1]));
    }
  }
}

TEST_CASE("leaving tells who is first by it, and nobody when another was or when none is left") {
  Lanes lanes;
  CHECK(lanes.first("a") == Lanes::none);
  const auto a1 = lanes.enter("a");
  const auto a2 = lanes.enter("a");
  const auto a3 = lanes.enter("a");
  CHECK(lanes.first("a") == a1);
  CHECK(lanes.next(a1) == a2);
  CHECK(lanes.leave(a2) == Lanes::none);
  CHECK(lanes.next(a1) == a3);
  CHECK(lanes.leave(a1) == a3);
  CHECK(lanes.leave(a3) == Lanes::none);
  CHECK(lanes.first("a") == Lanes::none);
}

TEST_CASE("tickets are given again, and stay below the slots there are") {
  Lanes lanes;
  for (int round = 0; round < 10; ++round) {
    std::vector<Lanes::Ticket> tickets;
    for (int i = 0; i < 20; ++i) tickets.push_back(lanes.enter("g" + std::to_string(i % 3)));
    for (const auto ticket : tickets) CHECK(ticket < lanes.slots());
    for (const auto ticket : tickets) lanes.leave(ticket);
  }
  CHECK(lanes.slots() == 20);
}
