#include <doctest/doctest.h>

#include <array>

#include <dmq/core/random.hpp>

using dmq::Random;

TEST_CASE("the numbers of a seed are those of the published generator") {
  // xoshiro256** with the state that SplitMix64 makes of 0.
  Random random(0);
  CHECK(random.next() == 0x99ec5f36cb75f2b4);
  CHECK(random.next() == 0xbf6e1f784956452a);
  CHECK(random.next() == 0x1a5f849d4933e6e0);
  CHECK(random.next() == 0x6aa594f1262d2d2c);
}

TEST_CASE("equal seeds give equal numbers, others do not") {
  Random first(7);
  Random second(7);
  Random third(8);
  int equal = 0;
  for (int i = 0; i < 100; ++i) {
    const auto number = first.next();
    CHECK(number == second.next());
    if (number == third.next()) ++equal;
  }
  CHECK(equal == 0);
}

TEST_CASE("a bounded number stays below its bound and reaches each value") {
  Random random(1);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6000; ++i) {
    const auto number = random.below(6);
    REQUIRE(number < 6);
    ++counts[number];
  }
  for (const int count : counts) CHECK((count > 800 && count < 1200));
  for (int i = 0; i < 100; ++i) CHECK(random.below(1) == 0);
  for (int i = 0; i < 1000; ++i) CHECK(random.below((std::uint64_t{1} << 53) + 3) < (std::uint64_t{1} << 53) + 3);
}

TEST_CASE("a chance of none never comes, a chance of one always") {
  Random random(2);
  int half = 0;
  for (int i = 0; i < 1000; ++i) {
    CHECK_FALSE(random.chance(0));
    CHECK(random.chance(1));
    if (random.chance(0.5)) ++half;
    const double number = random.uniform();
    CHECK((number >= 0 && number < 1));
  }
  CHECK((half > 400 && half < 600));
}
