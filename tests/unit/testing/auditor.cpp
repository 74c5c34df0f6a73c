#include <dmq/testing/auditor.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

#include <support/cloud.hpp>

using dmq::DeliveryState;
using dmq::Ledger;
using dmq::PublishError;
using dmq::PublishResult;
using dmq::Receipt;
using dmq::testing::Auditor;

namespace {

const PublishResult accepted = Receipt{.message_id = "m"};

PublishResult failed(DeliveryState delivery) {
  return PublishError{{.kind = dmq::ErrorKind::network, .delivery = delivery, .message = "x"}, {}};
}
const PublishResult not_sent = failed(DeliveryState::not_sent);
const PublishResult unknown = failed(DeliveryState::unknown);

/// An auditor, and the queue it looks into.
struct Bench {
  support::Cloud cloud{};
  Auditor auditor{};
  int sent = 0;

  void send(const std::string& body, const std::string& group = "g") {
    const std::string id = std::to_string(++sent);
    REQUIRE(cloud
                .call("SendMessage", "\"MessageGroupId\":\"" + group + "\",\"MessageBody\":\"" + body +
                                         "\",\"MessageDeduplicationId\":\"" + id + "\"")
                .status == 200);
  }
  void accept(const std::string& body) {
    auditor.submitted("g", body);
    send(body);
    auditor.reported(body, accepted);
  }
  std::set<std::string> invariants() const {
    std::set<std::string> names;
    for (const auto& violation : auditor.violations()) names.insert(violation.invariant);
    return names;
  }
  std::set<std::string> finish(Ledger ledger) {
    auditor.ledger(ledger);
    auditor.finish(cloud.model, "dmq.fifo");
    return invariants();
  }
};

using Only = std::set<std::string>;

}  // namespace

TEST_CASE("the auditor is silent when every promise is kept") {
  Bench bench;
  bench.accept("1");
  bench.auditor.submitted("g", "2");
  bench.auditor.submitted("g", "3");
  bench.auditor.submitted("h", "other");
  bench.send("2");
  bench.auditor.reported("2", unknown);
  bench.auditor.reported("3", not_sent);
  bench.send("other", "h");
  bench.auditor.reported("other", accepted);
  bench.accept("4");
  bench.auditor.submitted("h", "lost");
  bench.auditor.reported("lost", unknown);
  bench.auditor.submitted("c", "crashed");
  bench.auditor.crashed("c");
  CHECK(bench.finish({.accepted = 3, .unknown = 2, .not_sent = 1}) == Only{});
}

TEST_CASE("a message that came back may be submitted again, once it is reported") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  bench.auditor.reported("1", unknown);
  bench.accept("1");
  CHECK(bench.finish({.accepted = 1, .unknown = 1}) == Only{});
}

TEST_CASE("a report without a submission, or a second one, is noticed") {
  Bench bench;
  bench.auditor.reported("never", not_sent);
  CHECK(bench.invariants() == Only{"reported-once"});
  Bench twice;
  twice.accept("1");
  twice.auditor.reported("1", accepted);
  CHECK(twice.invariants() == Only{"reported-once"});
}

TEST_CASE("reports of a group in another order than its submissions are noticed") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  bench.auditor.submitted("g", "2");
  bench.auditor.reported("2", not_sent);
  bench.auditor.reported("1", not_sent);
  CHECK(bench.finish({.not_sent = 2}) == Only{"reports-in-order"});
}

TEST_CASE("a message that was accepted behind one that had not failed before is noticed") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  bench.auditor.submitted("g", "2");
  bench.send("2");
  bench.auditor.reported("1", not_sent);
  bench.auditor.reported("2", accepted);
  CHECK(bench.finish({.accepted = 1, .not_sent = 1}) == Only{"no-gap"});
}

TEST_CASE("in a run one may fail before a later one, which is accepted") {
  Bench bench;
  bench.auditor.allow_runs("g");
  bench.auditor.submitted("g", "1");
  bench.auditor.submitted("g", "2");
  bench.send("2");
  bench.auditor.reported("1", not_sent);
  bench.auditor.reported("2", accepted);
  CHECK(bench.finish({.accepted = 1, .not_sent = 1}) == Only{});
}

TEST_CASE("a message that is never reported is noticed") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  CHECK(bench.finish({}) == Only{"everything-is-reported"});
}

TEST_CASE("ledgers that do not add up are noticed, whichever count it is") {
  for (const Ledger& ledger : {Ledger{.accepted = 2}, Ledger{}, Ledger{.accepted = 1, .rejected = 1},
                               Ledger{.accepted = 1, .unknown = 1}, Ledger{.accepted = 1, .not_sent = 1}}) {
    Bench bench;
    bench.accept("1");
    CHECK(bench.finish(ledger) == Only{"ledger-adds-up"});
  }
  Bench halves;
  halves.accept("1");
  halves.accept("2");
  halves.auditor.ledger({.accepted = 1});
  CHECK(halves.finish({.accepted = 1}) == Only{});
}

TEST_CASE("a message in the queue that nobody submitted is noticed") {
  Bench bench;
  bench.send("stranger");
  CHECK(bench.finish({}) == Only{"nothing-else-is-in-the-queue"});
}

TEST_CASE("an accepted message that is not in the queue is noticed") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  bench.auditor.reported("1", accepted);
  CHECK(bench.finish({.accepted = 1}) == Only{"accepted-is-in-the-queue"});
}

TEST_CASE("a message that is in the queue twice is noticed, accepted or not") {
  Bench bench;
  bench.accept("1");
  bench.send("1");
  CHECK(bench.finish({.accepted = 1}) == Only{"at-most-once"});
  Bench lost;
  lost.auditor.submitted("g", "1");
  lost.send("1");
  lost.send("1");
  lost.auditor.reported("1", unknown);
  CHECK(lost.finish({.unknown = 1}) == Only{"at-most-once"});
}

TEST_CASE("a message in the queue that was reported as not sent or rejected is noticed") {
  for (const DeliveryState delivery : {DeliveryState::not_sent, DeliveryState::rejected}) {
    Bench bench;
    bench.auditor.submitted("g", "1");
    bench.send("1");
    bench.auditor.reported("1", failed(delivery));
    const bool rejected = delivery == DeliveryState::rejected;
    CHECK(bench.finish({.rejected = rejected ? 1U : 0U, .not_sent = rejected ? 0U : 1U}) ==
          Only{"refused-is-not-in-the-queue"});
  }
}

TEST_CASE("an order in the queue that is not that of the submissions is noticed") {
  Bench bench;
  bench.auditor.submitted("g", "1");
  bench.auditor.submitted("g", "2");
  bench.send("2");
  bench.send("1");
  bench.auditor.reported("1", accepted);
  bench.auditor.reported("2", accepted);
  CHECK(bench.finish({.accepted = 2}) == Only{"order-in-a-group"});
}

TEST_CASE("what a program adds is a violation like others") {
  Auditor auditor;
  auditor.violate("mine", "what");
  REQUIRE(auditor.violations().size() == 1);
  CHECK(auditor.violations()[0].invariant == "mine");
  CHECK(auditor.violations()[0].what == "what");
}
