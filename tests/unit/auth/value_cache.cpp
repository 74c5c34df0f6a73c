#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <dmq/auth/value_cache.hpp>
#include <dmq/testing/manual_clock.hpp>

using dmq::DeliveryState;
using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Random;
using dmq::Ticks;
using dmq::auth::RefreshPolicy;
using dmq::auth::ValueCache;
using dmq::testing::ManualClock;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Cache = ValueCache<std::string>;

/// A cache and a clock, driven in words.
struct Driver {
  ManualClock clock;
  Cache cache;
  std::optional<Error> error{};

  explicit Driver(RefreshPolicy policy = {}, std::uint64_t seed = 7) : cache(policy, seed) {}

  Instant now() const { return dmq::instant(clock); }

  /// "use VALUE/GENERATION", "lead", "wait" or "error KIND".
  std::string acquire() {
    const Cache::Decision decision = cache.acquire(now());
    if (const auto* use = std::get_if<Cache::Use>(&decision))
      return "use " + *use->value + "/" + std::to_string(use->generation);
    if (std::holds_alternative<Cache::Lead>(decision)) return "lead";
    if (std::holds_alternative<Cache::Wait>(decision)) return "wait";
    error = std::get<Error>(decision);
    return "error " + std::string(to_string(error->kind));
  }

  void fetched(std::string value, Duration lifetime = hours(1)) {
    cache.on_fetched({std::move(value), lifetime}, now());
  }
  void failed(ErrorKind kind, std::optional<Duration> retry_after = {}) {
    cache.on_failed({.kind = kind, .delivery = DeliveryState::unknown, .message = "no", .retry_after = retry_after},
                    now());
  }
  /// Of a request that was sent as soon as its value was there.
  void refused(std::uint64_t generation) { cache.refused(generation, dmq::Ticks::min(), now()); }

  /// Fetches a first value.
  void start(Duration lifetime = hours(1)) {
    REQUIRE(acquire() == "lead");
    fetched("a", lifetime);
  }
};

struct Step {
  const char* event;
  const char* expected;
};

void play(Driver& driver, const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    CAPTURE(step.event);
    const std::string event = step.event;
    const auto number = [&] { return std::stoul(event.substr(event.find(' ') + 1)); };
    if (event.starts_with("advance ")) driver.clock.advance(seconds(number()));
    if (event.starts_with("accepted ")) driver.cache.accepted(number());
    if (event.starts_with("refused ")) driver.refused(number());
    if (event.starts_with("fetched ")) driver.fetched(event.substr(8));
    if (event == "failed") driver.failed(ErrorKind::network);
    if (event == "failed: configuration") driver.failed(ErrorKind::configuration);
    if (event == "failed: invalid_client") driver.failed(ErrorKind::authentication);
    if (event == "abandoned") driver.cache.on_abandoned();
    if (*step.expected != '\0') CHECK(driver.acquire() == step.expected);
  }
}

}  // namespace

