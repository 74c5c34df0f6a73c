#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <dmq/engine/publish_machine.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Message;
using dmq::PublishSettings;
using dmq::Result;
using dmq::Ticks;
using dmq::WallTime;
using dmq::engine::Exchange;
using dmq::engine::Publication;
using dmq::engine::PublishMachine;
using dmq::engine::Submissions;
using dmq::engine::Terms;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

using Batch = std::vector<Publication*>;
using Names = std::vector<std::string>;

Error failure(ErrorKind kind, DeliveryState delivery) {
  return {.kind = kind, .delivery = delivery, .message = "x"};
}
const Error refused = failure(ErrorKind::rejected, DeliveryState::rejected);
const Error lost = failure(ErrorKind::network, DeliveryState::unknown);
const Error throttled = failure(ErrorKind::throttled, DeliveryState::rejected);

Names names(const Batch& batch) {
  Names names;
  for (const Publication* p : batch) names.push_back(p->entry.message.body);
  return names;
}

/// A machine with its time. Messages are known by their bodies.
struct Bench {
  explicit Bench(PublishSettings with = {}, std::size_t max_batch = 10)
      : settings(std::move(with)), machine(settings, max_batch) {}

  void submit(const std::string& body, const std::string& group) { submit(Message{.body = body, .group = group}); }
  void submit(Message message) {
    Submissions one;
    const std::string id = message.deduplication_id.empty() ? "id-" + message.body : message.deduplication_id;
    one.emplace_back(std::move(message), nullptr).entry.deduplication_id = id;
    machine.submit(std::move(one), now);
  }
  Publication& enter(const std::string& body, const std::string& group) {
    Publication& p = callers.emplace_back();
    p.entry = {.message = {.body = body, .group = group}, .deduplication_id = "id-" + body};
    machine.enter(p);
    return p;
  }

  Batch take() { return machine.take_batch(now); }
  /// How the exchange stands that sent something just now, in one attempt.
  Exchange exchange() const {
    Exchange exchange{Terms{}};
    exchange.on_value();
    exchange.on_send(now);
    return exchange;
  }
  void settle(const Batch& batch, const Result<void>& outcome = {}) { machine.settle(batch, outcome, exchange(), now); }
  void accept(const Batch& batch) {
    for (Publication* p : batch) p->accept({.message_id = "m-" + p->entry.message.body});
    settle(batch);
  }
  /// The exchange ended with this for all that the batch carried.
  void fail(const Batch& batch, const Error& error) {
    for (Publication* p : batch) p->note(error);
    settle(batch, error);
  }

  /// What has ended, "body kind delivery" or "body accepted"; reported.
  Names ended() {
    const Submissions all = machine.take_ended();
    Names names;
    for (const auto& s : all) {
      machine.telling(s);
      names.push_back(s.entry.message.body + " " + fate(s));
    }
    machine.reported(all);
    return names;
  }
  static std::string fate(const Publication& p) {
    if (p.fate == Publication::Fate::accepted) return "accepted";
    return std::string(to_string(p.error.kind)) + " " + std::string(to_string(p.error.delivery));
  }

  PublishSettings settings;
  PublishMachine machine;
  Instant now{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};
  std::list<Publication> callers{};
};

}  // namespace

TEST_CASE("a batch takes one message of each group, the oldest, and of no group as many as fit") {
  Bench bench;
  for (const auto& [body, group] :
       std::vector<std::pair<std::string, std::string>>{{"a1", "a"}, {"a2", "a"}, {"b1", "b"}, {"n1", ""}, {"n2", ""}})
    bench.submit(body, group);
  const Batch batch = bench.take();
  CHECK(names(batch) == Names{"a1", "b1", "n1", "n2"});
  CHECK(bench.take().empty());
  bench.accept(batch);
  CHECK(bench.ended() == Names{"a1 accepted", "b1 accepted", "n1 accepted", "n2 accepted"});
  CHECK(names(bench.take()) == Names{"a2"});
}

