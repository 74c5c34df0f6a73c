#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <dmq/delivery.hpp>

using dmq::Delivery;
using dmq::Fence;

TEST_CASE("a fence rises with the sequence number, then with the receive count") {
  const std::vector<Fence> rising = {{"", 0},
                                     {"", 1},
                                     {"9", 1},
                                     {"10", 1},
                                     {"18849496460467696128", 1},
                                     {"18849496460467696128", 2},
                                     {"18849496460467696128", 10},
                                     {"18849496460467696129", 1},
                                     {"100000000000000000000", 1}};
  for (std::size_t i = 0; i < rising.size(); ++i)
    for (std::size_t j = 0; j < rising.size(); ++j) {
      CHECK((rising[i] < rising[j]) == (i < j));
      CHECK((rising[i] == rising[j]) == (i == j));
      CHECK((rising[i] > rising[j]) == (i > j));
    }
}

TEST_CASE("a delivery's fence is its sequence number and receive count") {
  const Delivery delivery{.sequence_number = "7", .receive_count = 3};
  CHECK(delivery.fence() == Fence{"7", 3});
}

TEST_CASE("what is left of a lease is never below zero") {
  using std::chrono::seconds;
  const Delivery delivery{.leased_until = dmq::Ticks(seconds(100))};
  CHECK(delivery.remaining(dmq::Ticks(seconds(90))) == seconds(10));
  CHECK(delivery.remaining(dmq::Ticks(seconds(100))) == seconds(0));
  CHECK(delivery.remaining(dmq::Ticks(seconds(500))) == seconds(0));
}