TEST_CASE("every state of a cached value answers every event") {
  const std::vector<std::pair<const char*, std::vector<Step>>> stories = {
      {"the first caller leads, the others wait, then all use",
       {{"", "lead"}, {"", "wait"}, {"", "wait"}, {"fetched a", "use a/1"}, {"", "use a/1"}}},
      {"a leader that abandons is followed by the next caller",
       {{"", "lead"}, {"", "wait"}, {"abandoned", "lead"}, {"", "wait"}, {"fetched a", "use a/1"}}},
      {"in the refresh window one caller fetches, the others use the old value",
       {{"", "lead"}, {"fetched a", "use a/1"}, {"advance 2700", "lead"}, {"", "use a/1"}, {"fetched b", "use b/2"}}},
      {"a failed refresh is swallowed while the old value lives",
       {{"", "lead"},
        {"fetched a", ""},
        {"advance 2700", "lead"},
        {"failed", "use a/1"},
        {"advance 1", "lead"},
        {"abandoned", "lead"},
        {"failed: invalid_client", "use a/1"},
        {"advance 600", "use a/1"},
        {"advance 270", "error authentication"}}},
      {"nothing is used in its last 30 s",
       {{"", "lead"}, {"fetched a", ""}, {"advance 3569", "lead"}, {"", "use a/1"}, {"advance 1", "wait"}}},
      {"a first failure is an error for a while, then another caller tries",
       {{"", "lead"}, {"", "wait"}, {"failed", "error network"}, {"advance 1", "lead"}, {"", "wait"}}},
      {"an identity that is not accepted is remembered for good",
       {{"", "lead"}, {"failed: invalid_client", "error authentication"}, {"advance 1000000", "error authentication"}}},
      {"what a person can mend is tried again after a minute",
       {{"", "lead"},
        {"failed: configuration", "error configuration"},
        {"advance 59", "error configuration"},
        {"advance 1", "lead"}}},
      {"a refused value is dropped and fetched anew",
       {{"", "lead"}, {"fetched a", "use a/1"}, {"refused 1", "lead"}, {"fetched b", "use b/2"}}},
      {"only the current generation is dropped",
       {{"", "lead"},
        {"fetched a", ""},
        {"refused 1", "lead"},
        {"fetched b", ""},
        {"refused 1", "use b/2"},
        {"refused 7", "use b/2"},
        {"refused 0", "use b/2"}}},
      {"a fresh value that is refused, too, is a configuration error for a minute, then fetched again",
       {{"", "lead"},
        {"fetched a", ""},
        {"refused 1", "lead"},
        {"fetched b", ""},
        {"refused 2", "error configuration"},
        {"advance 59", "error configuration"},
        {"advance 1", "lead"},
        {"fetched c", "use c/3"},
        {"refused 3", "error configuration"},
        {"advance 60", "lead"}}},
      {"a fresh value that had worked counts as revoked",
       {{"", "lead"},
        {"fetched a", ""},
        {"refused 1", "lead"},
        {"fetched b", ""},
        {"accepted 2", "use b/2"},
        {"refused 2", "lead"},
        {"fetched c", "use c/3"},
        {"refused 3", "error configuration"}}},
      {"the acceptance of an older generation says nothing of the current one",
       {{"", "lead"},
        {"fetched a", ""},
        {"refused 1", "lead"},
        {"fetched b", ""},
        {"accepted 1", ""},
        {"refused 2", "error configuration"}}},
      {"a fetch that began before the refusal brings no fresh value",
       {{"", "lead"},
        {"fetched a", ""},
        {"accepted 1", ""},
        {"advance 2700", "lead"},
        {"refused 1", "wait"},
        {"fetched b", "use b/2"},
        {"refused 2", "lead"},
        {"fetched c", "use c/3"},
        {"refused 3", "error configuration"}}},
      {"a refusal does not make a refused identity forgotten",
       {{"", "lead"},
        {"fetched a", ""},
        {"refused 1", "lead"},
        {"fetched b", ""},
        {"advance 2700", "lead"},
        {"failed: invalid_client", "use b/2"},
        {"refused 2", "error authentication"},
        {"advance 60", "error authentication"}}},
      {"a value that is dropped while a refresh is in flight makes the callers wait for that",
       {{"", "lead"}, {"fetched a", ""}, {"advance 2700", "lead"}, {"refused 1", "wait"}, {"failed", "error network"}}},
  };
  for (const auto& [name, steps] : stories) {
    CAPTURE(name);
    Driver driver;
    play(driver, steps);
  }
}

TEST_CASE("a value is refreshed at 75 % of its lifetime, less up to a tenth of it as jitter") {
  Duration earliest = hours(1);
  Duration latest{};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Driver driver({}, seed);
    driver.start(seconds(1000));
    Duration at{};
    while (driver.acquire() != "lead") {
      driver.clock.advance(milliseconds(500));
      at += milliseconds(500);
    }
    earliest = std::min(earliest, at);
    latest = std::max(latest, at);
  }
  CHECK(earliest >= seconds(650));
  CHECK(earliest < seconds(660));
  CHECK(latest <= seconds(750));
  CHECK(latest > seconds(740));
}

TEST_CASE("the lifetime counts from the start of the fetch") {
  Driver driver;
  REQUIRE(driver.acquire() == "lead");
  driver.clock.advance(seconds(10));
  driver.fetched("a", seconds(100));
  driver.clock.advance(seconds(59));
  CHECK(driver.acquire() == "lead");
  CHECK(driver.acquire() == "use a/1");
  driver.clock.advance(seconds(1));
  CHECK(driver.acquire() == "wait");
}

TEST_CASE("a value that expires too soon, or on its way, is a failure with a pause") {
  for (const Duration lifetime : {seconds(30), seconds(0), seconds(-5), seconds(40)}) {
    Driver driver;
    REQUIRE(driver.acquire() == "lead");
    driver.clock.advance(seconds(10));
    driver.fetched("a", lifetime);
    CHECK(driver.acquire() == "error protocol");
    CHECK(driver.error->retry_after == milliseconds(100));
  }
  Driver driver;
  REQUIRE(driver.acquire() == "lead");
  driver.clock.advance(seconds(10));
  driver.fetched("a", seconds(41));
  CHECK(driver.acquire() == "use a/1");
}

