#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/consume_machine.hpp>

using dmq::ConsumeSettings;
using dmq::DeliveryState;
using dmq::Disposition;
using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::Instant;
using dmq::Lease;
using dmq::Result;
using dmq::RunReport;
using dmq::StopPoll;
using dmq::Ticks;
using dmq::Unfinished;
using dmq::WallTime;
using dmq::engine::ChangeOrder;
using dmq::engine::Claim;
using dmq::engine::ConsumeMachine;
using dmq::engine::DeleteOrder;
using dmq::engine::PollOrder;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Names = std::vector<std::string>;

Error failure(ErrorKind kind, DeliveryState delivery, int status = 0) {
  return {.kind = kind, .delivery = delivery, .message = "x", .http_status = status};
}
const Error lost = failure(ErrorKind::network, DeliveryState::unknown);
const Error throttled = failure(ErrorKind::throttled, DeliveryState::rejected, 403);
const Error refused{.kind = ErrorKind::rejected,
                    .delivery = DeliveryState::rejected,
                    .message = "x",
                    .http_status = 400,
                    .service_code = "ReceiptHandleIsInvalid"};
const Error denied = failure(ErrorKind::authorization, DeliveryState::rejected, 403);
const Error cancelled = failure(ErrorKind::cancelled, DeliveryState::unknown);

Names ids(const std::vector<Unfinished>& all) {
  Names names;
  for (const Unfinished& one : all) names.push_back(one.message_id);
  std::sort(names.begin(), names.end());
  return names;
}

/// A machine with its time, with leases of 30 s. Message "a2" is the second of group a; its n-th handle is "a2/n".
struct Bench {
  explicit Bench(ConsumeSettings with = {}, std::string queue = "http://h/1/q.fifo") : settings(std::move(with)) {
    settings.queue_url = std::move(queue);
    settings.new_id = [this] { return std::to_string(++attempts); };
  }

  void pass(Duration by) {
    now = now + by;
    machine.on_timer(now);
  }

  std::optional<PollOrder> poll() { return machine.take_poll(now); }
  /// What a poll brings; "!a1" is damaged.
  void arrive(const Names& names) {
    std::vector<dmq::sqs::Arrival> arrivals;
    for (const std::string& name : names) arrivals.push_back(arrival(name));
    machine.on_polled(std::move(arrivals), now.ticks, now);
  }
  dmq::sqs::Arrival arrival(const std::string& name) {
    const std::string id = name.substr(name.starts_with("!") ? 1 : 0);
    const int count = ++received[id];
    dmq::sqs::Arrival arrival{
        .message = {
            .message_id = id, .receipt_handle = id + "/" + std::to_string(count), .body = id, .receive_count = count}};
    if (settings.queue_type() == dmq::QueueType::fifo) {
      arrival.message.group = id.substr(0, 1);
      arrival.message.sequence_number = std::string(21 - id.size(), '0') + id.substr(1);
    }
    if (id != name) arrival.damage = failure(ErrorKind::integrity, DeliveryState::rejected, 200);
    return arrival;
  }

  /// All that workers get now.
  Names work() {
    Names names;
    while (std::optional<Claim> claim = machine.take_work(now)) {
      const std::string name = claim->delivery->message_id;
      names.push_back(name);
      claims.insert_or_assign(name, *std::move(claim));
    }
    return names;
  }
  void end(const std::string& name, Disposition disposition = {}, std::optional<Error> error = {}) {
    machine.on_handled(claims.at(name).id, {disposition, std::move(error)}, milliseconds(5), now);
  }
  Lease lease(const std::string& name) const { return claims.at(name).lease; }
  /// How many seconds of it are left.
  double left(const std::string& name) const {
    return std::chrono::duration<double>(lease(name).until() - now.ticks).count();
  }

  /// The handles that are to be deleted.
  Names deletes() {
    deleting = machine.take_deletes(now);
    Names handles;
    for (const DeleteOrder& order : deleting) handles.push_back(order.receipt_handle);
    return handles;
  }
  void deleted() { deleted(std::vector<Result<void>>(deleting.size())); }
  void deleted(const ConsumeMachine::Outcome& outcome) {
    machine.on_deleted(std::exchange(deleting, {}), outcome, now);
  }
  /// Handles and deletes.
  void finish(const std::string& name) {
    end(name);
    deletes();
    deleted();
  }

  /// "extend a1/1 30", "keep a2/1 12" for a tail, "back a1/1 10" for what is given back.
  Names changes() {
    changing = machine.take_changes(now);
    asked = now;
    Names names;
    for (const ChangeOrder& order : changing)
      names.push_back(std::string(order.extends     ? "extend "
                                  : order.held != 0 ? "keep "
                                                    : "back ") +
                      order.receipt_handle + " " + std::to_string(order.visibility.count()));
    return names;
  }
  void changed() { changed(std::vector<Result<void>>(changing.size())); }
  void changed(const ConsumeMachine::Outcome& outcome) {
    machine.on_changed(std::exchange(changing, {}), outcome, {.at = asked}, now);
  }
  /// Carries out all that is due.
  void change_all() {
    while (!changes().empty()) changed();
  }

  std::vector<EventKind> events() {
    std::vector<EventKind> kinds;
    for (const auto& notice : machine.take_notices()) kinds.push_back(notice.kind);
    return kinds;
  }
  Duration until_next() {
    const Ticks next = machine.next_deadline();
    return next <= now.ticks ? Duration::zero() : next - now.ticks;
  }
  const RunReport& report() const { return machine.report(); }

  int attempts = 0;
  ConsumeSettings settings;
  Instant now{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};
  ConsumeMachine machine{settings, [this] { return now.ticks; }, 1, true};
  std::map<std::string, int> received{};
  std::map<std::string, Claim> claims{};
  std::vector<DeleteOrder> deleting{};
  std::vector<ChangeOrder> changing{};
  Instant asked{};
};

}  // namespace

