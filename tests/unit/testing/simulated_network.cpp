#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include <dmq/testing/simulated_network.hpp>
#include <support/parser.hpp>

using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::testing::LocalCloud;
using dmq::testing::NetworkFault;
using dmq::testing::SimulatedNetwork;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace http = dmq::http;

namespace {

/// A client, a cloud that asks for no signature, and the network between them.
struct Bench {
  explicit Bench(std::map<std::uint64_t, NetworkFault> faults = {})
      : network(world, cloud, support::parse, std::move(faults)), link(network) {}

  static http::Request request(const std::string& target, const std::string& parameters) {
    http::Request request{.method = http::Method::post,
                          .url = "http://localhost/",
                          .body = R"({"QueueUrl":"http://localhost/000000000000/dmq.fifo",)" + parameters + "}",
                          .resend = http::Resend::allowed};
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    request.headers.add("X-Amz-Target", "AmazonSQS." + target);
    return request;
  }
  static http::Request message() {
    return request("SendMessage", R"("MessageBody":"b","MessageGroupId":"g","MessageDeduplicationId":"d")");
  }
  static http::Request batch() {
    std::string entries;
    for (const char* id : {"1", "2", "3"})
      entries += std::string(entries.empty() ? "" : ",") + R"({"Id":")" + id + R"(","MessageBody":")" + id +
                 R"(","MessageGroupId":"g","MessageDeduplicationId":")" + id + R"("})";
    return request("SendMessageBatch", R"("Entries":[)" + entries + "]");
  }

  /// Sends, and lets the world go on to its end; the one completion that came.
  http::Completion send(http::Request request) {
    std::vector<http::Completion> completions;
    link.start(1, std::move(request));
    world.run(dmq::Ticks::max());
    link.poll(completions, {});
    REQUIRE(completions.size() == 1);
    CHECK(completions[0].id == 1);
    CHECK_FALSE(completions[0].request.body.empty());
    return std::move(completions[0]);
  }
  std::size_t held() const { return cloud.messages("dmq.fifo").size(); }

  dmq::testing::Simulation world{1};
  LocalCloud cloud{{.access_keys = {}, .started = dmq::testing::SimulatedClock::start}, support::parse};
  SimulatedNetwork network;
  SimulatedNetwork::Link link;
};

/// What a client sees of a fault, and how many messages are in the queue in the end.
struct Sight {
  NetworkFault fault{};
  int status = 0;                         ///< 0: an error,
  std::optional<DeliveryState> delivery;  ///< this one.
  std::size_t held = 0;
};

}  // namespace

TEST_CASE("without a fault a request is carried out and answered") {
  Bench bench;
  const auto completion = bench.send(Bench::message());
  REQUIRE(completion.result);
  CHECK(completion.result->status == 200);
  CHECK_FALSE(completion.result->resent);
  CHECK(bench.held() == 1);
  CHECK(bench.network.requests() == 1);
}

TEST_CASE("each fault does what its name says, once") {
  const std::vector<Sight> sights = {
      {NetworkFault::refuse, 0, DeliveryState::not_sent, 0},
      {NetworkFault::lose_request, 0, DeliveryState::unknown, 0},
      {NetworkFault::lose_reply, 0, DeliveryState::unknown, 1},
      {NetworkFault::half_close, 0, DeliveryState::unknown, 1},
      {NetworkFault::stall, 0, DeliveryState::unknown, 1},
      {NetworkFault::delay, 200, {}, 1},
      {NetworkFault::throttle, 403, {}, 0},
      {NetworkFault::fail_before, 503, {}, 0},
      {NetworkFault::fail_after, 500, {}, 1},
      {NetworkFault::error_in_200, 200, {}, 0},
      {NetworkFault::corrupt_hash, 200, {}, 1},
      {NetworkFault::partial_batch, 500, {}, 0},
  };
  for (const Sight& sight : sights) {
    CAPTURE(dmq::testing::to_string(sight.fault));
    Bench bench({{0, sight.fault}});
    const auto completion = bench.send(Bench::message());
    CHECK(completion.result.has_value() == (sight.status != 0));
    if (completion.result)
      CHECK(completion.result->status == sight.status);
    else
      CHECK(completion.result.error().delivery == sight.delivery);
    CHECK(bench.held() == sight.held);
    CHECK(bench.network.struck()[static_cast<std::size_t>(sight.fault)] == 1);
  }
}