TEST_CASE("pauses after failures double from 100 ms to 30 s, and begin anew after a success") {
  Driver driver;
  for (const int pause : {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000}) {
    REQUIRE(driver.acquire() == "lead");
    driver.failed(ErrorKind::network);
    CHECK(driver.acquire() == "error network");
    CHECK(driver.error->retry_after == milliseconds(pause));
    driver.clock.advance(milliseconds(pause) - Duration(1));
    CHECK(driver.acquire() == "error network");
    driver.clock.advance(Duration(1));
  }
  driver.start();
  driver.refused(1);
  REQUIRE(driver.acquire() == "lead");
  driver.failed(ErrorKind::network);
  CHECK(driver.acquire() == "error network");
  CHECK(driver.error->retry_after == milliseconds(100));
}

TEST_CASE("many failures do not overflow the pause") {
  Driver driver;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(driver.acquire() == "lead");
    driver.failed(ErrorKind::unavailable);
    driver.clock.advance(seconds(30));
  }
}

TEST_CASE("a service may ask for a longer pause, up to a minute") {
  const auto pause = [](ErrorKind kind, Duration asked) {
    Driver driver;
    driver.acquire();
    driver.failed(kind, asked);
    driver.acquire();
    return driver.error->retry_after;
  };
  CHECK(pause(ErrorKind::throttled, seconds(5)) == seconds(5));
  CHECK(pause(ErrorKind::throttled, milliseconds(5)) == milliseconds(100));
  CHECK(pause(ErrorKind::throttled, hours(24)) == seconds(60));
  CHECK(pause(ErrorKind::configuration, seconds(5)) == seconds(60));
}

TEST_CASE("errors are of requests that were never sent, and say when it makes sense to ask again") {
  Driver driver;
  driver.acquire();
  driver.failed(ErrorKind::authorization);
  CHECK(driver.acquire() == "error authorization");
  CHECK(driver.error->delivery == DeliveryState::not_sent);
  driver.clock.advance(seconds(20));
  driver.acquire();
  CHECK(driver.error->retry_after == seconds(40));

  Driver other;
  other.acquire();
  other.failed(ErrorKind::authentication, seconds(9));
  CHECK(other.acquire() == "error authentication");
  CHECK(other.error->delivery == DeliveryState::not_sent);
}

TEST_CASE("the error after refusals says what to check") {
  Driver driver({.if_refused = "look here"});
  driver.start();
  driver.refused(1);
  REQUIRE(driver.acquire() == "lead");
  driver.fetched("b");
  driver.refused(2);
  CHECK(driver.acquire() == "error configuration");
  CHECK(driver.error->message == "look here");
  CHECK(driver.error->retry_after == seconds(60));
}

TEST_CASE("a fresh value that was not sent at once may have been revoked since, and another is fetched") {
  Driver driver;
  driver.start();
  driver.refused(1);
  REQUIRE(driver.acquire() == "lead");
  driver.fetched("b");
  driver.clock.advance(std::chrono::milliseconds(101));
  driver.cache.refused(2, driver.now().ticks, driver.now());
  REQUIRE(driver.acquire() == "lead");
  driver.fetched("c");
  driver.cache.refused(3, driver.now().ticks, driver.now());
  CHECK(driver.acquire() == "error configuration");
}

TEST_CASE("a value for ever is never refreshed") {
  for (const Duration lifetime : {Duration::max(), Duration::max() - Duration(1), Duration(hours(100 * 365 * 24))}) {
    Driver driver;
    driver.start(lifetime);
    driver.clock.advance(hours(99 * 365 * 24));
    CHECK(driver.acquire() == "use a/1");
    driver.refused(1);
    CHECK(driver.acquire() == "lead");
  }
}

TEST_CASE("a refresh may be asked for at a fixed time ahead of the end") {
  Driver driver({.ahead = std::chrono::minutes(5)});
  driver.start(hours(1));
  driver.clock.advance(std::chrono::minutes(55) - seconds(1));
  CHECK(driver.acquire() == "use a/1");
  driver.clock.advance(seconds(1));
  CHECK(driver.acquire() == "lead");
  // A lifetime shorter than that is refreshed by its part.
  Driver brief({.ahead = std::chrono::minutes(5)});
  brief.start(seconds(100));
  CHECK(brief.acquire() == "use a/1");
  brief.clock.advance(seconds(75));
  CHECK(brief.acquire() == "lead");
}

TEST_CASE("a value in use outlives the cache's own") {
  Driver driver;
  driver.start();
  const auto use = std::get<Cache::Use>(driver.cache.acquire(driver.now()));
  driver.refused(1);
  driver.acquire();
  driver.fetched("b");
  CHECK(*use.value == "a");
}

namespace {

/// What the cache should do, from the history alone.
struct Model {
  struct Value {
    Ticks started;
    Duration lifetime;
    bool fetched_after_refusal;
    bool accepted = false;
    bool dropped = false;
  };
  std::vector<Value> values{};
  bool fetching = false;
  Ticks fetch_started{};
  bool refused_before_fetch = false;
  bool refused = false;  ///< Since the last acceptance.
  int failures = 0;
  Ticks blocked_until = Ticks::min();
  ErrorKind error = ErrorKind::protocol;

