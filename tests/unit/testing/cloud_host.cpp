#include <dmq/testing/cloud_host.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <dmq/testing/manual_clock.hpp>
#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::CloudHooks;
using dmq::testing::CloudHost;
using dmq::testing::CloudTransport;
using dmq::testing::Disconnects;
using dmq::testing::LocalCloud;
using dmq::testing::ManualClock;
using support::Cloud;
using support::Json;
namespace http = dmq::http;

namespace {

struct Bench {
  ManualClock clock;
  std::shared_ptr<CloudHost<ManualClock>> host;

  explicit Bench(Disconnects disconnects = Disconnects::noticed)
      : host(std::make_shared<CloudHost<ManualClock>>(LocalCloud(support::unsigned_options(), &support::parse), clock,
                                                      disconnects)) {}

  dmq::Result<http::Response> send(std::string_view body) {
    return transport().send(
        Cloud::queue_request("SendMessage", "\"MessageGroupId\":\"g\",\"MessageBody\":\"" + std::string(body) + "\""),
        {});
  }
  CloudTransport<ManualClock> transport(CloudHooks hooks = {}) { return CloudTransport(host, std::move(hooks)); }
};

http::Request poll(dmq::Duration timeout = 30s) {
  http::Request request = Cloud::queue_request("ReceiveMessage", "\"WaitTimeSeconds\":20");
  request.timeout = timeout;
  return request;
}

/// A receive on a thread of its own.
struct Waiter {
  Waiter(Bench& bench, http::Request request)
      : thread([this, &bench, request = std::move(request)](std::stop_token stop) {
          answer = bench.transport().send(request, std::move(stop));
        }) {
    bench.clock.block_until(1);
  }
  std::optional<dmq::Result<http::Response>> answer;
  std::jthread thread;
};

}  // namespace

TEST_CASE("a long poll blocks its thread until a message comes") {
  Bench bench;
  Waiter waiter(bench, poll());
  CHECK(bench.send("hello"));
  waiter.thread.join();
  const Json json(waiter.answer->value().body);
  CHECK((*json["Messages"].begin())["Body"].string() == "hello");
}

TEST_CASE("a long poll ends empty after its wait, or with the request's time limit before that") {
  Bench bench;
  SUBCASE("wait") {
    Waiter waiter(bench, poll());
    bench.clock.advance(20s);
    waiter.thread.join();
    CHECK(waiter.answer->value().body == "{}");
  }
  SUBCASE("limit") {
    Waiter waiter(bench, poll(5s));
    bench.clock.advance(5s);
    waiter.thread.join();
    CHECK(waiter.answer->error().kind == dmq::ErrorKind::timeout);
    CHECK(waiter.answer->error().delivery == dmq::DeliveryState::unknown);
  }
}

TEST_CASE("a stopped poll takes messages only when the disconnect goes unnoticed") {
  for (const Disconnects disconnects : {Disconnects::noticed, Disconnects::unnoticed}) {
    Bench bench(disconnects);
    Waiter waiter(bench, poll());
    waiter.thread.request_stop();
    waiter.thread.join();
    CHECK(waiter.answer->error().kind == dmq::ErrorKind::cancelled);
    CHECK(waiter.answer->error().delivery == dmq::DeliveryState::unknown);
    CHECK(bench.send("hello"));
    const int receives =
        bench.host->with([](LocalCloud& cloud) { return cloud.messages("dmq.fifo").at(0).receive_count; });
    CHECK(receives == (disconnects == Disconnects::noticed ? 0 : 1));
  }
}

TEST_CASE("a visibility timeout that ends wakes a poll") {
  Bench bench;
  CHECK(bench.send("hello"));
  CHECK(bench.transport().send(Cloud::queue_request("ReceiveMessage", "\"VisibilityTimeout\":10"), {}));
  Waiter waiter(bench, poll());
  bench.clock.advance(10s);
  waiter.thread.join();
  CHECK(Json(waiter.answer->value().body)["Messages"].size() == 1);
}

