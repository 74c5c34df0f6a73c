#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <dmq/engine/lease_changes.hpp>

using dmq::ConsumeSettings;
using dmq::Delivery;
using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Lease;
using dmq::Result;
using dmq::Ticks;
using dmq::engine::ChangeOrder;
using dmq::engine::Held;
using dmq::engine::LeaseChanges;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Ids = std::vector<std::string>;

namespace {

constexpr Instant start{.ticks = Ticks(seconds(1000))};

Instant at(int second) {
  return start + seconds(second);
}

/// Leases of 30 s.
struct Bench {
  ConsumeSettings settings{.queue_url = "http://localhost/0/q.fifo"};
  dmq::engine::ConsumeLanes lanes{false};
  dmq::engine::LeaseBook leases{settings};
  dmq::engine::RunLog log{true};
  LeaseChanges changes{settings, lanes, leases, log};

  /// Takes message `id` ("a1": of group "a") at `since`, for the `count`th time.
  Held& take(const std::string& id, Instant since = start, int count = 1) {
    Held& held = lanes.add(lanes.lane(id.substr(0, 1)),
                           Delivery{.message_id = id,
                                    .group = id.substr(0, 1),
                                    .sequence_number = id.substr(1),
                                    .receive_count = count,
                                    .receipt_handle = id + "/" + std::to_string(count)},
                           Lease([] { return start.ticks; }));
    leases.open(held, since.ticks);
    return held;
  }
  void give_back(Held& held, Ticks visible_at) {
    changes.plan(held, visible_at, false);
    leases.close(held);
    lanes.remove(held);
  }
  /// What goes out at that time, as "handle seconds".
  Ids out(Instant now) {
    Ids ids;
    orders = changes.take(now);
    for (const ChangeOrder& order : orders)
      ids.push_back(order.receipt_handle + " " + std::to_string(order.visibility.count()));
    return ids;
  }
  Held* settle(const Result<void>& result, Instant now, bool may_land_again = false) {
    return changes.settle(orders.at(0), result, {.at = now, .may_land_again = may_land_again}, now);
  }

  std::vector<ChangeOrder> orders;
};

const Error lost{.kind = ErrorKind::timeout, .delivery = DeliveryState::unknown};
const Error refused{.kind = ErrorKind::unavailable, .delivery = DeliveryState::rejected};
const Error gone{.kind = ErrorKind::lease_lost, .delivery = DeliveryState::rejected};

}  // namespace

TEST_CASE("what is planned goes out once, in whole seconds, and leaves a lease no longer than that") {
  Bench bench;
  Held& held = bench.take("a1");
  bench.changes.plan(held, (start + milliseconds(5500)).ticks, true);
  CHECK_FALSE(bench.changes.empty());
  CHECK(bench.changes.next() == Ticks::min());
  CHECK(bench.out(at(1)) == Ids{"a1/1 5"});
  CHECK(held.leased_until == at(6).ticks);
  CHECK(bench.changes.empty());
  CHECK(bench.out(at(1)).empty());
}

TEST_CASE("what was cancelled, has lapsed or was replaced does not go out") {
  Bench bench;
  Held& cancelled = bench.take("a1");
  bench.changes.plan(cancelled, at(5).ticks, true);
  cancelled.extend_at = Held::never;
  bench.changes.cancel(cancelled);
  CHECK_FALSE(cancelled.changing);
  bench.give_back(bench.take("b1"), at(0).ticks);
  CHECK(bench.out(at(30)).empty());
  Held& replaced = bench.take("c1", at(30));
  bench.changes.plan(replaced, at(40).ticks, true);
  bench.changes.plan(replaced, at(50).ticks, true);
  CHECK(bench.out(at(30)) == Ids{"c1/1 20"});
}

