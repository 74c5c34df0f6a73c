#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <dmq/consumer.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <support/leaping_clock.hpp>
#include <support/producers.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::CloudHooks;
using dmq::testing::CloudTransport;
using support::Cloud;
using support::LeapingClock;

namespace {

bool is(const Request& request, const char* operation) {
  return request.headers.get("X-Amz-Target") == std::string("AmazonSQS.") + operation;
}

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"};

struct Fixture {
  explicit Fixture(CloudHooks hooks = {}) : transport(cloud.host, std::move(hooks)) {
    auto producer = support::direct_producer(cloud.transport, cloud.clock);
    for (const auto& [group, body] : {std::pair{"a", "1"}, {"a", "2"}, {"b", "1"}})
      REQUIRE(producer.publish({.body = body,
                                .group = group,
                                .attributes = {{"n", dmq::Attribute::number("7")}},
                                .trace_header = "Root=1"}));
  }

  Cloud<LeapingClock> cloud{};
  CloudTransport<LeapingClock> transport;
  decltype(support::consumer(transport, cloud.clock)) consumer = support::consumer(transport, cloud.clock);
};

/// Loses the first `count` answers to an operation, after the cloud has carried it out.
CloudHooks losing(const char* operation, int count) {
  CloudHooks hooks;
  auto left = std::make_shared<std::atomic<int>>(count);
  hooks.after = [=](const Request& request, dmq::Result<Response> response) -> dmq::Result<Response> {
    if (!is(request, operation) || (*left)-- <= 0) return response;
    return lost;
  };
  return hooks;
}

}  // namespace

TEST_CASE("a delivery is the message as it was published") {
  Fixture f;
  const auto deliveries = f.consumer.receive().value();
  REQUIRE(deliveries.size() == 3);
  const dmq::Delivery& first = deliveries.front();
  CHECK(first.body == "1");
  CHECK(first.group == "a");
  CHECK(first.attributes == dmq::Attributes{{"n", dmq::Attribute::number("7")}});
  CHECK(first.trace_header == "Root=1");
  CHECK(first.receive_count == 1);
  CHECK(first.sequence_number.size() == 20);
  CHECK(first.deduplication_id.size() == 32);
  CHECK(f.consumer.remaining(first) == 29s);
  CHECK(deliveries[0].fence() < deliveries[1].fence());
}

TEST_CASE("an acknowledged message is gone, and acknowledging it twice is a success") {
  Fixture f;
  const auto deliveries = f.consumer.receive().value();
  CHECK(f.consumer.acknowledge(deliveries[0]));
  CHECK(f.consumer.acknowledge(deliveries[0]));
  CHECK(f.cloud.messages().size() == 2);
  for (const auto& result : f.consumer.acknowledge(deliveries)) CHECK(result);
  CHECK(f.cloud.messages().empty());
}

TEST_CASE("more than ten are acknowledged ten a request") {
  Fixture f;
  auto producer = support::direct_producer(f.cloud.transport, f.cloud.clock);
  for (int i = 0; i < 20; ++i) REQUIRE(producer.publish({.body = "x", .group = "c" + std::to_string(i)}));
  std::vector<dmq::Delivery> all;
  while (all.size() < 23)
    for (dmq::Delivery& delivery : f.consumer.receive().value()) all.push_back(std::move(delivery));
  const auto results = f.consumer.acknowledge(all);
  REQUIRE(results.size() == 23);
  for (const auto& result : results) CHECK(result);
  CHECK(f.cloud.messages().empty());
  CHECK(f.cloud.host->with([](auto& model) { return model.calls("DeleteMessageBatch"); }) == 3);
}

TEST_CASE("a released message comes back, with the rest of its group behind it") {
  Fixture f;
  const auto deliveries = f.consumer.receive().value();
  REQUIRE(f.consumer.release(deliveries[1]));
  REQUIRE(f.consumer.release(deliveries[0]));
  const auto again = f.consumer.receive().value();
  REQUIRE(again.size() == 2);
  CHECK(again[0].body == "1");
  CHECK(again[0].receive_count == 2);
  CHECK(again[1].body == "2");
}

TEST_CASE("a message whose lease has ended is lost to us and comes back") {
  Fixture f;
  const auto deliveries = f.consumer.receive().value();
  f.cloud.clock.advance(31s);
  CHECK(f.consumer.remaining(deliveries[0]) == 0s);
  const auto acknowledged = f.consumer.acknowledge(deliveries[0]);
  REQUIRE_FALSE(acknowledged);
  CHECK(acknowledged.error().kind == ErrorKind::lease_lost);
  for (const auto& result : f.consumer.acknowledge(deliveries)) CHECK(result.error().kind == ErrorKind::lease_lost);
  CHECK(f.consumer.receive().value().size() == 3);
}

TEST_CASE("an extended lease ends later") {
  Fixture f;
  auto deliveries = f.consumer.receive().value();
  REQUIRE(f.consumer.extend(deliveries[0], 120s));
  CHECK(f.consumer.remaining(deliveries[0]) == 120s);
  f.cloud.clock.advance(100s);
  CHECK(f.consumer.acknowledge(deliveries[0]));
}