TEST_CASE("a batch takes what the route carries, at most ten") {
  for (const auto& [max_batch, size] : {std::pair<std::size_t, std::size_t>{1, 1}, {3, 3}, {10, 10}, {100, 10}}) {
    Bench bench({}, max_batch);
    for (int i = 0; i < 25; ++i) bench.submit("m", "g" + std::to_string(i));
    CHECK(bench.take().size() == size);
  }
}

TEST_CASE("a batch stays within 1 MiB, attributes included") {
  Bench bench;
  const std::string half(dmq::max_message_bytes / 2, 'x');
  bench.submit(half, "a");
  bench.submit(half, "b");
  bench.submit("c", "c");
  CHECK(bench.take().size() == 2);
  CHECK(names(bench.take()) == Names{"c"});

  Bench heavy;
  heavy.submit(half, "a");
  heavy.submit({.body = half, .group = "b", .attributes = {{"n", {"String", "v"}}}});
  CHECK(heavy.take().size() == 1);
  CHECK(heavy.take().size() == 1);
}

TEST_CASE("runs of one group share a request as far as the settings allow") {
  Bench bench({.in_group_batch = 3});
  for (const char* body : {"a1", "a2", "a3", "a4"}) bench.submit(body, "a");
  bench.submit("b1", "b");
  const Batch batch = bench.take();
  CHECK(names(batch) == Names{"a1", "a2", "a3", "b1"});
  CHECK(bench.take().empty());
  bench.accept(batch);
  CHECK(names(bench.take()) == Names{"a4"});
}

TEST_CASE("a run ends where a caller's own message is in the lane") {
  Bench bench({.in_group_batch = 10});
  bench.submit("a1", "a");
  Publication& own = bench.enter("a2", "a");
  bench.submit("a3", "a");
  const Batch batch = bench.take();
  CHECK(names(batch) == Names{"a1"});
  bench.accept(batch);
  CHECK(bench.machine.is_first(own));
  CHECK(bench.take().empty());
  own.in_flight = true;
  bench.accept({&own});
  CHECK(names(bench.take()) == Names{"a3"});
}

TEST_CASE("with a linger a batch gathers, and leaves when its time is over") {
  Bench bench({.submit = {.linger = milliseconds(100)}});
  bench.submit("a", "a");
  CHECK(bench.take().empty());
  CHECK_FALSE(bench.machine.has_ready());
  bench.machine.on_timer(bench.now);
  CHECK(bench.machine.next_deadline() == bench.now.ticks + milliseconds(100));
  bench.now = bench.now + milliseconds(99);
  bench.submit("b", "b");
  CHECK(bench.take().empty());
  bench.now = bench.now + milliseconds(1);
  CHECK(names(bench.take()) == Names{"a", "b"});
  bench.submit("c", "c");
  CHECK(bench.take().empty());
  CHECK(bench.machine.next_deadline() == bench.now.ticks + milliseconds(100));
}

TEST_CASE("a full batch does not linger, nor does one of a closed producer") {
  for (const bool full : {true, false}) {
    Bench bench({.submit = {.linger = seconds(1)}}, 2);
    bench.submit("a", "a");
    CHECK(bench.take().empty());
    if (full)
      bench.submit("b", "b");
    else
      bench.machine.close();
    CHECK(bench.machine.has_ready());
    CHECK(bench.take().size() == (full ? 2 : 1));
  }
}

TEST_CASE("a message whose turn does not come in time ends not sent, and what is behind it is held back") {
  Bench bench({.deadline = seconds(60)});
  for (const char* body : {"a1", "a2"}) bench.submit(body, "a");
  bench.machine.on_timer(bench.now);
  bench.now = bench.now + seconds(60);
  SUBCASE("found by the timer") {
    CHECK(bench.machine.next_deadline() <= bench.now.ticks);
    bench.machine.on_timer(bench.now);
  }
  SUBCASE("found when it would be taken") {
    CHECK(bench.take().empty());
  }
  CHECK(bench.ended() == Names{"a1 timeout not_sent", "a2 corked not_sent"});
  CHECK(bench.machine.refusal("a")->kind == ErrorKind::corked);
}