namespace doctest {
template <>
struct StringMaker<Names> {
  static String convert(const Names& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return ("{" + text + "}").c_str();
  }
};
}  // namespace doctest

// Lanes.

TEST_CASE("groups side by side, and in a group the next begins when the delete of the one before is confirmed") {
  Bench bench;
  bench.arrive({"a1", "a2", "b1"});
  CHECK(bench.work() == Names{"a1", "b1"});
  CHECK(bench.machine.running() == 2);
  bench.end("a1");
  CHECK(bench.work() == Names{});
  CHECK(bench.deletes() == Names{"a1/1"});
  CHECK(bench.work() == Names{});
  bench.deleted();
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.report().handled == 1);
  CHECK(bench.machine.held() == 2);
  CHECK(bench.machine.running() == 2);
}

TEST_CASE("a pipelined consumer does not wait for the delete") {
  Bench bench({.run = {.pipelined = true}});
  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{"a1"});
  bench.end("a1");
  CHECK(bench.work() == Names{"a2"});
}

TEST_CASE("a lane is in the order of the sequence numbers, whatever the order of arrival") {
  Bench bench;
  bench.arrive({"a3", "a1", "a2"});
  Names order;
  while (order.size() < 3) {
    order.push_back(bench.work().at(0));
    bench.finish(order.back());
  }
  CHECK(order == Names{"a1", "a2", "a3"});
}

TEST_CASE("on a standard queue nothing waits for another, and polls have no attempt id") {
  Bench bench({}, "http://h/1/q");
  CHECK(bench.poll()->attempt_id == "");
  bench.arrive({"a1", "a2", "a3"});
  CHECK(bench.work() == Names{"a1", "a2", "a3"});
  bench.end("a1", Disposition::retry(seconds(10)));
  CHECK(bench.changes() == Names{"back a1/1 10"});
  CHECK(bench.poll()->attempt_id == "");
}

TEST_CASE("deletes gather while one is in flight, ten a request") {
  Bench bench;
  Names all;
  for (char group = 'a'; group <= 'm'; ++group) all.push_back(std::string(1, group) + "1");
  bench.arrive(all);
  bench.work();
  bench.end("a1");
  CHECK(bench.deletes() == Names{"a1/1"});
  for (std::size_t i = 1; i < all.size(); ++i) bench.end(all[i]);
  CHECK(bench.machine.take_deletes(bench.now).empty());
  bench.deleted();
  CHECK(bench.deletes().size() == 10);
  bench.deleted();
  CHECK(bench.deletes() == Names{"l1/1", "m1/1"});
  bench.deleted();
  CHECK(bench.report().handled == 13);
  CHECK(bench.machine.held() == 0);
}

// Deletes that fail.

TEST_CASE("a delete without an answer is repeated, later and later, while the lease is extended") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.end("a1");
  for (int i = 0; i < 5; ++i) {
    CHECK(bench.deletes() == Names{"a1/1"});
    bench.deleted(lost);
    CHECK(bench.work() == Names{});
    bench.pass(seconds(3));
  }
  CHECK(bench.changes() == Names{"extend a1/1 30", "extend a2/1 30"});
  bench.changed();
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted(std::vector<Result<void>>{throttled});
  CHECK(bench.deletes() == Names{});
  bench.pass(seconds(3));
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted();
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.report().handled == 1);
  CHECK(bench.report().lost == 0);
}

TEST_CASE("requests that fail in a row are waited for longer and longer, up to a tenth of a lease") {
  Bench bench;
  bench.arrive({"a1"});
  bench.poll();
  bench.work();
  bench.end("a1");
  Duration longest{};
  for (int i = 0; i < 60; ++i) {
    if (!bench.deletes().empty()) bench.deleted(lost);
    const Duration wait = bench.until_next();
    CHECK(wait <= (i == 0 ? milliseconds(50) : seconds(3)));
    longest = std::max(longest, wait);
    bench.pass(wait);
    bench.change_all();
  }
  CHECK(longest > seconds(2));
  bench.deletes();
  bench.deleted();
  CHECK(bench.report().handled == 1);
}

TEST_CASE("a refused delete says that the lease is lost: the tail is given back, and the message not handled again") {
  Bench bench;
  bench.arrive({"a1", "a2", "a3", "b1"});
  bench.work();
  bench.end("a1");
  bench.end("b1");
  CHECK(bench.deletes() == Names{"a1/1", "b1/1"});
  bench.events();
  bench.deleted(std::vector<Result<void>>{refused, {}});
  CHECK(bench.report().lost == 1);
  CHECK(bench.report().handled == 1);
  CHECK(bench.events() == std::vector{EventKind::lease_lost, EventKind::acknowledged});
  CHECK(bench.lease("a1").lost());
  CHECK_FALSE(bench.lease("b1").lost());
  CHECK(bench.machine.held() == 0);
  CHECK(bench.changes() == Names{"back a2/1 0", "back a3/1 0"});
  bench.changed();

  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{});
  CHECK(bench.deletes() == Names{"a1/2"});
  bench.deleted();
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.report().handled == 2);
  bench.finish("a2");
  bench.arrive({"a1"});  // Forgotten with its delete.
  CHECK(bench.work() == Names{"a1"});
}

TEST_CASE("a delete that is not allowed ends the run with its error") {
  Bench bench;
  bench.arrive({"a1", "a2", "b1"});
  bench.work();
  bench.end("a1");
  bench.deletes();
  bench.deleted(denied);
  CHECK(bench.machine.is_stopping());
  REQUIRE(bench.report().error);
  CHECK(bench.report().error->kind == ErrorKind::authorization);
  CHECK(ids(bench.report().unconfirmed) == Names{"a1"});
  CHECK(ids(bench.report().released) == Names{"a2"});
  CHECK(bench.changes() == Names{"back a2/1 0"});
  bench.changed();
  CHECK_FALSE(bench.machine.is_finished());
  bench.pass(seconds(1));
  bench.finish("b1");
  CHECK(bench.machine.is_finished());
  CHECK(bench.report().handled == 1);
}

