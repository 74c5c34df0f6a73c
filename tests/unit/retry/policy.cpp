#include <doctest/doctest.h>

#include <chrono>
#include <optional>

#include <dmq/retry/policy.hpp>

using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Random;
using dmq::retry::backoff;
using dmq::retry::classify;
using dmq::retry::Fault;
using dmq::retry::Policy;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("errors about keys, rights and settings are about no single message") {
  for (int i = 0; i <= static_cast<int>(ErrorKind::handler); ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    const bool expected =
        kind == ErrorKind::authentication || kind == ErrorKind::authorization || kind == ErrorKind::configuration;
    CHECK(dmq::retry::is_about_no_message(Error{.kind = kind}) == expected);
  }
}

TEST_CASE("each kind of error is worth a retry or not") {
  const auto fault = [](ErrorKind kind) { return classify(Error{.kind = kind}); };
  CHECK(fault(ErrorKind::throttled) == Fault::throttled);
  for (const ErrorKind kind : {ErrorKind::network, ErrorKind::timeout, ErrorKind::unavailable, ErrorKind::protocol})
    CHECK(fault(kind) == Fault::transient);
  for (const ErrorKind kind : {ErrorKind::invalid_argument, ErrorKind::configuration, ErrorKind::authentication,
                               ErrorKind::authorization, ErrorKind::rejected, ErrorKind::integrity, ErrorKind::corked,
                               ErrorKind::full, ErrorKind::lease_lost, ErrorKind::cancelled, ErrorKind::closed})
    CHECK(fault(kind) == Fault::permanent);
}

TEST_CASE("a back-off is below base times 2^retries and below the cap, and uses all of that") {
  Random random(1);
  for (const Fault fault : {Fault::transient, Fault::throttled})
    for (int retries = 0; retries < 40; ++retries) {
      const Policy policy{.base = milliseconds(1 + static_cast<int>(random.below(200))),
                          .throttled_base = milliseconds(1 + static_cast<int>(random.below(2000))),
                          .cap = milliseconds(1 + static_cast<int>(random.below(30'000)))};
      const Duration base = fault == Fault::throttled ? policy.throttled_base : policy.base;
      Duration ceiling = base;
      for (int i = 0; i < retries && ceiling < policy.cap; ++i) ceiling *= 2;
      ceiling = std::min(ceiling, policy.cap);
      Duration least = Duration::max();
      Duration most = Duration::zero();
      for (int i = 0; i < 300; ++i) {
        const Duration delay = backoff(policy, retries, fault, std::nullopt, random);
        least = std::min(least, delay);
        most = std::max(most, delay);
      }
      REQUIRE(least >= Duration::zero());
      REQUIRE(most < ceiling);
      REQUIRE(least < ceiling / 10);
      REQUIRE(most > ceiling / 10 * 9);
    }
}

TEST_CASE("the defaults are those of AWS's standard mode") {
  const Policy policy;
  CHECK(policy.max_attempts == 3);
  CHECK(policy.base == milliseconds(50));
  CHECK(policy.throttled_base == seconds(1));
  CHECK(policy.cap == seconds(20));
}

TEST_CASE("what the service asks for is a lower bound, honoured to one cap above our own figure") {
  Random random(2);
  const Policy policy;
  for (int i = 0; i < 1000; ++i) {
    Random same = random;
    const Duration own = backoff(policy, i % 12, Fault::throttled, std::nullopt, same);
    const Duration asked = milliseconds(random.below(60'000));
    Random again = random;
    Random plain = random;
    const Duration mine = backoff(policy, i % 12, Fault::throttled, std::nullopt, plain);
    const Duration delay = backoff(policy, i % 12, Fault::throttled, asked, again);
    REQUIRE(delay == std::max(mine, std::min(asked, mine + policy.cap)));
    REQUIRE(own >= Duration::zero());
  }
  CHECK(backoff(policy, 0, Fault::transient, seconds(5), random) == seconds(5));
  CHECK(backoff(policy, 0, Fault::transient, std::chrono::hours(24), random) <= seconds(20) + milliseconds(50));
}

TEST_CASE("no count of retries overflows") {
  Random random(3);
  for (const int retries : {-1, 30, 31, 63, 64, 1'000'000}) {
    const Duration delay = backoff({}, retries, Fault::transient, std::nullopt, random);
    CHECK(delay >= Duration::zero());
    CHECK(delay < seconds(20));
  }
}