TEST_CASE("the tail of a message that ended late was not too late itself: it comes back as held back") {
  Bench bench({.deadline = seconds(60)});
  bench.submit("a1", "a");
  const Batch batch = bench.take();
  bench.now = bench.now + seconds(30);
  bench.submit("a2", "a");
  bench.now = bench.now + seconds(30);
  bench.fail(batch, throttled);
  CHECK(bench.ended() == Names{"a1 throttled rejected", "a2 corked not_sent"});
}

TEST_CASE("a failure corks its lane: the tail comes back in order, callers' too, and other groups go on") {
  Bench bench;
  for (const char* body : {"a1", "a2"}) bench.submit(body, "a");
  Publication& own = bench.enter("a3", "a");
  bench.submit("a4", "a");
  for (const char* body : {"b1", "b2"}) bench.submit(body, "b");
  const Batch batch = bench.take();
  REQUIRE(names(batch) == Names{"a1", "b1"});
  batch[0]->fail(refused);
  batch[1]->accept({.message_id = "m"});
  bench.settle(batch);
  CHECK(bench.ended() == Names{"a1 rejected rejected", "b1 accepted", "a2 corked not_sent", "a4 corked not_sent"});
  CHECK(Bench::fate(own) == "corked not_sent");
  CHECK(own.ticket == dmq::engine::Lanes::none);
  CHECK(bench.machine.refusal("a")->kind == ErrorKind::corked);
  CHECK(bench.machine.lane_refusal("a")->kind == ErrorKind::corked);
  CHECK_FALSE(bench.machine.refusal("b"));
  CHECK_FALSE(bench.machine.refusal(""));
  CHECK(names(bench.take()) == Names{"b2"});

  bench.machine.resume("a", false);
  CHECK_FALSE(bench.machine.refusal("a"));
  bench.submit("a5", "a");
  CHECK(names(bench.take()) == Names{"a5"});
}

TEST_CASE("messages without a group have no lane: the failure of one holds nothing back") {
  Bench bench({}, 1);
  bench.submit("n1", "");
  bench.submit("n2", "");
  bench.fail(bench.take(), refused);
  CHECK(bench.ended() == Names{"n1 rejected rejected"});
  CHECK(names(bench.take()) == Names{"n2"});
}

TEST_CASE("a cork leaves alone what is in flight, which is reported when it ends") {
  Bench bench({.deadline = seconds(60), .in_group_batch = 2});
  for (const char* body : {"a1", "a2", "a3"}) bench.submit(body, "a");
  const Batch batch = bench.take();
  REQUIRE(names(batch) == Names{"a1", "a2"});
  bench.now = bench.now + seconds(60);
  bench.machine.on_timer(bench.now);
  CHECK(bench.ended().empty());
  batch[0]->accept({.message_id = "m"});
  batch[1]->fail(refused);
  bench.settle(batch);
  CHECK(bench.ended() == Names{"a1 accepted", "a2 rejected rejected", "a3 corked not_sent"});
}

