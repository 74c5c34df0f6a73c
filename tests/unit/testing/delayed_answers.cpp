#include <dmq/testing/delayed_answers.hpp>

#include <doctest/doctest.h>

#include <vector>

using namespace std::chrono_literals;
using dmq::Ticks;
using dmq::testing::Answered;
using dmq::testing::DelayedAnswers;

TEST_CASE("answers come when they are due, in the order of their times, and not when they were cancelled") {
  DelayedAnswers delayed;
  CHECK_FALSE(delayed.next_deadline());
  delayed.add(1, {.status = 201}, Ticks{3s});
  delayed.add(2, {.status = 202}, Ticks{1s});
  delayed.add(3, {.status = 203}, Ticks{2s});
  delayed.add(4, {.status = 204}, Ticks{1s});
  CHECK(delayed.next_deadline() == Ticks{1s});
  delayed.cancel(2);
  delayed.cancel(9);
  std::vector<Answered> answered;
  delayed.advance(Ticks{1s} - 1ns, answered);
  CHECK(answered.empty());
  delayed.advance(Ticks{2s}, answered);
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].id == 4);
  CHECK(answered[0].response.status == 204);
  CHECK(answered[1].id == 3);
  CHECK(delayed.next_deadline() == Ticks{3s});
  delayed.advance(Ticks{3s}, answered);
  CHECK(answered.size() == 3);
  CHECK_FALSE(delayed.next_deadline());
}
