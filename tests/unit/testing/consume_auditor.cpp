#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <dmq/testing/consume_auditor.hpp>
#include <support/cloud.hpp>

using dmq::Disposition;
using dmq::engine::Claim;
using dmq::testing::ConsumeAuditor;
using std::chrono::seconds;

namespace {

/// A queue with two messages of one group, and who has them.
struct Bench {
  explicit Bench(std::string name = "dmq.fifo") : queue(std::move(name)) {
    cloud.model.create_queue("dead.fifo", {{"FifoQueue", "true"}}, cloud.now).value();
    for (const char* body : {"m1", "m2"})
      cloud.call("SendMessage", std::string(R"("MessageGroupId":"g","MessageBody":")") + body + "\"", queue);
  }

  /// Takes up to `most` messages for half a minute.
  std::vector<Claim> receive(int most) {
    const support::Json answer(
        cloud
            .call("ReceiveMessage",
                  R"("VisibilityTimeout":30,"MessageSystemAttributeNames":["All"],"MaxNumberOfMessages":)" +
                      std::to_string(most),
                  queue)
            .body);
    std::vector<Claim> claims;
    for (const dmq::json::Value message : answer["Messages"]) {
      auto received = dmq::sqs::read_message(message).value();
      handles[received.body] = received.receipt_handle;
      claims.push_back({++last, std::make_shared<dmq::Delivery>(dmq::engine::to_delivery(std::move(received), {})),
                        dmq::Lease([] { return dmq::Ticks(); })});
    }
    return claims;
  }
  void remove(const std::string& body) {
    CHECK(cloud.call("DeleteMessage", R"("ReceiptHandle":")" + handles[body] + "\"", queue).status == 200);
  }
  void began(const Claim& claim, ConsumeAuditor::Consumer consumer = 1) {
    auditor.began(consumer, queue, claim, cloud.now);
  }
  void ended(const Claim& claim, Disposition disposition = {}, ConsumeAuditor::Consumer consumer = 1) {
    auditor.ended(consumer, claim, {disposition, {}}, cloud.now);
  }
  std::set<std::string> violated() const {
    std::set<std::string> names;
    for (const auto& violation : auditor.violations()) names.insert(violation.invariant);
    return names;
  }
  using Names = std::set<std::string>;

  std::string queue;
  support::Cloud cloud;
  ConsumeAuditor auditor{cloud.model};
  std::map<std::string, std::string> handles;
  std::uint64_t last = 0;
};

}  // namespace

TEST_CASE("a message after the other, each deleted before the next begins, is as it should be") {
  Bench bench;
  const auto claims = bench.receive(10);
  REQUIRE(claims.size() == 2);
  for (const Claim& claim : claims) {
    bench.began(claim);
    bench.ended(claim);
    bench.remove(claim.delivery->body);
    bench.auditor.confirmed(claim.delivery->message_id);
  }
  bench.auditor.finish(bench.queue, "dead.fifo", {claims[0].delivery->message_id, claims[1].delivery->message_id});
  CHECK(bench.violated().empty());
}

TEST_CASE("a message that begins before an earlier one is done is out of order") {
  Bench bench;
  const auto claims = bench.receive(10);
  bench.began(claims[1]);
  CHECK(bench.violated() == Bench::Names{"in-order"});
}

TEST_CASE("two handlers of one group at once overlap, unless the first was told, or could not be") {
  Bench bench;
  auto claims = bench.receive(10);
  bench.began(claims[0]);
  SUBCASE("") {
    bench.remove("m1");
    bench.began(claims[1], 2);
    CHECK(bench.violated() == Bench::Names{"no-overlap"});
  }
  SUBCASE("told") {
    claims[0].lease.lose();
    bench.remove("m1");
    bench.began(claims[1], 2);
    CHECK(bench.violated().empty());
  }
  SUBCASE("frozen") {
    bench.auditor.froze(1);
    bench.remove("m1");
    bench.began(claims[1], 2);
    CHECK(bench.violated().empty());
  }
  SUBCASE("crashed") {
    bench.auditor.crashed(1);
    bench.remove("m1");
    bench.began(claims[1], 2);
    CHECK(bench.violated().empty());
  }
}

TEST_CASE("a lease has to hold when a handler begins, and when it ends without having been told") {
  Bench bench;
  const auto claims = bench.receive(1);
  SUBCASE("at the beginning") {
    bench.cloud.now = bench.cloud.now + seconds(31);
    bench.began(claims[0]);
    CHECK(bench.violated() == Bench::Names{"lease-is-held"});
  }
  SUBCASE("when another has it by now") {
    bench.cloud.now = bench.cloud.now + seconds(31);
    REQUIRE(bench.receive(1).size() == 1);
    bench.began(claims[0]);
    CHECK(bench.violated() == Bench::Names{"lease-is-held"});
  }
  SUBCASE("at the end") {
    bench.began(claims[0]);
    bench.cloud.now = bench.cloud.now + seconds(31);
    bench.ended(claims[0]);
    CHECK(bench.violated() == Bench::Names{"told-before-loss"});
  }
}

TEST_CASE("what was deleted, or done here, does not begin again") {
  Bench bench;
  const auto claims = bench.receive(1);
  bench.began(claims[0]);
  bench.ended(claims[0]);
  bench.began(claims[0]);
  CHECK(bench.violated() == Bench::Names{"finished-not-again"});
  bench.ended(claims[0]);
  bench.auditor.confirmed(claims[0].delivery->message_id);
  bench.began(claims[0], 2);
  CHECK(bench.violated() == Bench::Names{"finished-not-again", "confirmed-not-again"});
}

TEST_CASE("an end without a beginning is noticed") {
  Bench bench;
  bench.ended(bench.receive(1)[0]);
  CHECK(bench.violated() == Bench::Names{"ends-once"});
}

TEST_CASE("what a stopped consumer gave back has to be there") {
  Bench bench;
  const auto claims = bench.receive(1);
  const dmq::RunReport report{.released = {{claims[0].delivery->message_id, "g", claims[0].delivery->fence()}}};
  bench.auditor.stopped(bench.queue, report, bench.cloud.now);
  CHECK(bench.violated() == Bench::Names{"visible-after-a-stop"});
}

TEST_CASE("in the end the queue is empty, and every message was done") {
  Bench bench;
  const auto claims = bench.receive(10);
  bench.auditor.finish(bench.queue, "dead.fifo", {claims[0].delivery->message_id});
  CHECK(bench.violated() == Bench::Names{"drained", "nothing-is-lost"});
}