TEST_CASE("an extension whose answer never came changes nothing") {
  Fixture f(losing("ChangeMessageVisibility", 3));
  auto deliveries = f.consumer.receive().value();
  CHECK_FALSE(f.consumer.extend(deliveries[0], 120s));
  CHECK(f.consumer.remaining(deliveries[0]) <= 29s);
}

TEST_CASE("a receive whose answer was lost gets the same messages again") {
  Fixture f(losing("ReceiveMessage", 1));
  const auto deliveries = f.consumer.receive().value();
  REQUIRE(deliveries.size() == 3);
  CHECK(deliveries[0].receive_count == 1);
  for (const auto& result : f.consumer.acknowledge(deliveries)) CHECK(result);
}

TEST_CASE("any answer ends a receive attempt id, a throttle too") {
  CloudHooks hooks;
  std::vector<std::string> ids;
  hooks.before = [&](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (!is(request, "ReceiveMessage")) return std::nullopt;
    dmq::json::Document document;
    REQUIRE(support::parse(request.body, document));
    ids.emplace_back(document.root()["ReceiveRequestAttemptId"].string().value_or(""));
    if (ids.size() == 1) return dmq::Result<Response>(lost);
    if (ids.size() == 2)
      return dmq::Result<Response>(
          Response{.status = 403, .body = R"({"__type":"com.amazonaws.sqs#RequestThrottled","message":"slow"})"});
    return std::nullopt;
  };
  Fixture f(hooks);
  CHECK(f.consumer.receive());
  REQUIRE(ids.size() == 3);
  CHECK(ids[0].size() == 32);
  CHECK(ids[0] == ids[1]);
  CHECK(ids[1] != ids[2]);
}

TEST_CASE("an attempt id that is not valid any more is replaced without an error") {
  CloudHooks hooks;
  int polls = 0;
  hooks.before = [&](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (!is(request, "ReceiveMessage") || ++polls > 1) return std::nullopt;
    return dmq::Result<Response>(Response{
        .status = 400,
        .body =
            R"({"__type":"com.amazon.coral.service#InvalidParameterValueException","message":"The receiveRequestAttemptId is not valid anymore since the receive call is not retryable."})"});
  };
  Fixture f(hooks);
  CHECK(f.consumer.receive().value().size() == 3);
}

TEST_CASE("a message that arrives damaged is not handed out") {
  CloudHooks hooks;
  hooks.after = [](const Request& request, dmq::Result<Response> response) {
    if (is(request, "ReceiveMessage"))
      response->body.replace(response->body.find(R"("Body":"1")"), 10, R"("Body":"9")");
    return response;
  };
  Fixture f(hooks);
  const auto deliveries = f.consumer.receive();
  REQUIRE_FALSE(deliveries);
  CHECK(deliveries.error().kind == ErrorKind::integrity);
}

TEST_CASE("bad arguments are refused with their range, before the network") {
  Fixture f;
  auto deliveries = f.consumer.receive().value();
  const auto calls = [&] {
    return f.cloud.host->with(
        [](auto& model) { return model.calls("ReceiveMessage") + model.calls("ChangeMessageVisibility"); });
  };
  const auto before = calls();
  for (const auto& options :
       {dmq::ReceiveOptions{.max_messages = 0}, {.max_messages = 11}, {.wait = 21s}, {.wait = -1s}}) {
    const auto result = f.consumer.receive(options);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::invalid_argument);
  }
  CHECK(f.consumer.extend(deliveries[0], 12h + 1s).error().kind == ErrorKind::invalid_argument);
  CHECK(f.consumer.release(deliveries[0], -1s).error().kind == ErrorKind::invalid_argument);
  CHECK(calls() == before);
}

TEST_CASE("a queue that does not exist, and a key that is not known, are told as what they are") {
  Cloud<LeapingClock> cloud;
  dmq::Consumer missing(cloud.transport, dmq::sqs::Wire("http://localhost", support::parse), support::signer(),
                        {.queue_url = "http://localhost/000000000000/other.fifo", .new_id = dmq::crypto::RandomIds()},
                        cloud.clock);
  CHECK(missing.receive().error().kind == ErrorKind::configuration);
  dmq::Consumer stranger(cloud.transport, dmq::sqs::Wire("http://localhost", support::parse),
                         dmq::auth::SigV4(dmq::auth::StaticCredentials({.access_key_id = "AKIALOCALCLOUD000000",
                                                                        .secret_access_key = dmq::Secret("wrong")}),
                                          {.region = "us-east-1", .service = "sqs"}),
                         {.queue_url = support::queue_url, .new_id = dmq::crypto::RandomIds()}, cloud.clock);
  const auto refused = stranger.receive();
  CHECK(refused.error().kind == ErrorKind::authentication);
  CHECK(refused.error().delivery == DeliveryState::rejected);
}

TEST_CASE("a clock that is wrong is corrected by the service's, and the request signed again") {
  Cloud<LeapingClock> cloud;
  struct LateClock {
    LeapingClock clock;
    dmq::WallTime now() const { return clock.now() - 20min; }
    dmq::Ticks ticks() const { return clock.ticks(); }
    bool sleep_for(dmq::Duration duration, std::stop_token stop) const { return clock.sleep_for(duration, stop); }
  };
  auto late = support::consumer(cloud.transport, LateClock{cloud.clock});
  CHECK(late.receive({.wait = 0s}));
}

TEST_CASE("a stop ends a long poll at once") {
  Cloud<dmq::testing::ManualClock> cloud;
  auto consumer = support::consumer(cloud.transport, cloud.clock);
  std::stop_source stop;
  std::jthread poll([&] {
    const auto result = consumer.receive({}, stop.get_token());
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::cancelled);
  });
  cloud.clock.block_until(1);
  stop.request_stop();
  poll.join();
  CHECK(cloud.host->with([](auto& model) { return model.polls(); }) == 0);
}

TEST_CASE("a message sent wakes a long poll") {
  Cloud<dmq::testing::ManualClock> cloud;
  auto consumer = support::consumer(cloud.transport, cloud.clock);
  std::jthread poll([&] { CHECK(consumer.receive().value().size() == 1); });
  cloud.clock.block_until(1);
  REQUIRE(support::direct_producer(cloud.transport, cloud.clock).publish({.body = "b", .group = "g"}));
}

TEST_CASE("the client tells a queue's URL and attributes") {
  Fixture f;
  CHECK(f.consumer.client().get_queue_url("dmq.fifo").value() == support::queue_url);
  CHECK(f.consumer.client().get_queue_url("none.fifo").error().kind == ErrorKind::configuration);
  const auto queue = f.consumer.client().get_queue_attributes(support::queue_url).value();
  CHECK(queue.fifo);
  CHECK(queue.messages == 3);
}

TEST_CASE("the client sends, one and many, and says what became of each") {
  Fixture f;
  auto& client = f.consumer.client();
  const dmq::Entry good{.message = {.body = "x", .group = "z"}, .deduplication_id = "d1"};
  const dmq::Entry bad{.message = {.body = "\x01", .group = "z"}, .deduplication_id = "d2"};
  CHECK(client.send_message(support::queue_url, good));
  CHECK(client.send_message(support::queue_url, bad).error().kind == ErrorKind::rejected);
  const dmq::Entry* const batch[] = {&good, &bad};
  const auto results = client.send_message_batch(support::queue_url, batch).value();
  REQUIRE(results.size() == 2);
  CHECK(results[0]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(client.send_message_batch(support::queue_url, {}).error().kind == ErrorKind::invalid_argument);
  CHECK(f.cloud.messages().size() == 4);
}

TEST_CASE("an extension to less whose answer never came counts with the less") {
  Fixture f(losing("ChangeMessageVisibility", 3));
  auto deliveries = f.consumer.receive().value();
  CHECK_FALSE(f.consumer.extend(deliveries[0], 5s));
  CHECK(f.consumer.remaining(deliveries[0]) <= 5s);
}

TEST_CASE("an entry refused after an attempt that was lost is unknown") {
  Fixture f(losing("SendMessageBatch", 1));
  const dmq::Entry good{.message = {.body = "x", .group = "z"}, .deduplication_id = "d1"};
  const dmq::Entry bad{.message = {.body = "\x01", .group = "z"}, .deduplication_id = "d2"};
  const dmq::Entry* const batch[] = {&good, &bad};
  const auto results = f.consumer.client().send_message_batch(support::queue_url, batch).value();
  CHECK(results[0]);
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(results[1].error().delivery == DeliveryState::unknown);
}

TEST_CASE("a generator of ids with a state of its own gives each receive its own id") {
  std::vector<std::string> ids;
  CloudHooks hooks;
  hooks.before = [&](const Request& request) -> std::optional<dmq::Result<Response>> {
    dmq::json::Document document;
    REQUIRE(support::parse(request.body, document));
    ids.emplace_back(document.root()["ReceiveRequestAttemptId"].string().value_or(""));
    return std::nullopt;
  };
  Cloud<LeapingClock> cloud;
  dmq::Consumer consumer(
      CloudTransport<LeapingClock>(cloud.host, hooks), dmq::sqs::Wire("http://localhost", support::parse),
      support::signer(),
      {.queue_url = support::queue_url, .new_id = [n = 0]() mutable { return "id-" + std::to_string(++n); }},
      cloud.clock);
  CHECK(consumer.receive({.wait = 0s}));
  CHECK(consumer.receive({.wait = 0s}));
  CHECK(ids == std::vector<std::string>{"id-1", "id-2"});
}

TEST_CASE("a delivery without a handle is refused before the network, and the others are acknowledged") {
  Fixture f;
  auto deliveries = f.consumer.receive().value();
  deliveries[1].receipt_handle.clear();
  CHECK(f.consumer.extend(deliveries[1], 5s).error().kind == ErrorKind::invalid_argument);
  const auto results = f.consumer.acknowledge(deliveries);
  CHECK(results[0]);
  CHECK(results[1].error().kind == ErrorKind::invalid_argument);
  CHECK(results[2]);
  CHECK(f.cloud.messages().size() == 1);
}