TEST_CASE("after an unknown the group waits until 35 s after the last sending, unless the same message comes again") {
  Bench bench({.deadline = seconds(300)});
  bench.submit("a1", "a");
  const Batch batch = bench.take();
  Exchange exchange = bench.exchange();
  const Ticks sent = bench.now.ticks;
  bench.now = bench.now + seconds(5);
  batch[0]->fail(lost);
  bench.machine.settle(batch, {}, exchange, bench.now);
  const Submissions ended = bench.machine.take_ended();
  REQUIRE(ended.size() == 1);
  const Message& returned = ended.front().entry.message;
  CHECK(returned.deduplication_id == "id-a1");
  CHECK(returned.first_sent->ticks == sent);
  CHECK(ended.front().error.deduplication_until == bench.now.wall - seconds(5) + seconds(300 - 30 - 30 - 10));
  CHECK(ended.front().error.deduplication_id == "id-a1");
  bench.machine.reported(ended);
  bench.machine.resume("a", false);

  SUBCASE("another waits") {
    bench.submit("a2", "a");
    CHECK(bench.take().empty());
    bench.machine.on_timer(bench.now);
    CHECK(bench.machine.next_sweep() == bench.now.ticks + seconds(1));
    bench.now = {bench.now.wall + seconds(29), sent + seconds(34)};
    CHECK(bench.take().empty());
    bench.machine.on_timer(bench.now);
    CHECK(bench.machine.next_deadline() == sent + seconds(35));
    bench.now = bench.now + seconds(1);
    CHECK(names(bench.take()) == Names{"a2"});
  }
  SUBCASE("other groups do not") {
    bench.submit("b1", "b");
    CHECK(names(bench.take()) == Names{"b1"});
  }
  SUBCASE("the same passes, and opens the group when it is accepted") {
    bench.submit({.body = "a1", .group = "a", .deduplication_id = "id-a1"});
    bench.submit("a2", "a");
    const Batch again = bench.take();
    CHECK(names(again) == Names{"a1"});
    bench.accept(again);
    CHECK(names(bench.take()) == Names{"a2"});
  }
  SUBCASE("in a run only the same passes") {
    bench.settings.in_group_batch = 10;
    bench.submit({.body = "a1", .group = "a", .deduplication_id = "id-a1"});
    bench.submit("a2", "a");
    CHECK(names(bench.take()) == Names{"a1"});
  }
  SUBCASE("the waiting is broken off by one who says that it may be overtaken") {
    bench.submit("a2", "a");
    CHECK(bench.take().empty());
    bench.machine.resume("a", true);
    CHECK(bench.machine.next_deadline() <= bench.now.ticks);
    CHECK(names(bench.take()) == Names{"a2"});
  }
  SUBCASE("a caller's own waits, too") {
    Publication& own = bench.enter("a2", "a");
    CHECK(bench.machine.opens_at(own) == sent + seconds(35));
  }
  SUBCASE("what waits ends in time") {
    bench.settings.deadline = seconds(10);
    bench.submit("a2", "a");
    CHECK(bench.take().empty());
    bench.machine.on_timer(bench.now);
    bench.now = bench.now + seconds(10);
    bench.machine.on_timer(bench.now);
    CHECK(bench.ended() == Names{"a2 timeout not_sent"});
  }
}

TEST_CASE("what is about no single message stops all: nothing enters, what waits comes back with the same error") {
  for (const ErrorKind kind : {ErrorKind::authentication, ErrorKind::authorization, ErrorKind::configuration}) {
    Bench bench({}, 2);
    for (const char* body : {"a1", "a2"}) bench.submit(body, "a");
    for (const char* body : {"b1", "b2"}) bench.submit(body, "b");
    bench.submit("c1", "c");
    bench.submit("n1", "");
    const Batch both = bench.take();
    REQUIRE(names(both) == Names{"a1", "b1"});
    Error error = failure(kind, DeliveryState::rejected);
    error.attempts = 7;
    both[0]->fail(error);
    both[1]->accept({.message_id = "m"});
    bench.settle(both);
    const std::string stopped = " " + std::string(to_string(kind)) + " not_sent";
    const Names ended = bench.ended();
    REQUIRE(ended.size() == 6);
    CHECK(ended[0] == "a1 " + std::string(to_string(kind)) + " rejected");
    CHECK(ended[1] == "b1 accepted");
    CHECK(ended[2] == "a2 corked not_sent");
    for (const char* body : {"b2", "c1", "n1"}) CHECK(std::count(ended.begin() + 3, ended.end(), body + stopped) == 1);
    const auto refusal = bench.machine.refusal("new");
    REQUIRE(refusal);
    CHECK(refusal->kind == kind);
    CHECK(refusal->delivery == DeliveryState::not_sent);
    CHECK(refusal->attempts == 0);
    CHECK_FALSE(bench.machine.lane_refusal("new"));
    CHECK(bench.machine.idle());

    bench.machine.resume_all();
    CHECK_FALSE(bench.machine.refusal("new"));
    CHECK_FALSE(bench.machine.refusal("a"));
    bench.submit("a3", "a");
    CHECK(names(bench.take()) == Names{"a3"});
  }
}