TEST_CASE("a request sent twice is one message, and says that it was sent twice, whatever the second answer is") {
  Bench bench({{0, NetworkFault::resend}});
  const auto completion = bench.send(Bench::message());
  REQUIRE(completion.result);
  CHECK(completion.result->resent);
  CHECK(bench.held() == 1);

  Bench forbidden({{0, NetworkFault::resend}});
  http::Request request = Bench::message();
  request.resend = http::Resend::forbidden;
  CHECK(forbidden.send(std::move(request)).result.error().delivery == DeliveryState::unknown);
  CHECK(forbidden.held() == 1);
}

TEST_CASE("a corrupt hash is not that of the body") {
  Bench bench({{0, NetworkFault::corrupt_hash}});
  Bench sound;
  CHECK(bench.send(Bench::message()).result->body.find("92eb5ffee6ae2fec3ad71c777531578f") == std::string::npos);
  CHECK(sound.send(Bench::message()).result->body.find("92eb5ffee6ae2fec3ad71c777531578f") != std::string::npos);
}

TEST_CASE("of a partial batch one entry is named as failed, and the others are in the queue") {
  Bench bench({{0, NetworkFault::partial_batch}});
  const auto completion = bench.send(Bench::batch());
  REQUIRE(completion.result);
  dmq::json::Document document;
  REQUIRE(support::parse(completion.result->body, document, {}));
  CHECK(document.root()["Successful"].size() == 2);
  REQUIRE(document.root()["Failed"].size() == 1);
  const std::string failed((*document.root()["Failed"].begin())["Id"].string().value());
  CHECK(bench.held() == 2);
  for (const auto& message : bench.cloud.messages("dmq.fifo")) CHECK(message.content.body != failed);
}

TEST_CASE("a partition lets nothing through, a restart loses what is under way, and a cancelled request ends at once") {
  Bench parted;
  parted.network.part(seconds(10));
  CHECK(parted.send(Bench::message()).result.error().delivery == DeliveryState::not_sent);
  CHECK(parted.held() == 0);

  Bench restarted;
  restarted.link.start(1, Bench::message());
  restarted.network.restart();
  restarted.world.run(dmq::Ticks::max());
  std::vector<http::Completion> completions;
  restarted.link.poll(completions, {});
  REQUIRE(completions.size() == 1);
  CHECK(completions[0].result.error().delivery == DeliveryState::unknown);
  CHECK(restarted.held() == 0);

  Bench cancelled;
  cancelled.link.start(7, Bench::message());
  cancelled.link.cancel(7);
  cancelled.link.cancel(8);
  completions.clear();
  cancelled.world.run(dmq::Ticks::max());
  cancelled.link.poll(completions, {});
  REQUIRE(completions.size() == 1);
  CHECK(completions[0].id == 7);
  CHECK(completions[0].result.error().kind == ErrorKind::cancelled);
}

TEST_CASE("a long poll is answered when its wait is over") {
  Bench bench;
  const auto completion = bench.send(Bench::request("ReceiveMessage", R"("WaitTimeSeconds":20)"));
  REQUIRE(completion.result);
  CHECK(completion.result->body == "{}");
  CHECK(bench.world.now().ticks - dmq::testing::SimulatedClock::start.ticks >= seconds(20));
}

TEST_CASE("what the cloud does not answer in time ends with the client's own limit") {
  Bench bench;
  http::Request request = Bench::request("ReceiveMessage", R"("WaitTimeSeconds":20)");
  request.timeout = seconds(5);
  const auto completion = bench.send(std::move(request));
  REQUIRE_FALSE(completion.result);
  CHECK(completion.result.error().kind == ErrorKind::timeout);
  CHECK(completion.result.error().delivery == DeliveryState::unknown);
}

TEST_CASE("what a client had sent is still under way when it is gone") {
  dmq::testing::Simulation world{1};
  LocalCloud cloud{{.access_keys = {}, .started = dmq::testing::SimulatedClock::start}, support::parse};
  SimulatedNetwork network(world, cloud, support::parse, {});
  std::optional<SimulatedNetwork::Link> link(std::in_place, network);
  link->start(1, Bench::message());
  link.reset();
  world.run(dmq::Ticks::max());
  CHECK(cloud.messages("dmq.fifo").size() == 1);
}