TEST_CASE("the ten thousand and first finished message without a confirmed delete makes the first forgotten") {
  Bench bench({.run = {.max_held = 20'000}}, "http://h/1/q");
  std::string forgotten;
  for (int i = 0; i <= 10'000; ++i) {
    const std::string name = "m" + std::to_string(i);
    bench.arrive({name});
    REQUIRE(bench.work() == Names{name});
    bench.end(name);
    REQUIRE(bench.deletes().size() == 1);
    bench.deleted(std::vector<Result<void>>{refused});
    for (const auto& notice : bench.machine.take_notices())
      if (notice.kind == EventKind::forgotten) forgotten += notice.subject.message_id;
  }
  CHECK(forgotten == "m0");
  bench.arrive({"m0", "m1"});
  CHECK(bench.work() == Names{"m0"});
  CHECK(bench.deletes() == Names{"m1/2"});
}

// Failure.

TEST_CASE("a failed message goes back for a while, and what is held behind it for 2 s longer") {
  Bench bench;
  bench.arrive({"a1", "a2", "a3", "b1"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(10)));
  CHECK(bench.changes() == Names{"back a1/1 10", "keep a2/1 12", "keep a3/1 12"});
  bench.changed();
  CHECK(bench.work() == Names{});
  CHECK(bench.report().retried == 1);
  CHECK(bench.machine.held() == 3);
  bench.finish("b1");

  // It comes back in time: the lane goes on with it, and the tail is extended again.
  bench.pass(seconds(10));
  CHECK(bench.changes() == Names{});
  bench.arrive({"a1"});
  CHECK(bench.changes() == Names{"extend a2/1 30", "extend a3/1 30"});
  bench.changed();
  CHECK(bench.work() == Names{"a1"});
  CHECK(bench.claims.at("a1").delivery->receive_count == 2);
  bench.finish("a1");
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.left("a2") == 30);
  bench.finish("a2");
  CHECK(bench.work() == Names{"a3"});
  CHECK(bench.report().lost == 0);
}

TEST_CASE("when the failed message does not come back in time, what was held behind it is forgotten") {
  Bench bench;
  bench.arrive({"a1", "a2", "a3"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(10)));
  bench.change_all();
  bench.pass(milliseconds(11'999));
  CHECK(bench.machine.held() == 2);
  bench.poll();
  CHECK(bench.until_next() == milliseconds(1));
  bench.pass(milliseconds(1));
  CHECK(bench.machine.held() == 0);
  CHECK(bench.work() == Names{});
  CHECK(bench.changes() == Names{});
  CHECK(bench.report().lost == 0);
}

TEST_CASE("a head that went to the dead-letter queue leaves its lane open for the ones behind") {
  Bench bench;
  bench.arrive({"a1", "a2", "a3"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(10)));
  bench.change_all();
  SUBCASE("when they come again after we forgot them") {
    bench.pass(seconds(12));
    bench.arrive({"a2", "a3"});
  }
  SUBCASE("when they come again before we did") {
    bench.now = bench.now + seconds(12);
    bench.arrive({"a2", "a3"});
  }
  CHECK(bench.work() == Names{"a2"});
  bench.end("a2");
  CHECK(bench.deletes() == Names{"a2/2"});
  bench.deleted();
  CHECK(bench.work() == Names{"a3"});
}

TEST_CASE("a message that fails and has nothing behind it leaves nothing held") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(3)));
  CHECK(bench.machine.held() == 0);
  CHECK(bench.changes() == Names{"back a1/1 3"});
}

TEST_CASE("a lost change of a tail may still land, so that its lease counts as the shorter one") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(5)));
  CHECK(bench.changes() == Names{"back a1/1 5", "keep a2/1 7"});
  bench.changed(lost);
  SUBCASE("and lapses by that when its head does not come") {
    bench.pass(seconds(7));
    CHECK(bench.machine.held() == 0);
  }
  SUBCASE("and is asked for again") {
    bench.pass(seconds(2));
    CHECK(bench.changes() == Names{"back a1/1 3", "keep a2/1 5"});
  }
  SUBCASE("also when the next attempt is refused for a while") {
    bench.pass(seconds(2));
    CHECK(bench.changes() == Names{"back a1/1 3", "keep a2/1 5"});
    bench.changed(throttled);
    bench.pass(milliseconds(4'999));
    CHECK(bench.machine.held() == 1);
    bench.pass(milliseconds(1));
    CHECK(bench.machine.held() == 0);
  }
  SUBCASE("and so may the next attempt, when its head is back before that is lost, too") {
    bench.pass(seconds(4));
    CHECK(bench.changes() == Names{"back a1/1 1", "keep a2/1 3"});
    bench.pass(seconds(1));
    bench.arrive({"a1"});
    bench.changed(lost);
    bench.pass(seconds(1));
    CHECK(bench.changes() == Names{"extend a2/1 30"});
    bench.changed();
    bench.work();
    bench.finish("a1");
    CHECK(bench.work() == Names{"a2"});
    CHECK(bench.left("a2") == 3);
  }
  SUBCASE("also after an extension, for as long as it may land") {
    bench.pass(seconds(5));
    bench.arrive({"a1"});
    CHECK(bench.changes() == Names{"extend a2/1 30"});
    bench.changed();
    bench.work();
    bench.finish("a1");
    CHECK(bench.work() == Names{"a2"});
    CHECK(bench.left("a2") == 7);
    bench.pass(milliseconds(2'799));
    CHECK(bench.changes() == Names{});
    bench.pass(milliseconds(1));
    CHECK(bench.changes() == Names{"extend a2/1 30"});
    bench.changed();
    CHECK(bench.left("a2") == 7);
    bench.pass(milliseconds(2'800));
    for (int i = 0; i < 10; ++i) {
      bench.change_all();
      bench.pass(milliseconds(2'800));
    }
    bench.change_all();
    CHECK(bench.left("a2") > 25);
    CHECK_FALSE(bench.lease("a2").lost());
  }
}

TEST_CASE("a change that is refused leaves the lease of a head in force, and says that a tail is lost") {
  Bench bench;
  bench.arrive({"a1", "a2", "a3"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(5)));
  bench.changes();
  bench.changed(std::vector<Result<void>>{refused, {}, {}});
  CHECK(bench.changes() == Names{});
  CHECK(bench.machine.held() == 2);
  CHECK_FALSE(bench.report().error);
  bench.pass(seconds(7));
  CHECK(bench.machine.held() == 0);

  Bench other;
  other.arrive({"a1", "a2", "a3"});
  other.work();
  other.end("a1", Disposition::retry(seconds(5)));
  other.changes();
  other.changed(std::vector<Result<void>>{{}, refused, {}});
  CHECK(other.machine.held() == 0);
  CHECK(other.changes() == Names{"back a3/1 0"});
}

TEST_CASE("the change of a head without an answer is repeated for as long as its lease") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(60)));
  CHECK(bench.changes() == Names{"back a1/1 60"});
  bench.changed(lost);
  bench.pass(seconds(20));
  CHECK(bench.changes() == Names{"back a1/1 40"});
  bench.changed(lost);
  bench.pass(seconds(10));
  CHECK(bench.changes() == Names{});
}

TEST_CASE("a change that is not allowed ends the run with its error") {
  Bench bench;
  bench.arrive({"a1", "b1"});
  bench.work();
  bench.end("a1", Disposition::retry());
  bench.changes();
  bench.changed(std::vector<Result<void>>{denied});
  CHECK(bench.report().error->kind == ErrorKind::authorization);
  bench.finish("b1");
  CHECK(bench.machine.is_finished());
}

TEST_CASE("an extension under way when its head fails is followed by the change that was meant") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 30", "extend a2/1 30"});
  bench.end("a1", Disposition::retry(seconds(5)));
  bench.changed();
  CHECK(bench.changes() == Names{"back a1/1 5", "keep a2/1 7"});
  bench.changed();
  bench.pass(milliseconds(6'999));
  CHECK(bench.changes() == Names{});
  CHECK(bench.machine.held() == 1);
  bench.pass(milliseconds(1));
  CHECK(bench.machine.held() == 0);
}

TEST_CASE("a head that is back and fails again while its tail was being changed has one change for each") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(1)));
  CHECK(bench.changes() == Names{"back a1/1 1", "keep a2/1 3"});
  bench.pass(seconds(1));
  bench.arrive({"a1"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(4)));
  bench.changed(lost);
  bench.pass(seconds(1));
  CHECK(bench.changes() == Names{"back a1/2 3", "keep a2/1 5"});
  bench.changed();
  CHECK(bench.changes() == Names{});
}

TEST_CASE("the back-off doubles with each time received, half of it at random, up to its cap") {
  for (int count = 1; count <= 12; ++count) {
    Bench bench({.run = {.retry_base = seconds(2), .retry_cap = seconds(500)}});
    bench.received["a1"] = count - 1;
    bench.arrive({"a1"});
    bench.work();
    bench.end("a1", Disposition::retry());
    bench.changes();
    const double whole = std::min(2.0 * static_cast<double>(1 << (count - 1)), 500.0);
    REQUIRE(bench.changing.size() == 1);
    const double back = std::chrono::duration<double>(bench.changing[0].visible_at - bench.now.ticks).count();
    CHECK(back >= whole / 2);
    CHECK(back <= whole);
  }
}

TEST_CASE("a back-off ends before SQS would end the lease by itself") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.end("a1", Disposition::retry(hours(12)));
  CHECK(bench.changes() == Names{"back a1/1 43196", "keep a2/1 43198"});
}

TEST_CASE("a released message is visible at once, and a discarded one is deleted") {
  Bench bench;
  bench.arrive({"a1", "b1"});
  bench.work();
  bench.end("a1", Disposition::release());
  CHECK(bench.changes() == Names{"back a1/1 0"});
  bench.changed();
  bench.events();
  bench.end("b1", Disposition::discard());
  CHECK(bench.deletes() == Names{"b1/1"});
  bench.deleted();
  CHECK(bench.report().discarded == 1);
  CHECK(bench.report().handled == 0);
  CHECK(bench.events() == std::vector{EventKind::handled, EventKind::discarded});
}

TEST_CASE("a damaged message in the middle of a lane counts as one that failed") {
  Bench bench;
  bench.arrive({"a1", "!a2", "a3"});
  CHECK(bench.work() == Names{"a1"});
  bench.end("a1");
  bench.deletes();
  bench.deleted();
  bench.events();
  CHECK(bench.work() == Names{});
  CHECK(bench.report().retried == 1);
  const auto notices = bench.machine.take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == EventKind::handled);
  CHECK(notices[0].error->kind == ErrorKind::integrity);
  CHECK(bench.changes() == Names{"back a2/1 1", "keep a3/1 3"});
  bench.changed();
  bench.pass(seconds(1));
  bench.arrive({"a2"});
  CHECK(bench.work() == Names{"a2"});
}