TEST_CASE("what is in flight when all is stopped keeps its result, and what is behind it comes back after it") {
  Bench bench({}, 1);
  for (const char* body : {"a1"}) bench.submit(body, "a");
  for (const char* body : {"b1", "b2"}) bench.submit(body, "b");
  const Batch a = bench.take();
  const Batch b = bench.take();
  bench.fail(a, failure(ErrorKind::authorization, DeliveryState::rejected));
  CHECK(bench.ended() == Names{"a1 authorization rejected"});
  bench.accept(b);
  CHECK(bench.ended() == Names{"b1 accepted", "b2 authorization not_sent"});
}

TEST_CASE("what would have gone on ends when all is stopped meanwhile") {
  Bench bench({}, 1);
  bench.submit("a1", "a");
  bench.submit("b1", "b");
  const Batch a = bench.take();
  const Batch b = bench.take();
  bench.fail(a, failure(ErrorKind::authorization, DeliveryState::rejected));
  bench.fail(b, lost);
  CHECK(bench.ended() == Names{"a1 authorization rejected", "b1 authorization unknown"});
}

TEST_CASE("a caller's failure corks only when something submitted waits behind it") {
  for (const bool submitted : {true, false}) {
    Bench bench;
    Publication& own = bench.enter("a1", "a");
    Publication& other = bench.enter("a2", "a");
    if (submitted) bench.submit("a3", "a");
    own.in_flight = true;
    own.fail(refused);
    bench.settle({&own});
    CHECK(bench.machine.refusal("a").has_value() == submitted);
    CHECK((other.fate == Publication::Fate::open) != submitted);
    CHECK(bench.ended() == (submitted ? Names{"a3 corked not_sent"} : Names{}));
  }
}

TEST_CASE("a caller's failure that is about no message does not stop what is submitted") {
  Bench bench;
  Publication& own = bench.enter("a1", "a");
  own.in_flight = true;
  own.fail(failure(ErrorKind::authorization, DeliveryState::rejected));
  bench.settle({&own});
  CHECK_FALSE(bench.machine.refusal("b"));
}

TEST_CASE("an accepted or unsent caller's message makes way for what was submitted behind it") {
  Bench bench;
  Publication& own = bench.enter("a1", "a");
  bench.submit("a2", "a");
  CHECK_FALSE(bench.machine.is_first(static_cast<Publication&>(bench.enter("a3", "a"))));
  CHECK(bench.take().empty());
  bench.machine.leave(own);
  CHECK(names(bench.take()) == Names{"a2"});
}

TEST_CASE("at the end what waits is ended, in each lane after what is in flight") {
  Bench bench({}, 1);
  for (const char* body : {"a1", "a2", "a3"}) bench.submit(body, "a");
  bench.submit("b1", "b");
  Publication& own = bench.enter("c1", "c");
  bench.submit("c2", "c");
  const Batch head = bench.take();
  REQUIRE(names(head) == Names{"a1"});
  bench.machine.close();
  bench.machine.end_queued({.kind = ErrorKind::closed, .message = "closed"});
  CHECK(bench.ended() == Names{"b1 closed not_sent", "c2 closed not_sent"});
  CHECK(own.fate == Publication::Fate::open);
  CHECK(bench.take().empty());
  bench.accept(head);
  CHECK(bench.ended() == Names{"a1 accepted", "a2 closed not_sent", "a3 closed not_sent"});
  CHECK(bench.machine.idle());
}