  bool usable(Ticks now) const {
    return !values.empty() && !values.back().dropped &&
           now < values.back().started + values.back().lifetime - seconds(30);
  }
  double age(Ticks now) const {
    return static_cast<double>((now - values.back().started).count()) /
           static_cast<double>(values.back().lifetime.count());
  }
  bool may_lead(Ticks now) const { return !fetching && now >= blocked_until && (!usable(now) || age(now) >= 0.65); }
  bool must_lead(Ticks now) const { return !fetching && now >= blocked_until && (!usable(now) || age(now) > 0.7501); }

  void block(Ticks now, ErrorKind kind, Duration pause) {
    blocked_until = now + pause;
    error = kind;
  }
  void fail(Ticks now, ErrorKind kind) {
    fetching = false;
    if (kind == ErrorKind::authentication) {
      blocked_until = Ticks::max();
      error = kind;
    } else if (kind == ErrorKind::configuration) {
      block(now, kind, seconds(60));
    } else {
      Duration pause = milliseconds(100);
      for (int i = 0; i < failures && pause < seconds(30); ++i) pause *= 2;
      block(now, kind, std::min<Duration>(pause, seconds(30)));
    }
    ++failures;
  }
  void fetch(Ticks now, Duration lifetime) {
    if (fetch_started + lifetime - seconds(30) <= now) return fail(now, ErrorKind::protocol);
    fetching = false;
    failures = 0;
    blocked_until = Ticks::min();
    values.push_back({fetch_started, lifetime, refused_before_fetch});
  }
  void accept(std::uint64_t generation) {
    if (generation == 0 || generation != values.size()) return;
    values.back().accepted = true;
    refused = false;
  }
  void refuse(Ticks now, std::uint64_t generation) {
    if (generation == 0 || generation != values.size() || values.back().dropped) return;
    values.back().dropped = true;
    refused = true;
    if (values.back().fetched_after_refusal && !values.back().accepted && blocked_until != Ticks::max())
      block(now, ErrorKind::configuration, seconds(60));
  }
};

}  // namespace

TEST_CASE("ten thousand random histories go as the naive model says") {
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    Instant now = ManualClock::default_start;
    Cache cache({}, seed);
    Model model;
    for (int step = 0; step < 60; ++step) {
      CAPTURE(step);
      const Duration longest = random.chance(0.3) ? Duration(seconds(600)) : Duration(seconds(20));
      now = now + Duration(static_cast<Duration::rep>(random.below(static_cast<std::uint64_t>(longest.count()))));
      const std::uint64_t generation = model.values.size() - (random.chance(0.2) && !model.values.empty() ? 1 : 0);
      const std::uint64_t event = random.below(8);
      if (event < 3) {
        const Cache::Decision decision = cache.acquire(now);
        const bool usable = model.usable(now.ticks);
        if (std::holds_alternative<Cache::Lead>(decision)) {
          REQUIRE(model.may_lead(now.ticks));
          model.fetching = true;
          model.fetch_started = now.ticks;
          model.refused_before_fetch = model.refused;
        } else {
          REQUIRE_FALSE(model.must_lead(now.ticks));
          REQUIRE(std::holds_alternative<Cache::Use>(decision) == usable);
          REQUIRE(std::holds_alternative<Cache::Wait>(decision) == (!usable && model.fetching));
        }
        if (const auto* use = std::get_if<Cache::Use>(&decision)) {
          REQUIRE(use->generation == model.values.size());
          REQUIRE(*use->value == std::to_string(use->generation));
        }
        if (const auto* error = std::get_if<Error>(&decision)) {
          REQUIRE(error->kind == model.error);
          if (model.blocked_until != Ticks::max()) REQUIRE(error->retry_after == model.blocked_until - now.ticks);
        }
      } else if (event == 3 && model.fetching) {
        const Duration lifetime = seconds(20 + random.below(400));
        cache.on_fetched({std::to_string(model.values.size() + 1), lifetime}, now);
        model.fetch(now.ticks, lifetime);
      } else if (event == 4 && model.fetching) {
        const ErrorKind kind = random.chance(0.05)  ? ErrorKind::authentication
                               : random.chance(0.3) ? ErrorKind::configuration
                                                    : ErrorKind::network;
        cache.on_failed({.kind = kind}, now);
        model.fail(now.ticks, kind);
      } else if (event == 5 && model.fetching) {
        cache.on_abandoned();
        model.fetching = false;
      } else if (event == 6) {
        cache.accepted(generation);
        model.accept(generation);
      } else if (event == 7) {
        cache.refused(generation, dmq::Ticks::min(), now);
        model.refuse(now.ticks, generation);
      }
    }
  }
}
