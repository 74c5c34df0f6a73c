#include <doctest/doctest.h>

#include <iterator>
#include <map>
#include <string>
#include <utility>

#include <dmq/core/random.hpp>
#include <dmq/engine/group_table.hpp>

using dmq::Random;
using dmq::engine::GroupTable;

TEST_CASE("a group table that never held a group finds none") {
  const GroupTable<int> table;
  CHECK(table.find("a") == GroupTable<int>::none);
  CHECK(table.size() == 0);
}

TEST_CASE("a group that is added again keeps its number and its value") {
  GroupTable<int> table;
  const auto a = table.add("a");
  table[a] = 7;
  const auto b = table.add("b");
  CHECK(a != b);
  CHECK(table.add("a") == a);
  CHECK(table[a] == 7);
  CHECK(table[b] == 0);
  CHECK(table.size() == 2);
}

TEST_CASE("a number that is given again has an empty value") {
  GroupTable<int> table;
  const auto a = table.add("a");
  table[a] = 7;
  table.erase(a);
  CHECK(table.find("a") == GroupTable<int>::none);
  const auto b = table.add("b");
  CHECK(b == a);
  CHECK(table[b] == 0);
}

TEST_CASE("a group table does what a map does, while it grows and shrinks") {
  Random random(11);
  GroupTable<int> table;
  std::map<std::string, std::pair<GroupTable<int>::Number, int>> naive;
  for (int step = 0; step < 60'000; ++step) {
    // Mostly more, then mostly fewer, again and again.
    const bool adds = random.chance(step / 5'000 % 2 == 0 ? 0.6 : 0.4);
    if (adds || naive.empty()) {
      const std::string group = "group " + std::to_string(random.below(3'000));
      const auto number = table.add(group);
      const auto known = naive.find(group);
      if (known == naive.end()) {
        REQUIRE(table[number] == 0);
        table[number] = step + 1;
        naive[group] = {number, step + 1};
      } else {
        REQUIRE(number == known->second.first);
      }
    } else {
      const auto from = naive.lower_bound("group " + std::to_string(random.below(3'000)));
      const auto gone = from == naive.end() ? naive.begin() : from;
      table.erase(gone->second.first);
      REQUIRE(table.find(gone->first) == GroupTable<int>::none);
      naive.erase(gone);
    }
    REQUIRE(table.size() == naive.size());
    if (step % 100 != 0) continue;
    for (const auto& [group, held] : naive) {
      REQUIRE(table.find(group) == held.first);
      REQUIRE(table[held.first] == held.second);
    }
  }
}