TEST_CASE("at the end what was submitted does not wait for a caller who comes first after what is in flight") {
  Bench bench;
  bench.submit("a1", "a");
  const Batch head = bench.take();
  Publication& own = bench.enter("a2", "a");
  bench.submit("a3", "a");
  bench.machine.close();
  bench.machine.end_queued({.kind = ErrorKind::closed, .message = "closed"});
  bench.accept(head);
  CHECK(bench.ended() == Names{"a1 accepted", "a3 closed not_sent"});
  CHECK(bench.machine.is_first(own));
}

TEST_CASE("nothing enters a closed producer") {
  Bench bench;
  bench.machine.close();
  CHECK(bench.machine.is_closed());
  CHECK(bench.machine.refusal("a")->kind == ErrorKind::closed);
  CHECK(bench.machine.lane_refusal("a")->kind == ErrorKind::closed);
  CHECK(bench.machine.refusal("")->kind == ErrorKind::closed);
}

TEST_CASE("a producer holds up to its bounds, and one message of any size") {
  Bench bench({.submit = {.max_messages = 2, .max_bytes = 10}});
  CHECK(bench.machine.has_room(11));
  bench.submit("12345", "a");
  CHECK(bench.machine.has_room(5));
  CHECK_FALSE(bench.machine.has_room(6));
  bench.submit("1", "b");
  CHECK_FALSE(bench.machine.has_room(0));
  bench.accept(bench.take());
  CHECK_FALSE(bench.machine.has_room(1));
  const Submissions ended = bench.machine.take_ended();
  CHECK(bench.machine.has_room(11));
  CHECK_FALSE(bench.machine.idle());
  bench.machine.reported(ended);
  CHECK(bench.machine.idle());
}

TEST_CASE("an epoch is over when all that was submitted in it and before it is reported") {
  Bench bench({}, 1);
  CHECK(bench.machine.idle(bench.machine.next_epoch()));
  bench.submit("a", "a");
  bench.submit("b", "b");
  const auto first = bench.machine.next_epoch();
  bench.submit("c", "c");
  const auto second = bench.machine.next_epoch();
  const auto third = bench.machine.next_epoch();
  const Batch a = bench.take();
  const Batch b = bench.take();
  const Batch c = bench.take();
  bench.accept(c);
  bench.accept(a);
  CHECK(bench.ended().size() == 2);
  CHECK_FALSE(bench.machine.idle(first));
  CHECK_FALSE(bench.machine.idle(second));
  bench.submit("d", "d");
  bench.accept(b);
  CHECK_FALSE(bench.machine.idle(first));
  CHECK(bench.ended().size() == 1);
  CHECK(bench.machine.idle(first));
  CHECK(bench.machine.idle(second));
  CHECK(bench.machine.idle(third));
  CHECK_FALSE(bench.machine.idle());
}

TEST_CASE("the ledger counts what was submitted by its end, and lists what close() found unreported") {
  Bench bench;
  for (const char* group : {"a", "b", "c"}) bench.submit(group + std::string("1"), group);
  bench.submit("a2", "a");
  Batch batch = bench.take();
  batch[0]->fail(refused);
  batch[1]->fail(lost);
  batch[2]->accept({.message_id = "m-c1"});
  bench.settle(batch);
  CHECK(bench.ended().size() == 4);
  bench.submit("d1", "d");
  bench.submit("e1", "e");
  batch = bench.take();
  bench.machine.close();
  batch[0]->accept({.message_id = "m-d1"});
  batch[1]->fail(lost);
  bench.settle(batch);
  CHECK(bench.ended().size() == 2);
  const dmq::Ledger& ledger = bench.machine.ledger();
  CHECK(ledger.accepted == 2);
  CHECK(ledger.rejected == 1);
  CHECK(ledger.unknown == 2);
  CHECK(ledger.not_sent == 1);
  REQUIRE(ledger.unreported.size() == 2);
  CHECK(ledger.unreported[0].message_id == "m-d1");
  CHECK(ledger.unreported[0].deduplication_id == "id-d1");
  CHECK_FALSE(ledger.unreported[0].error);
  CHECK(ledger.unreported[1].group == "e");
  CHECK(ledger.unreported[1].error == ErrorKind::network);
  CHECK(ledger.unreported[1].delivery == DeliveryState::unknown);
}

