#include <doctest/doctest.h>

#include <vector>

#include <dmq/engine/lease_book.hpp>

using dmq::ConsumeSettings;
using dmq::Lease;
using dmq::Ticks;
using dmq::engine::Held;
using dmq::engine::LeaseBook;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Ids = std::vector<std::uint64_t>;

namespace {

constexpr Ticks start{seconds(1000)};

Ticks at(int second) {
  return start + seconds(second);
}

Held held(std::uint64_t id = 1) {
  return Held{.id = id, .lease = Lease([] { return start; })};
}

/// With a lease of 30 s unless a test says otherwise.
struct Bench {
  explicit Bench(ConsumeSettings with = {}) : settings(std::move(with)), book(settings) {}
  ConsumeSettings settings;
  LeaseBook book;
};

}  // namespace

TEST_CASE("a lease counts from when it was given, and is extended before half of it is gone") {
  Bench bench;
  Held message = held();
  bench.book.open(message, start);
  CHECK(message.leased_until == at(30));
  CHECK(message.lease.until() == at(30));
  CHECK(bench.book.next_extension() == at(12));
  CHECK(bench.book.due(at(12) - milliseconds(1), 10, false).empty());
  CHECK(bench.book.due(at(12), 10, false) == Ids{1});
  CHECK(bench.book.extension(message, at(12)) == seconds(30));
  bench.book.renew(message, at(12), seconds(30));
  CHECK(message.leased_until == at(42));
  CHECK(bench.book.next_extension() == at(24));
}

TEST_CASE("a shorter heartbeat is kept, a longer one is not waited for") {
  for (const auto& [heartbeat, first] : {std::pair{3, 3}, {12, 12}, {20, 12}}) {
    Bench bench({.run = {.heartbeat = seconds(heartbeat)}});
    Held message = held();
    bench.book.open(message, start);
    CHECK(bench.book.next_extension() == at(first));
  }
}

TEST_CASE("what waits lapses with its lease, and a handler is told 2 s before") {
  Bench bench;
  Held message = held();
  bench.book.open(message, start);
  CHECK(bench.book.next_lapse() == at(30));
  CHECK_FALSE(bench.book.lapsed(at(30) - milliseconds(1)));
  CHECK(bench.book.lapsed(at(30)) == 1);
  message.state = Held::State::running;
  bench.book.run(message, start);
  CHECK(bench.book.next_lapse() == at(28));
  message.state = Held::State::finished;
  bench.book.update(message);
  CHECK(bench.book.next_lapse() == Held::never);
  CHECK(bench.book.next_extension() == at(12));
}

TEST_CASE("with a short lease a handler is told a quarter of it before") {
  Bench bench({.visibility = seconds(6)});
  CHECK(bench.book.margin() == milliseconds(1500));
  Held message = held();
  bench.book.open(message, start);
  CHECK_FALSE(bench.book.is_too_short(message, start + milliseconds(4499)));
  CHECK(bench.book.is_too_short(message, start + milliseconds(4500)));
}

TEST_CASE("a handler's message is extended for as long as a handler may take, and no longer") {
  Bench bench({.run = {.handler_limit = seconds(40)}});
  Held message = held();
  bench.book.open(message, start);
  message.state = Held::State::running;
  bench.book.run(message, at(5));
  CHECK(message.cap == at(45));
  CHECK(bench.book.extension(message, at(12)) == seconds(30));
  bench.book.renew(message, at(12), seconds(30));
  CHECK(bench.book.next_extension() == at(24));
  CHECK(bench.book.extension(message, at(24)) == seconds(21));
  bench.book.renew(message, at(24), seconds(21));
  CHECK(message.leased_until == at(45));
  CHECK(bench.book.next_extension() == Held::never);
  CHECK(bench.book.next_lapse() == at(43));
  CHECK(bench.book.extension(message, at(40)) == seconds(0));
}

TEST_CASE("a message that comes again under its handler keeps the handler's limit") {
  Bench bench({.run = {.handler_limit = seconds(40)}});
  Held message = held();
  bench.book.open(message, start);
  message.state = Held::State::running;
  bench.book.run(message, start);
  bench.book.open(message, at(20));
  CHECK(message.leased_until == at(50));
  CHECK(message.cap == at(40));
  CHECK(bench.book.next_extension() == Held::never);
}

TEST_CASE("no lease goes on for longer than 12 h after the receive") {
  Bench bench({.visibility = hours(5)});
  Held message = held();
  bench.book.open(message, start);
  CHECK(bench.book.next_extension() == start + hours(2));
  bench.book.renew(message, start + hours(2), hours(5));
  bench.book.renew(message, start + hours(4), hours(5));
  CHECK(message.leased_until == start + hours(9));
  CHECK(bench.book.next_extension() == start + hours(6));
  CHECK(bench.book.extension(message, start + hours(6)) == hours(5));
  CHECK(bench.book.extension(message, start + hours(8)) == hours(4) - seconds(2));
  bench.book.renew(message, start + hours(8), hours(4) - seconds(2));
  CHECK(bench.book.next_extension() == Held::never);
}

TEST_CASE("a lost change that may still land leaves no more of the lease than it would") {
  Bench bench;
  Held message = held();
  bench.book.open(message, start);
  message.suspect_until = at(35);
  message.suspect_lease = seconds(7);
  bench.book.renew(message, at(34), seconds(30));
  CHECK(message.leased_until == at(41));
  CHECK(bench.book.next_extension() == at(34) + milliseconds(2800));
  bench.book.renew(message, at(35), seconds(30));
  CHECK(message.leased_until == at(65));
}

TEST_CASE("when a request goes out anyhow, what is due soon goes with it") {
  Bench bench;
  Held first = held(1), second = held(2), third = held(3);
  bench.book.open(first, start);
  bench.book.open(second, at(3));
  bench.book.open(third, at(4));
  CHECK(bench.book.due(at(11), 10, false).empty());
  CHECK(bench.book.due(at(11), 10, true) == Ids{1});
  CHECK(bench.book.due(at(12), 10, false) == Ids{1, 2});
  CHECK(bench.book.due(at(12), 1, false) == Ids{1});
  CHECK(bench.book.due(at(12), 0, false).empty());
}

TEST_CASE("what is lost, is being changed or is closed is not extended") {
  Bench bench;
  Held message = held();
  bench.book.open(message, start);
  message.changing = true;
  bench.book.update(message);
  CHECK(bench.book.next_extension() == Held::never);
  message.changing = false;
  bench.book.update(message);
  CHECK(bench.book.next_extension() == at(12));
  message.lost = true;
  bench.book.update(message);
  CHECK(bench.book.next_extension() == Held::never);
  message.lost = false;
  bench.book.update(message);
  bench.book.close(message);
  CHECK(bench.book.next_extension() == Held::never);
  CHECK(bench.book.next_lapse() == Held::never);
}