// Messages that come again.

TEST_CASE("a message that comes again while it waits goes on under its newer handle") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.arrive({"a2"});
  CHECK(bench.machine.held() == 2);
  bench.finish("a1");
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.claims.at("a2").delivery->receive_count == 2);
  bench.end("a2");
  CHECK(bench.deletes() == Names{"a2/2"});
}

TEST_CASE("a message that comes again while it runs does not run twice, and is deleted under its newest handle") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.pass(seconds(28));
  CHECK(bench.lease("a1").lost());
  bench.pass(seconds(1));
  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{});
  CHECK(bench.changes() == Names{});  // "back a2/1 0" was meant, but that is ours again.
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/2 30", "extend a2/2 30"});
  bench.changed();
  bench.end("a1");
  CHECK(bench.deletes() == Names{"a1/2"});
  bench.deleted();
  CHECK(bench.report().handled == 1);
  CHECK(bench.work() == Names{"a2"});
}

TEST_CASE("a message that comes again while it is deleted is deleted again, under its newer handle") {
  for (const Result<void>& first : {Result<void>(refused), Result<void>()}) {
    Bench bench;
    bench.arrive({"a1", "a2"});
    bench.work();
    bench.end("a1");
    CHECK(bench.deletes() == Names{"a1/1"});
    bench.arrive({"a1"});
    bench.deleted(std::vector<Result<void>>{first});
    CHECK(bench.work() == Names{});
    CHECK(bench.deletes() == Names{"a1/2"});
    bench.deleted();
    CHECK(bench.report().handled == 1);
    CHECK(bench.report().lost == 0);
    CHECK(bench.work() == Names{"a2"});
  }
}

