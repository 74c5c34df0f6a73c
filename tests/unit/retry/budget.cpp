#include <doctest/doctest.h>

#include <dmq/retry/budget.hpp>

using dmq::retry::Budget;
using dmq::retry::Fault;

TEST_CASE("a retry takes 14 tokens of 500, after a throttle 5") {
  Budget budget;
  CHECK(budget.tokens() == 500);
  CHECK(budget.take(Fault::transient));
  CHECK(budget.tokens() == 486);
  CHECK(budget.take(Fault::throttled));
  CHECK(budget.tokens() == 481);
}

TEST_CASE("an empty budget gives nothing, and keeps what is left") {
  Budget budget;
  for (int i = 0; i < 35; ++i) CHECK(budget.take(Fault::transient));
  CHECK(budget.tokens() == 10);
  CHECK_FALSE(budget.take(Fault::transient));
  CHECK(budget.tokens() == 10);
  CHECK(budget.take(Fault::throttled));
  CHECK(budget.take(Fault::throttled));
  CHECK(budget.tokens() == 0);
  CHECK_FALSE(budget.take(Fault::throttled));
}

TEST_CASE("a success gives back what its last retry took, or one, and never overfills") {
  Budget budget;
  budget.give_back(14);
  CHECK(budget.tokens() == 500);
  for (int i = 0; i < 3; ++i) CHECK(budget.take(Fault::transient));
  budget.give_back(14);
  CHECK(budget.tokens() == 472);
  budget.give_back(0);
  CHECK(budget.tokens() == 473);
}