TEST_CASE("of many polls that wait, only those answered go on, and the deadline keeps being minded") {
  Bench bench;
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (std::size_t i = 0; i < 3; ++i) {
    waiters.push_back(std::make_unique<Waiter>(bench, poll()));
    bench.clock.block_until(i + 1);
  }
  const auto polls = [&] { return bench.host->with([](LocalCloud& cloud) { return cloud.polls(); }); };

  // The first one minds the deadline; its answer leaves that to another.
  CHECK(bench.send("first"));
  waiters[0]->thread.join();
  CHECK(Json(waiters[0]->answer->value().body)["Messages"].size() == 1);
  CHECK(polls() == 2);
  bench.clock.block_until(2);
  bench.clock.advance(19s);
  CHECK(polls() == 2);
  bench.clock.advance(1s);
  for (std::size_t i = 1; i < 3; ++i) {
    waiters[i]->thread.join();
    CHECK(waiters[i]->answer->value().body == "{}");
  }
}

TEST_CASE("a deadline that comes nearer is minded") {
  Bench bench;
  Waiter waiter(bench, poll());
  http::Request shorter = Cloud::queue_request("ReceiveMessage", "\"WaitTimeSeconds\":5");
  Waiter other(bench, shorter);
  bench.clock.block_until(2);
  bench.clock.advance(5s);
  other.thread.join();
  CHECK(other.answer->value().body == "{}");
  bench.clock.advance(15s);
  waiter.thread.join();
  CHECK(waiter.answer->value().body == "{}");
}

TEST_CASE("who minds the deadline may give up") {
  Bench bench;
  Waiter minder(bench, poll());
  Waiter other(bench, Cloud::queue_request("ReceiveMessage", "\"WaitTimeSeconds\":10"));
  bench.clock.block_until(2);
  minder.thread.request_stop();
  minder.thread.join();
  CHECK(minder.answer->error().kind == dmq::ErrorKind::cancelled);
  bench.clock.advance(10s);
  other.thread.join();
  CHECK(other.answer->value().body == "{}");
}

TEST_CASE("hooks lose requests and replies") {
  Bench bench;
  const dmq::Error lost{.kind = dmq::ErrorKind::network, .delivery = dmq::DeliveryState::unknown};
  const auto request = Cloud::queue_request("SendMessage", "\"MessageGroupId\":\"g\",\"MessageBody\":\"hello\"");
  const auto held = [&] {
    return bench.host->with([](LocalCloud& cloud) { return cloud.messages("dmq.fifo").size(); });
  };

  auto before = bench.transport({.before = [&](const http::Request&) { return dmq::Result<http::Response>(lost); }});
  CHECK(before.send(request, {}).error().kind == dmq::ErrorKind::network);
  CHECK(held() == 0);
  auto after = bench.transport({.after = [&](const http::Request&, const dmq::Result<http::Response>& answer) {
    CHECK(answer);
    return dmq::Result<http::Response>(lost);
  }});
  CHECK(after.send(request, {}).error().kind == dmq::ErrorKind::network);
  CHECK(held() == 1);
}

TEST_CASE("many senders and pollers at once get each message once") {
  Bench bench;
  std::mutex mutex;
  std::vector<std::string> bodies;
  std::vector<std::jthread> pollers;
  for (int i = 0; i < 4; ++i)
    pollers.emplace_back([&](const std::stop_token& stop) {
      auto transport = bench.transport();
      while (const auto answer = transport.send(poll(), stop)) {
        const Json json(answer->body);
        const std::lock_guard lock(mutex);
        for (const auto message : json["Messages"]) {
          bodies.emplace_back(message["Body"].string().value());
          transport
              .send(Cloud::queue_request(
                        "DeleteMessage",
                        "\"ReceiptHandle\":\"" + std::string(message["ReceiptHandle"].string().value()) + "\""),
                    {})
              .value();
        }
      }
    });
  for (int i = 0; i < 100; ++i) CHECK(bench.send("m" + std::to_string(1000 + i)));
  while (bench.host->with([](LocalCloud& cloud) { return !cloud.messages("dmq.fifo").empty(); }))
    std::this_thread::yield();
  for (std::jthread& poller : pollers) poller.request_stop();
  pollers.clear();
  CHECK(bodies.size() == 100);
  CHECK(std::is_sorted(bodies.begin(), bodies.end()));
}