TEST_CASE("what comes again damaged is not handled, and what was damaged and comes again whole is") {
  Bench bench;
  bench.arrive({"a1", "b1"});
  bench.work();
  bench.arrive({"a2", "!b2"});
  bench.arrive({"!a2", "b2"});
  bench.end("a1");
  bench.end("b1");
  bench.deletes();
  bench.deleted();
  CHECK(bench.work() == Names{"b2"});
  CHECK(bench.report().retried == 1);
}

TEST_CASE("an answer about a lease of before changes nothing of a newer one") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  bench.pass(seconds(5));
  bench.arrive({"a1"});
  bench.changed(std::vector<Result<void>>{refused});
  CHECK_FALSE(bench.lease("a1").lost());
  CHECK(bench.left("a1") == 30);
}

// Leases.

TEST_CASE("what is held is extended in one request before half of its lease is gone, what waits in a lane too") {
  Bench bench;
  bench.arrive({"a1", "a2", "b1"});
  bench.work();
  bench.poll();
  CHECK(bench.until_next() == seconds(12));
  bench.pass(milliseconds(11'999));
  CHECK(bench.changes() == Names{});
  bench.pass(milliseconds(1));
  Names extended = bench.changes();
  std::sort(extended.begin(), extended.end());
  CHECK(extended == Names{"extend a1/1 30", "extend a2/1 30", "extend b1/1 30"});
  CHECK(bench.machine.take_changes(bench.now).empty());
  bench.pass(seconds(1));
  bench.changed();
  CHECK(bench.left("a1") == 29);  // It counts from when it was asked for.
  CHECK(bench.until_next() == seconds(11));
}

TEST_CASE("an extension without an answer changes nothing and is asked for again") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.pass(seconds(12));
  bench.changes();
  bench.changed(lost);
  CHECK(bench.left("a1") == 18);
  bench.pass(seconds(3));
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  bench.changed(std::vector<Result<void>>{throttled});
  CHECK(bench.left("a1") == 15);
  bench.pass(seconds(3));
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  bench.changed();
  CHECK(bench.left("a1") == 30);
  CHECK_FALSE(bench.lease("a1").lost());
}

TEST_CASE("when no extension comes through the handler is told 2 s before its lease ends, and the tail goes back") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.pass(milliseconds(27'999));
  CHECK_FALSE(bench.lease("a1").stop_token().stop_requested());
  bench.pass(milliseconds(1));
  CHECK(bench.lease("a1").stop_token().stop_requested());
  CHECK(bench.report().lost == 1);
  CHECK(bench.changes() == Names{"back a2/1 0"});
  bench.changed();
  CHECK(bench.machine.held() == 1);

  // Whether it is done is asked of the queue, however late.
  bench.pass(seconds(100));
  bench.end("a1");
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted();
  CHECK(bench.report().handled == 1);
}

TEST_CASE("a refused extension says that the lease is lost") {
  Bench bench;
  bench.arrive({"a1", "a2", "b1"});
  bench.work();
  bench.pass(seconds(12));
  const Names orders = bench.changes();
  std::vector<Result<void>> results(3);
  results[static_cast<std::size_t>(std::find(orders.begin(), orders.end(), "extend a1/1 30") - orders.begin())] =
      refused;
  bench.changed(results);
  CHECK(bench.lease("a1").lost());
  CHECK_FALSE(bench.lease("b1").lost());
  CHECK(bench.report().lost == 1);
  CHECK(bench.changes() == Names{"back a2/1 0"});
  CHECK(bench.machine.running() == 2);
}

TEST_CASE("what lapses while it waits is forgotten, and what is behind it goes back") {
  Bench bench;
  bench.arrive({"a1"});
  bench.pass(seconds(1));
  bench.arrive({"a2"});
  bench.pass(seconds(29));
  CHECK(bench.report().lost == 1);
  CHECK(bench.machine.held() == 0);
  CHECK(bench.changes() == Names{"back a2/1 0"});
  CHECK(bench.work() == Names{});
}

TEST_CASE("nothing begins whose lease is about to end") {
  Bench bench;
  bench.arrive({"a1"});
  bench.pass(seconds(28));
  CHECK(bench.work() == Names{});
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  CHECK(bench.work() == Names{});
  bench.changed();
  CHECK(bench.work() == Names{"a1"});
}

TEST_CASE("a handler's message is extended up to its limit, and then the handler is told") {
  Bench bench({.run = {.handler_limit = seconds(50)}});
  bench.arrive({"a1"});
  bench.work();
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  bench.changed();
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 26"});
  bench.changed();
  bench.pass(milliseconds(23'999));
  CHECK(bench.changes() == Names{});
  CHECK_FALSE(bench.lease("a1").lost());
  bench.pass(milliseconds(1));
  CHECK(bench.lease("a1").lost());
}

TEST_CASE("no lease is asked for beyond 12 h after the receive, and the handler is told before") {
  Bench bench;
  const Ticks end = bench.now.ticks + hours(12);
  bench.arrive({"a1"});
  bench.work();
  std::size_t requests = 0;
  while (!bench.lease("a1").lost() && bench.now.ticks < end) {
    bench.pass(seconds(1));
    if (!bench.changes().empty()) {
      ++requests;
      REQUIRE(bench.now.ticks + bench.changing[0].visibility <= end);
      bench.changed();
    }
  }
  CHECK(bench.lease("a1").lost());
  CHECK(end - bench.now.ticks >= seconds(1));
  CHECK(end - bench.now.ticks <= seconds(6));
  CHECK(requests > 3'000);
  CHECK(requests < 4'000);
}

// Polls.

TEST_CASE("no more is asked for than may be held") {
  Bench bench({.run = {.max_held = 3}});
  CHECK(bench.poll()->max_messages == 3);
  bench.arrive({"a1", "a2", "b1"});
  CHECK_FALSE(bench.poll());
  bench.work();
  bench.finish("a1");
  CHECK(bench.poll()->max_messages == 1);

  Bench by_workers({.run = {.workers = 2, .max_per_receive = 7}});
  for (int i = 0; i < 3; ++i) {
    const int most = by_workers.poll()->max_messages;
    CHECK(most == (i < 2 ? 7 : 6));
    Names names;
    for (int j = 0; j < most; ++j) names.push_back(std::string(1, static_cast<char>('a' + i)) + std::to_string(j + 1));
    by_workers.arrive(names);
  }
  CHECK_FALSE(by_workers.poll());
}

TEST_CASE("when all room is taken a tail is given back once its head is due") {
  Bench bench({.run = {.max_held = 5}});
  bench.arrive({"a1", "a2", "b1", "b2"});
  bench.work();
  bench.end("b1", Disposition::retry(seconds(25)));
  bench.end("a1", Disposition::retry(seconds(20)));
  bench.change_all();
  CHECK(bench.machine.held() == 2);
  CHECK(bench.poll()->max_messages == 3);
  bench.arrive({"c1", "d1", "e1"});
  CHECK(bench.work().size() == 3);
  CHECK_FALSE(bench.poll());
  bench.pass(seconds(12));
  bench.change_all();
  bench.pass(milliseconds(7'999));
  CHECK(bench.changes() == Names{});
  CHECK(bench.machine.held() == 5);
  CHECK(bench.until_next() == milliseconds(1));
  bench.pass(milliseconds(1));
  CHECK(bench.changes() == Names{"back a2/1 0"});
  CHECK(bench.machine.held() == 4);
  CHECK(bench.poll()->max_messages == 1);
}

TEST_CASE("a paused consumer goes on with what it holds, and asks for no more") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.machine.set_paused(true);
  CHECK_FALSE(bench.poll());
  CHECK(bench.work() == Names{"a1"});
  bench.finish("a1");
  CHECK(bench.work() == Names{"a2"});
  bench.finish("a2");
  CHECK(bench.machine.next_deadline() == Ticks::max());
  bench.machine.set_paused(false);
  CHECK(bench.until_next() == Duration::zero());
  CHECK(bench.poll());
}

TEST_CASE("a poll whose answer was lost is repeated under its id, also when paused") {
  Bench bench;
  CHECK(bench.poll()->attempt_id == "1");
  bench.machine.set_paused(true);
  bench.machine.on_poll_failed(lost, bench.now, bench.now);
  CHECK(bench.events() == std::vector{EventKind::poll_failed});
  CHECK(bench.until_next() < seconds(1));
  bench.pass(seconds(1));
  CHECK(bench.poll()->attempt_id == "1");
  bench.arrive({"a1"});
  CHECK_FALSE(bench.poll());
  CHECK(bench.work() == Names{"a1"});
}

TEST_CASE("an attempt id that is not valid any more is no failure") {
  Bench bench;
  bench.poll();
  bench.machine.on_poll_failed(lost, bench.now, bench.now);
  bench.pass(seconds(1));
  bench.poll();
  bench.events();
  Error stale = refused;
  stale.message = "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.";
  bench.machine.on_poll_failed(stale, bench.now, bench.now);
  CHECK(bench.events().empty());
  CHECK_FALSE(bench.report().error);
  bench.pass(seconds(1));
  CHECK(bench.poll()->attempt_id == "2");
}

TEST_CASE("errors that may pass are waited for, those that do not end the run") {
  Bench bench;
  std::set<Duration> waits;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(bench.poll());
    bench.machine.on_poll_failed(throttled, bench.now, bench.now);
    CHECK(bench.poll().has_value() == (bench.until_next() == Duration::zero()));
    waits.insert(bench.until_next());
    bench.pass(seconds(20));
  }
  CHECK(*waits.rbegin() > seconds(5));
  CHECK_FALSE(bench.machine.is_stopping());

  for (const ErrorKind kind :
       {ErrorKind::authentication, ErrorKind::authorization, ErrorKind::configuration, ErrorKind::rejected}) {
    Bench fatal;
    fatal.arrive({"a1"});
    fatal.poll();
    fatal.machine.on_poll_failed(failure(kind, DeliveryState::rejected, 400), fatal.now, fatal.now);
    REQUIRE(fatal.report().error);
    CHECK(fatal.report().error->kind == kind);
    CHECK_FALSE(fatal.poll());
    CHECK(fatal.changes() == Names{"back a1/1 0"});
    fatal.changed();
    CHECK(fatal.machine.is_finished());
  }
}

// Stopping.

TEST_CASE("too many messages in flight is a limit that passes, and is waited for as after a throttle") {
  Bench bench({}, "http://h/1/q");
  REQUIRE(bench.poll());
  Error over_limit = failure(ErrorKind::rejected, DeliveryState::rejected, 403);
  over_limit.service_code = "OverLimit";
  bench.machine.on_poll_failed(over_limit, bench.now, bench.now);
  CHECK_FALSE(bench.machine.is_stopping());
  CHECK(bench.until_next() > milliseconds(50));
  bench.pass(seconds(1));
  CHECK(bench.poll());
}

TEST_CASE("a request that was broken off without our asking is one without an answer") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{"a1"});
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 30", "extend a2/1 30"});
  bench.changed(cancelled);
  CHECK_FALSE(bench.lease("a1").lost());
  bench.end("a1");
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted(cancelled);
  CHECK(bench.report().lost == 0);
  CHECK(bench.machine.held() == 2);
  bench.pass(seconds(3));
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted();
  CHECK(bench.report().handled == 1);
  bench.change_all();
  CHECK(bench.work() == Names{"a2"});
}

TEST_CASE("a lease that is longer than an extension is extended when that brings something again") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{"a1"});
  bench.end("a1", Disposition::retry(seconds(300)));
  CHECK(bench.changes() == Names{"back a1/1 300", "keep a2/1 302"});
  bench.changed(std::vector<Result<void>>{Error(refused), {}});
  bench.pass(seconds(30));
  bench.arrive({"a1"});
  CHECK(bench.work() == Names{"a1"});
  bench.finish("a1");
  CHECK(bench.work() == Names{"a2"});
  CHECK(bench.left("a2") == doctest::Approx(272));
  for (int i = 0; i < 60; ++i) {
    bench.pass(seconds(5));
    bench.change_all();
  }
  CHECK_FALSE(bench.lease("a2").lost());
  CHECK(bench.left("a2") > 0);
}

TEST_CASE("a handler that is abandoned is told that its lease may be lost") {
  Bench bench({.run = {.stop_deadline = seconds(5)}});
  bench.arrive({"a1"});
  CHECK(bench.work() == Names{"a1"});
  bench.machine.stop(bench.now);
  CHECK_FALSE(bench.lease("a1").lost());
  bench.pass(seconds(5));
  CHECK(bench.machine.is_finished());
  CHECK(bench.lease("a1").lost());
}

TEST_CASE("a delay beyond what SQS can hide a message is cut") {
  Bench bench;
  bench.arrive({"a1"});
  CHECK(bench.work() == Names{"a1"});
  bench.end("a1", Disposition::retry(seconds::max()));
  CHECK(bench.changes() == Names{"back a1/1 43196"});
}

TEST_CASE("a stop gives back what waits, and waits for what runs") {
  Bench bench;
  bench.arrive({"a1", "a2", "b1", "c1"});
  bench.work();
  bench.end("c1");
  bench.deletes();
  bench.arrive({"a3", "d1"});
  bench.machine.stop(bench.now);
  CHECK(bench.work() == Names{});
  CHECK_FALSE(bench.machine.has_work());
  CHECK_FALSE(bench.poll());
  Names back = bench.changes();
  std::sort(back.begin(), back.end());
  CHECK(back == Names{"back a2/1 0", "back a3/1 0", "back d1/1 0"});
  bench.changed();
  CHECK_FALSE(bench.machine.is_finished());
  bench.deleted();
  bench.finish("a1");
  CHECK_FALSE(bench.machine.is_finished());

  // What fails now goes back for its time.
  bench.end("b1", Disposition::retry(seconds(7)));
  CHECK(bench.changes() == Names{"back b1/1 7"});
  CHECK_FALSE(bench.machine.is_finished());
  bench.changed();
  CHECK(bench.machine.is_finished());
  const RunReport& report = bench.report();
  CHECK(report.handled == 2);
  CHECK(report.retried == 1);
  CHECK(ids(report.released) == Names{"a2", "a3", "d1"});
  CHECK(report.abandoned.empty());
  CHECK(report.unconfirmed.empty());
}

TEST_CASE("a stop gives back a tail whose head has not come back") {
  Bench bench;
  bench.arrive({"a1", "a2"});
  bench.work();
  bench.end("a1", Disposition::retry(seconds(9)));
  bench.change_all();
  bench.machine.stop(bench.now);
  CHECK(bench.changes() == Names{"back a2/1 0"});
  bench.changed();
  CHECK(bench.machine.is_finished());
}

TEST_CASE("leases are extended and deletes repeated while a stop waits for a handler") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.machine.stop(bench.now);
  bench.pass(seconds(12));
  CHECK(bench.changes() == Names{"extend a1/1 30"});
  bench.changed();
  bench.end("a1");
  bench.deletes();
  bench.deleted(lost);
  CHECK_FALSE(bench.machine.is_finished());
  bench.pass(seconds(1));
  CHECK(bench.deletes() == Names{"a1/1"});
  bench.deleted();
  CHECK(bench.machine.is_finished());
}

TEST_CASE("at the stop deadline what runs is abandoned, not given back") {
  Bench bench({.run = {.stop_deadline = seconds(10)}});
  bench.arrive({"a1", "b1", "b2"});
  bench.work();
  bench.end("b1");
  bench.deletes();
  bench.machine.stop(bench.now);
  CHECK(bench.changes() == Names{"back b2/1 0"});
  bench.changed();
  bench.deleted(lost);
  bench.pass(milliseconds(9'999));
  CHECK_FALSE(bench.machine.is_finished());
  bench.pass(milliseconds(1));
  CHECK(bench.machine.is_finished());
  CHECK(ids(bench.report().abandoned) == Names{"a1"});
  CHECK(ids(bench.report().unconfirmed) == Names{"b1"});
  CHECK(bench.report().abandoned[0].fence.receive_count == 1);
  bench.end("a1");
  CHECK(bench.report().handled == 0);
  CHECK(ids(bench.report().abandoned) == Names{"a1"});
}

TEST_CASE("a stop breaks off the poll, asks once more for what it may have claimed, and gives that back") {
  Bench bench;
  CHECK(bench.poll()->max_messages == 10);
  CHECK_FALSE(bench.machine.poll_is_unwanted());
  bench.machine.stop(bench.now);
  CHECK(bench.machine.poll_is_unwanted());
  CHECK_FALSE(bench.machine.is_finished());
  bench.machine.on_poll_failed(cancelled, bench.now, bench.now);
  CHECK(bench.events().empty());
  CHECK_FALSE(bench.machine.is_finished());
  CHECK(bench.until_next() == Duration::zero());
  const auto again = bench.poll();
  REQUIRE(again);
  CHECK(again->attempt_id == "1");
  CHECK(again->max_messages == 10);
  CHECK(again->wait == seconds(0));
  CHECK_FALSE(bench.machine.poll_is_unwanted());
  bench.arrive({"a1", "a2"});
  CHECK(bench.work() == Names{});
  CHECK(bench.changes() == Names{"back a1/1 0", "back a2/1 0"});
  bench.changed();
  CHECK(bench.machine.is_finished());
  CHECK(ids(bench.report().released) == Names{"a1", "a2"});
  CHECK(bench.report().received == 2);
}

TEST_CASE("what a broken-off poll claimed is asked for twice at most") {
  Bench bench;
  bench.poll();
  bench.machine.stop(bench.now);
  bench.machine.on_poll_failed(cancelled, bench.now, bench.now);
  for (int i = 0; i < 2; ++i) {
    REQUIRE_FALSE(bench.machine.is_finished());
    REQUIRE(bench.poll());
    bench.machine.on_poll_failed(lost, bench.now, bench.now);
    bench.pass(seconds(1));
  }
  CHECK_FALSE(bench.poll());
  CHECK(bench.machine.is_finished());
  CHECK_FALSE(bench.report().error);
}

TEST_CASE("a poll that was not sent, and one of a standard queue, is not asked for again") {
  Bench unsent;
  unsent.poll();
  unsent.machine.stop(unsent.now);
  unsent.machine.on_poll_failed(failure(ErrorKind::cancelled, DeliveryState::not_sent), std::nullopt, unsent.now);
  CHECK(unsent.machine.is_finished());

  Bench standard({}, "http://h/1/q");
  standard.poll();
  standard.machine.stop(standard.now);
  CHECK(standard.machine.poll_is_unwanted());
  standard.machine.on_poll_failed(cancelled, standard.now, standard.now);
  CHECK_FALSE(standard.poll());
  CHECK(standard.machine.is_finished());
}

TEST_CASE("the answer that came before a stop broke off its poll is given back, too") {
  Bench bench;
  bench.poll();
  bench.machine.stop(bench.now);
  bench.arrive({"a1"});
  CHECK(bench.changes() == Names{"back a1/1 0"});
  bench.changed();
  CHECK(bench.machine.is_finished());
}

TEST_CASE("a draining stop waits for the poll") {
  Bench bench({.run = {.stop_poll = StopPoll::drain}});
  bench.poll();
  bench.machine.stop(bench.now);
  CHECK_FALSE(bench.machine.poll_is_unwanted());
  CHECK_FALSE(bench.machine.is_finished());
  bench.arrive({"a1"});
  CHECK(bench.work() == Names{});
  CHECK(bench.changes() == Names{"back a1/1 0"});
  bench.changed();
  CHECK_FALSE(bench.poll());
  CHECK(bench.machine.is_finished());

  Bench failing({.run = {.stop_poll = StopPoll::drain}});
  failing.poll();
  failing.machine.stop(failing.now);
  failing.machine.on_poll_failed(lost, failing.now, failing.now);
  CHECK(failing.machine.is_finished());
}

TEST_CASE("an idle consumer that is stopped is finished") {
  Bench bench;
  CHECK_FALSE(bench.machine.is_finished());
  bench.machine.stop(bench.now);
  CHECK(bench.machine.is_finished());
  CHECK(bench.until_next() == Duration::zero());  // Nobody waits for anything any more.
  CHECK(bench.report().received == 0);
}

TEST_CASE("the events of a message's life") {
  Bench bench;
  bench.arrive({"a1"});
  bench.work();
  bench.pass(seconds(12));
  bench.changes();
  bench.changed();
  bench.end("a1", Disposition::retry(seconds(3)), failure(ErrorKind::handler, DeliveryState::not_sent));
  bench.changes();
  bench.changed();
  bench.pass(seconds(3));
  bench.arrive({"a1"});
  bench.work();
  bench.end("a1");
  bench.deletes();
  bench.deleted();
  const auto notices = bench.machine.take_notices();
  std::vector<EventKind> kinds;
  for (const auto& notice : notices) {
    kinds.push_back(notice.kind);
    if (notice.kind == EventKind::received) continue;
    CHECK(notice.subject.message_id == "a1");
    CHECK(notice.subject.group == "a");
  }
  using enum EventKind;
  REQUIRE(kinds == std::vector{received, extended, handled, released, received, handled, acknowledged});
  CHECK(notices[0].count == 1);
  CHECK(notices[1].duration == seconds(30));
  CHECK(notices[2].error->kind == ErrorKind::handler);
  CHECK(notices[2].duration == milliseconds(5));
  CHECK(notices[3].duration == seconds(3));
  CHECK(notices[6].subject.receive_count == 2);

  ConsumeMachine silent(bench.settings, [] { return Ticks(); }, 1, false);
  silent.on_polled({}, bench.now.ticks, bench.now);
  CHECK(silent.take_notices().empty());
}