TEST_CASE("what its batch had no more time for, and it has, is sent again, in its place") {
  Bench bench({.deadline = seconds(60)});
  bench.submit("a1", "a");
  bench.now = bench.now + seconds(10);
  for (const char* body : {"b1", "b2"}) bench.submit(body, "b");
  bench.submit("c1", "c");
  const Batch batch = bench.take();
  REQUIRE(names(batch) == Names{"a1", "b1", "c1"});
  bench.now = bench.now + seconds(50);
  batch[2]->note(lost);
  batch[0]->note(throttled);
  batch[1]->note(throttled);
  bench.settle(batch, lost);
  CHECK(bench.ended() == Names{"a1 throttled rejected"});
  CHECK(names(bench.take()) == Names{"b1"});
  const Batch unknown = bench.take();
  CHECK(names(unknown) == Names{"c1"});
  CHECK(unknown[0]->worst == DeliveryState::unknown);
  CHECK(unknown[0]->first_byte);
}

TEST_CASE("what nobody knows of is sent again alone, and only within its window") {
  Bench bench({.deadline = seconds(1000)});
  bench.submit("a1", "a");
  Batch batch = bench.take();
  bench.fail(batch, lost);
  bench.submit("b1", "b");
  batch = bench.take();
  CHECK(names(batch) == Names{"a1"});
  CHECK(names(bench.take()) == Names{"b1"});
  const Exchange exchange = bench.exchange();
  bench.now = bench.now + seconds(300 - 30 - 30 - 10 + 1);
  batch[0]->note(throttled);
  bench.machine.settle(batch, throttled, exchange, bench.now);
  CHECK(bench.ended() == Names{"a1 throttled unknown"});
}

TEST_CASE("without deduplication what nobody knows of is not sent again") {
  Bench bench({.deduplication = dmq::Deduplication::none});
  bench.submit("n1", "");
  bench.fail(bench.take(), lost);
  CHECK(bench.ended() == Names{"n1 network unknown"});
  bench.submit("n2", "");
  bench.fail(bench.take(), throttled);
  CHECK(names(bench.take()) == Names{"n2"});
}

TEST_CASE("what was refused together is sent one by one, and only the guilty one fails") {
  Bench bench({.in_group_batch = 2});
  for (const char* body : {"a1", "a2", "a3"}) bench.submit(body, "a");
  bench.submit("b1", "b");
  Batch batch = bench.take();
  REQUIRE(names(batch) == Names{"a1", "a2", "b1"});
  dmq::engine::apply_results(batch, {refused, refused, refused});
  bench.settle(batch);
  CHECK(bench.ended().empty());
  const Batch a1 = bench.take();
  const Batch b1 = bench.take();
  CHECK(names(a1) == Names{"a1"});
  CHECK(names(b1) == Names{"b1"});
  CHECK(bench.take().empty());
  bench.accept(a1);
  const Batch a2 = bench.take();
  CHECK(names(a2) == Names{"a2"});
  bench.fail(a2, refused);
  bench.accept(b1);
  CHECK(bench.ended() == Names{"a1 accepted", "a2 rejected rejected", "a3 corked not_sent", "b1 accepted"});
}

