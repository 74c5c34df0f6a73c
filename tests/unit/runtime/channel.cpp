#include <doctest/doctest.h>

#include <latch>
#include <stdexcept>
#include <thread>
#include <vector>

#include <dmq/runtime/channel.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>
#include <support/producers.hpp>

using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::Ticks;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;

namespace {

using Channel = dmq::runtime::Channel<ScriptedTransport, decltype(support::bearer()), ManualClock, dmq::NoObserver>;

dmq::http::Response token(const char* name) {
  return {.status = 200,
          .body = std::string(R"({"access_token":")") + name + R"(","token_type":"Bearer","expires_in":3600})"};
}

/// Takes every answer that it is asked about for a refusal of its value.
struct Distrustful {
  using value_type = int;
  dmq::auth::RefreshPolicy refresh_policy() const { return {}; }
  dmq::Result<dmq::auth::Fetched<int>> fetch(ScriptedTransport&, dmq::Instant, std::stop_token) {
    return dmq::auth::Fetched<int>{.value = 1};
  }
  dmq::Result<void> authorize(dmq::http::Request&, int, dmq::Instant) { return {}; }
  dmq::auth::Verdict verdict(const dmq::http::Response&, dmq::Instant) { return dmq::auth::Verdict::stale_value; }
};

struct Fixture {
  ScriptedTransport transport{};
  ManualClock clock{};
  Channel channel{transport, support::bearer(), clock, dmq::NoObserver(), 1};
};

}  // namespace

TEST_CASE("many callers without a token cost one token request, and all get its token") {
  Fixture f;
  f.transport.reply(token("t1"));
  f.transport.block();
  std::vector<std::jthread> threads;
  std::atomic<int> got = 0;
  for (int i = 0; i < 64; ++i)
    threads.emplace_back([&] {
      const auto use = f.channel.acquire({}, Ticks::max());
      if (use && use->value->reveal() == "t1") ++got;
    });
  f.transport.block_until(1);
  f.transport.release();
  threads.clear();
  CHECK(got == 64);
  CHECK(f.transport.count() == 1);
}

TEST_CASE("when the leader stops, a follower leads") {
  Fixture f;
  f.transport.reply(token("never")).reply(token("t2"));
  f.transport.block();
  std::stop_source stop;
  std::jthread leader([&] {
    const auto use = f.channel.acquire(stop.get_token(), Ticks::max());
    REQUIRE_FALSE(use);
    CHECK(use.error().kind == ErrorKind::cancelled);
    CHECK(use.error().delivery == DeliveryState::not_sent);
  });
  f.transport.block_until(1);
  std::jthread follower([&] {
    const auto use = f.channel.acquire({}, Ticks::max());
    REQUIRE(use);
    CHECK(use->value->reveal() == "t2");
  });
  stop.request_stop();
  f.transport.block_until(2);
  f.transport.release();
}

TEST_CASE("a follower does not wait longer than its deadline, nor beyond its stop") {
  Fixture f;
  f.transport.reply(token("t1"));
  f.transport.block();
  std::jthread leader([&] { CHECK(f.channel.acquire({}, Ticks::max())); });
  f.transport.block_until(1);
  std::jthread impatient([&] {
    const auto use = f.channel.acquire({}, f.clock.ticks() + std::chrono::seconds(5));
    REQUIRE_FALSE(use);
    CHECK(use.error().kind == ErrorKind::timeout);
    CHECK(use.error().delivery == DeliveryState::not_sent);
  });
  f.clock.block_until(1);
  f.clock.advance(std::chrono::seconds(5));
  impatient.join();
  std::stop_source stop;
  std::jthread stopped([&] {
    const auto use = f.channel.acquire(stop.get_token(), Ticks::max());
    REQUIRE_FALSE(use);
    CHECK(use.error().kind == ErrorKind::cancelled);
  });
  f.clock.block_until(1);
  stop.request_stop();
  stopped.join();
  f.transport.release();
}

TEST_CASE("a token is used until its refresh, and the old one while the new one is on its way") {
  Fixture f;
  f.transport.reply(token("t1")).reply(token("t2"));
  REQUIRE(f.channel.acquire({}, Ticks::max()));
  f.clock.advance(std::chrono::minutes(38));
  CHECK(f.channel.acquire({}, Ticks::max())->value->reveal() == "t1");
  CHECK(f.transport.count() == 1);
  f.clock.advance(std::chrono::minutes(8));
  f.transport.block();
  std::jthread leader([&] { CHECK(f.channel.acquire({}, Ticks::max())->value->reveal() == "t2"); });
  f.transport.block_until(2);
  CHECK(f.channel.acquire({}, Ticks::max())->value->reveal() == "t1");
  f.transport.release();
}

TEST_CASE("a refresh that fails is swallowed while the old token lives") {
  Fixture f;
  f.transport.reply(token("t1")).otherwise([](const dmq::http::Request&) {
    return dmq::http::Response{.status = 500};
  });
  REQUIRE(f.channel.acquire({}, Ticks::max()));
  f.clock.advance(std::chrono::minutes(50));
  CHECK(f.channel.acquire({}, Ticks::max())->value->reveal() == "t1");
  f.clock.advance(std::chrono::minutes(9));
  CHECK(f.channel.acquire({}, Ticks::max())->value->reveal() == "t1");
  f.clock.advance(std::chrono::seconds(31));
  const auto use = f.channel.acquire({}, Ticks::max());
  REQUIRE_FALSE(use);
  CHECK(use.error().kind == ErrorKind::unavailable);
}

TEST_CASE("what a transport throws is an error: of unknown fate for a request, not sent for a token") {
  Fixture f;
  f.transport.otherwise(
      [](const dmq::http::Request&) -> dmq::Result<dmq::http::Response> { throw std::runtime_error("boom"); });
  const auto response = f.channel.send({.url = "http://localhost/"}, {});
  REQUIRE_FALSE(response);
  CHECK(response.error().delivery == DeliveryState::unknown);
  const auto use = f.channel.acquire({}, Ticks::max());
  REQUIRE_FALSE(use);
  CHECK(use.error().delivery == DeliveryState::not_sent);
}

TEST_CASE("a leader that leaves by an exception of any kind leaves nobody waiting") {
  Fixture f;
  f.transport.reply([](const dmq::http::Request&) -> dmq::Result<dmq::http::Response> { throw 7; });
  f.transport.reply(token("t2"));
  CHECK_FALSE(f.channel.acquire({}, Ticks::max()));
  f.clock.advance(std::chrono::seconds(1));
  REQUIRE(f.channel.acquire({}, Ticks::max()));
}

TEST_CASE("an authority is asked about every answer that is no success, and about no other") {
  dmq::runtime::Channel<ScriptedTransport, Distrustful, ManualClock, dmq::NoObserver> channel{
      ScriptedTransport(), Distrustful(), ManualClock(), dmq::NoObserver(), 1};
  for (const int status : {200, 204, 299}) CHECK(channel.verdict({.status = status}) == dmq::auth::Verdict::ok);
  for (const int status : {0, 199, 300, 400, 401, 403, 500})
    CHECK(channel.verdict({.status = status}) == dmq::auth::Verdict::stale_value);
}
