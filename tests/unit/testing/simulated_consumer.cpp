#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/testing/simulated_consumer.hpp>
#include <support/producers.hpp>

using dmq::Disposition;
using dmq::engine::Claim;
using dmq::engine::Handled;
using dmq::testing::LocalCloud;
using dmq::testing::NetworkFault;
using dmq::testing::SimulatedClock;
using dmq::testing::SimulatedNetwork;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace http = dmq::http;

namespace {

using Consumer = dmq::testing::SimulatedConsumer<decltype(support::signer())>;

/// A world with one queue, and a consumer that notes what it handles.
struct Bench {
  explicit Bench(std::map<std::uint64_t, NetworkFault> faults = {})
      : network(world, cloud, support::parse, std::move(faults)) {}

  std::unique_ptr<Consumer> consumer(dmq::Duration takes = milliseconds(100), int failures = 0) {
    dmq::ConsumeSettings settings{.queue_url = support::queue_url, .new_id = dmq::crypto::RandomIds()};
    settings.run.workers = 2;
    return std::make_unique<Consumer>(
        world, network, dmq::sqs::Wire("http://localhost", support::parse), support::signer(), settings,
        Consumer::Handling{
            [this, takes, failures](const Claim& claim) {
              log.push_back("begin " + claim.delivery->body);
              const bool fails = claim.delivery->receive_count <= failures;
              return Consumer::Work{takes, {fails ? Disposition::retry(seconds(1)) : Disposition()}};
            },
            [this](const Claim& claim, const Handled&) { log.push_back("end " + claim.delivery->body); }});
  }

  void send(const std::string& body) {
    http::Request request{.method = http::Method::post,
                          .url = "http://localhost/",
                          .body = R"({"QueueUrl":")" + std::string(support::queue_url) + R"(","MessageBody":")" + body +
                                  R"(","MessageGroupId":"g"})"};
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    request.headers.add("X-Amz-Target", "AmazonSQS.SendMessage");
    CHECK(std::get<http::Response>(cloud.handle(request, world.now())).status == 200);
  }
  bool run(dmq::Duration time) { return world.run(SimulatedClock::start.ticks + time); }
  std::size_t held() const { return cloud.messages("dmq.fifo").size(); }

  dmq::testing::Simulation world{1};
  LocalCloud cloud{{.access_keys = {}, .started = SimulatedClock::start}, support::parse};
  SimulatedNetwork network;
  std::vector<std::string> log;
};

}  // namespace

TEST_CASE("a simulated consumer handles what comes, also to a poll that waits for it") {
  Bench bench;
  const auto consumer = bench.consumer();
  bench.send("a");
  bench.world.after(seconds(7), [&] { bench.send("b"); });
  bench.run(seconds(10));
  CHECK(bench.log == std::vector<std::string>{"begin a", "end a", "begin b", "end b"});
  CHECK(bench.held() == 0);
  consumer->stop();
  CHECK(bench.world.run(dmq::Ticks::max()));
  CHECK(consumer->is_finished());
  CHECK(consumer->machine().report().handled == 2);
}

TEST_CASE("what failed comes again before what is behind it") {
  Bench bench;
  const auto consumer = bench.consumer(milliseconds(10), 1);
  bench.send("a");
  bench.send("b");
  bench.run(seconds(10));
  // Each fails once.
  CHECK(bench.log ==
        std::vector<std::string>{"begin a", "end a", "begin a", "end a", "begin b", "end b", "begin b", "end b"});
}

TEST_CASE("a consumer that stands still loses its lease, and another has the message") {
  Bench bench;
  bench.send("a");
  const auto frozen = bench.consumer(seconds(5));
  bench.run(seconds(1));
  CHECK(bench.log == std::vector<std::string>{"begin a"});
  frozen->freeze(seconds(60));
  CHECK(frozen->is_frozen());
  bench.world.after(seconds(1), [] {});
  const auto other = bench.consumer(milliseconds(10));
  bench.run(seconds(50));
  CHECK(bench.log == std::vector<std::string>{"begin a", "begin a", "end a"});
  CHECK(bench.held() == 0);
  bench.run(seconds(80));
  CHECK_FALSE(frozen->is_frozen());
  CHECK(bench.log.back() == "end a");
  CHECK(frozen->machine().report().lost == 1);
}

TEST_CASE("a crash leaves the message to others when its lease is over") {
  Bench bench;
  bench.send("a");
  auto consumer = bench.consumer(seconds(5));
  bench.run(seconds(1));
  consumer.reset();
  const auto other = bench.consumer(milliseconds(10));
  bench.run(seconds(20));
  CHECK(bench.held() == 1);
  bench.run(seconds(40));
  CHECK(bench.held() == 0);
  CHECK(bench.log == std::vector<std::string>{"begin a", "begin a", "end a"});
}

TEST_CASE("a consumer that is parted from the rest gets nothing until that is over") {
  Bench bench;
  const auto consumer = bench.consumer();
  bench.run(seconds(1));
  consumer->part(seconds(30));
  bench.world.after(seconds(1), [&] { bench.send("a"); });
  bench.run(seconds(30));
  CHECK(bench.log.empty());
  bench.run(seconds(90));
  CHECK(bench.log == std::vector<std::string>{"begin a", "end a"});
}

TEST_CASE("a restart breaks the polls that wait") {
  Bench bench;
  const auto consumer = bench.consumer();
  bench.run(seconds(1));
  CHECK(bench.cloud.polls() == 1);
  bench.network.restart();
  CHECK(bench.cloud.polls() == 0);
  bench.run(seconds(5));
  CHECK(bench.cloud.polls() == 1);
}