TEST_CASE("what was given back and has come again is not taken away by its older handle") {
  Bench bench;
  bench.give_back(bench.take("a1"), start.ticks);
  bench.take("a1", at(1), 2);
  CHECK(bench.out(at(1)).empty());
  Bench twice;
  twice.give_back(twice.take("a1"), start.ticks);
  twice.give_back(twice.take("a1", at(1), 2), at(1).ticks);
  CHECK(twice.out(at(1)) == Ids{"a1/2 0"});
}

TEST_CASE("leases go on when half of them is not gone yet, with what goes out anyhow a little sooner") {
  Bench bench;
  Held& held = bench.take("a1");
  CHECK(bench.changes.next() == at(12).ticks);
  CHECK(bench.out(at(9)).empty());
  CHECK(bench.out(at(12)) == Ids{"a1/1 30"});
  CHECK(held.changing);
  CHECK(bench.settle({}, at(13)) == nullptr);
  CHECK(held.leased_until == at(43).ticks);
  bench.take("b1", at(15));
  bench.give_back(bench.take("c1", at(15)), at(15).ticks);
  CHECK(bench.out(at(24)) == Ids{"c1/1 0", "a1/1 30", "b1/1 30"});
}

TEST_CASE("a request has ten changes at most") {
  Bench bench;
  for (int i = 10; i < 23; ++i) bench.give_back(bench.take("a" + std::to_string(i)), start.ticks);
  CHECK(bench.out(start).size() == 10);
  CHECK(bench.out(start).size() == 3);
}

TEST_CASE("of a lease that the queue does not know the message is lost, unless it is only to be deleted") {
  Bench bench;
  Held& held = bench.take("a1");
  REQUIRE(bench.out(at(12)).size() == 1);
  CHECK(bench.settle(gone, at(13)) == &held);
  held.state = Held::State::finished;
  CHECK(bench.settle(gone, at(13)) == nullptr);
  CHECK(held.extend_at == Held::never);
}

TEST_CASE("what ends a run loses no lease") {
  Bench bench;
  bench.take("a1");
  REQUIRE(bench.out(at(12)).size() == 1);
  CHECK(bench.settle(Error{.kind = ErrorKind::authorization, .delivery = DeliveryState::rejected}, at(13)) == nullptr);
}

TEST_CASE("a change that failed is made again, and one that may have been made counts as made") {
  for (const bool may_have_been : {false, true}) {
    CAPTURE(may_have_been);
    Bench bench;
    Held& tail = bench.take("a2");
    tail.lane->awaited = {"a1", {"1", 1}, at(10).ticks};
    bench.changes.plan(tail, at(12).ticks, true);
    REQUIRE(bench.out(start) == Ids{"a2/1 12"});
    CHECK(bench.settle(may_have_been ? lost : refused, at(1)) == nullptr);
    CHECK(tail.leased_until == (may_have_been ? at(12) : at(30)).ticks);
    CHECK(tail.changing);
    CHECK(bench.out(at(2)) == Ids{"a2/1 10"});
  }
}

TEST_CASE("a shorter lease that may still land bounds what later answers promise") {
  Bench bench;
  Held& tail = bench.take("a2");
  bench.changes.plan(tail, at(12).ticks, true);
  REQUIRE(bench.out(start) == Ids{"a2/1 12"});
  CHECK(bench.settle({}, at(1), true) == nullptr);
  bench.leases.renew(tail, at(5).ticks, seconds(30));
  CHECK(tail.leased_until == at(17).ticks);
  bench.leases.renew(tail, at(36).ticks, seconds(30));
  CHECK(tail.leased_until == at(66).ticks);
}

TEST_CASE("an answer about an older handle changes nothing") {
  Bench bench;
  Held& held = bench.take("a1");
  REQUIRE(bench.out(at(12)).size() == 1);
  held.receipt_handle = "a1/2";
  bench.leases.open(held, at(14).ticks);
  for (const Result<void>& result : {Result<void>(), Result<void>(gone), Result<void>(lost)}) {
    CHECK(bench.settle(result, at(15)) == nullptr);
    CHECK(held.leased_until == at(44).ticks);
  }
}