TEST_CASE("one that could go on does not when one behind it in its lane has ended, and is reported before it") {
  Bench bench({.deadline = seconds(60), .in_group_batch = 3});
  for (const char* body : {"a1", "a2", "a3"}) bench.submit(body, "a");
  const Batch batch = bench.take();
  batch[0]->note(throttled);
  batch[1]->fail(refused);
  batch[2]->fail(dmq::engine::corked_error("a"));
  bench.settle(batch, throttled);
  CHECK(bench.ended() == Names{"a1 throttled rejected", "a2 rejected rejected", "a3 corked not_sent"});
}

TEST_CASE("outcomes of attempts join: what was lost once and is refused later is unknown") {
  Bench bench;
  bench.submit("a1", "a");
  const Batch batch = bench.take();
  batch[0]->note(lost);
  bench.fail(batch, refused);
  CHECK(bench.ended() == Names{"a1 rejected unknown"});
}

TEST_CASE("a machine with nothing to do has no deadline") {
  Bench bench;
  CHECK(bench.machine.next_deadline() == Ticks::max());
  CHECK_FALSE(bench.machine.has_ready());
  CHECK_FALSE(bench.machine.has_ended());
  bench.submit("a", "a");
  CHECK(bench.machine.has_ready());
  CHECK(bench.machine.next_deadline() <= bench.now.ticks);
  const Batch batch = bench.take();
  CHECK_FALSE(bench.machine.has_ready());
  CHECK(bench.machine.next_deadline() == Ticks::max());
  bench.accept(batch);
  CHECK(bench.machine.has_ended());
  CHECK(bench.ended().size() == 1);
  CHECK_FALSE(bench.machine.has_ended());
}

TEST_CASE("what goes on after its request has ended waits as long as that would have") {
  Bench bench({.deadline = seconds(60)});
  bench.submit("a1", "a");
  bench.now = bench.now + seconds(30);
  bench.submit("b1", "b");
  const Batch batch = bench.take();
  REQUIRE(names(batch) == Names{"a1", "b1"});
  dmq::engine::RetryState shared;
  Exchange exchange{Terms{.deadline = bench.now.ticks + seconds(30), .patience = dmq::engine::Patience::deadline}};
  exchange.on_value();
  exchange.on_send(bench.now);
  Error busy = throttled;
  busy.retry_after = seconds(5);
  bench.now = bench.now + seconds(29);
  exchange.on_failure(busy, bench.now, shared);
  REQUIRE(exchange.step() == Exchange::Step::done);
  for (Publication* p : batch) p->note(busy);
  bench.machine.settle(batch, busy, exchange, bench.now);
  CHECK(bench.ended() == Names{"a1 throttled rejected"});
  CHECK(bench.take().empty());
  bench.machine.on_timer(bench.now);
  bench.now = bench.now + (exchange.wake_at() - bench.now.ticks);
  CHECK(names(bench.take()) == Names{"b1"});
}

TEST_CASE("a caller that gives up a message of unknown fate corks what was submitted behind it, another does not") {
  for (const bool lost_before : {true, false}) {
    Bench bench;
    Publication& own = bench.enter("a1", "a");
    bench.submit("a2", "a");
    if (lost_before) {
      own.worst = DeliveryState::unknown;
      own.first_byte = bench.now;
    }
    bench.machine.end_unsent(own, failure(ErrorKind::cancelled, DeliveryState::not_sent));
    CHECK(Bench::fate(own) == (lost_before ? "cancelled unknown" : "cancelled not_sent"));
    CHECK(bench.ended() == (lost_before ? Names{"a2 corked not_sent"} : Names{}));
    CHECK(bench.take().size() == (lost_before ? 0 : 1));
    bench.machine.resume("a", false);
    CHECK((bench.machine.opens_at(bench.enter("a3", "a")) > bench.now.ticks) == lost_before);
  }
}
