#include <dmq/testing/rate_limit.hpp>

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using dmq::Ticks;
using dmq::WallTime;
using dmq::testing::QuotaCounter;
using dmq::testing::TokenBucket;

TEST_CASE("a bucket lets its burst in at once and then one in each interval") {
  TokenBucket bucket;
  const dmq::testing::RateLimit limit{.per_second = 10, .burst = 3};
  Ticks now{};
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(limit, now));
  CHECK_FALSE(bucket.take(limit, now));
  for (int i = 0; i < 1000; ++i) {
    CHECK_FALSE(bucket.take(limit, now + 99'999'999ns));
    now += 100ms;
    CHECK(bucket.take(limit, now));
  }
}

TEST_CASE("a bucket holds no more than its burst, however long the pause") {
  TokenBucket bucket;
  const dmq::testing::RateLimit limit{.per_second = 10, .burst = 3};
  CHECK(bucket.take(limit, Ticks{}));
  const Ticks later = Ticks{} + 24h;
  for (int i = 0; i < 3; ++i) CHECK(bucket.take(limit, later));
  CHECK_FALSE(bucket.take(limit, later));
}

TEST_CASE("a rate of 0 bounds nothing") {
  TokenBucket bucket;
  for (int i = 0; i < 100; ++i) CHECK(bucket.take({}, Ticks{}));
}

TEST_CASE("a quota begins anew with each period of the calendar") {
  QuotaCounter counter;
  const dmq::testing::Quota quota{.requests = 2};
  const WallTime midnight = WallTime(24h * 20'454);
  CHECK(counter.take(quota, midnight - 2h));
  CHECK(counter.take(quota, midnight - 1h));
  CHECK_FALSE(counter.take(quota, midnight - 1ns));
  CHECK(counter.take(quota, midnight));
  CHECK(counter.take(quota, midnight + 23h));
  CHECK_FALSE(counter.take(quota, midnight + 23h));
  CHECK(counter.take({}, midnight + 23h));
}
