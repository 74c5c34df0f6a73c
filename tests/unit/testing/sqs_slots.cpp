#include <dmq/testing/sqs_slots.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <dmq/core/random.hpp>

using dmq::testing::no_slot;
using dmq::testing::Slot;
using dmq::testing::SlotIndex;
using dmq::testing::SlotPool;

TEST_CASE("a pool uses places again that were given back, empty") {
  SlotPool<std::string> pool;
  const Slot first = pool.add("first");
  const Slot second = pool.add("second");
  CHECK(pool[first] == "first");
  pool.remove(first);
  CHECK(pool[first].empty());
  CHECK(pool.size() == 1);
  CHECK(pool.add("third") == first);
  CHECK(pool[first] == "third");
  CHECK(pool[second] == "second");
  CHECK(pool.size() == 2);
}

TEST_CASE("an index finds what was added and not removed, also where hashes are equal") {
  for (const std::uint64_t hashes : {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{100'000}}) {
    CAPTURE(hashes);
    dmq::Random random(hashes);
    SlotIndex index;
    std::map<Slot, std::uint64_t> added;
    const auto find = [&](std::uint64_t hash, Slot slot) {
      return index.find(hash, [&](Slot candidate) { return candidate == slot; });
    };
    for (int step = 0; step < 3'000; ++step) {
      const auto slot = static_cast<Slot>(random.below(60));
      const auto known = added.find(slot);
      if (known == added.end()) {
        const std::uint64_t hash = random.below(hashes);
        REQUIRE(find(hash, slot) == no_slot);
        index.add(hash, slot);
        added.emplace(slot, hash);
      } else {
        index.remove(known->second, slot);
        added.erase(known);
      }
      for (const auto& [present, hash] : added) REQUIRE(find(hash, present) == present);
    }
  }
}
