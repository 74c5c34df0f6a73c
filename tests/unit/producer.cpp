#include <doctest/doctest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <dmq/producer.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>
#include <support/leaping_clock.hpp>
#include <support/producers.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Message;
using dmq::gateway::BatchRoute;
using dmq::gateway::PublishRoute;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::CloudHooks;
using support::Cloud;
using support::LeapingClock;

namespace {

bool is_publish(const Request& request) {
  return request.url.find("/publish-queue") != std::string::npos;
}

/// Makes the n-th publish, from 1, and those behind it, until the list ends, come to this.
template <class Fault>
CloudHooks with_faults(std::vector<Fault> faults, bool after_the_cloud_took_it = false) {
  auto next = std::make_shared<std::atomic<std::size_t>>(0);
  CloudHooks hooks;
  if (after_the_cloud_took_it)
    hooks.after = [=](const Request& request, dmq::Result<Response> response) -> dmq::Result<Response> {
      if (!is_publish(request) || *next >= faults.size()) return response;
      return faults[(*next)++];
    };
  else
    hooks.before = [=](const Request& request) -> std::optional<dmq::Result<Response>> {
      if (!is_publish(request) || *next >= faults.size()) return std::nullopt;
      return dmq::Result<Response>(faults[(*next)++]);
    };
  return hooks;
}

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"};
const Error unreachable{.kind = ErrorKind::network, .delivery = DeliveryState::not_sent, .message = "no route"};

std::vector<std::string> bodies(const std::vector<dmq::testing::HeldMessage>& messages) {
  std::vector<std::string> all;
  for (const auto& message : messages) all.push_back(message.content.body);
  return all;
}

}  // namespace

TEST_CASE("a published message is in the queue as it was, with the receipt's id and sequence number") {
  Cloud<LeapingClock> cloud;
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const std::string body = "a=1&b=%20+c \"quoted\" \\ \t\n \xF0\x9F\x98\x80";
  const auto receipt = producer.publish({.body = body, .group = "g"});
  REQUIRE(receipt);
  REQUIRE(cloud.messages().size() == 1);
  const auto held = cloud.messages().front();
  CHECK(held.content.body == body);
  CHECK(held.content.group == "g");
  CHECK(held.message_id == receipt->message_id);
  CHECK(receipt->sequence_number.size() == 20);
  CHECK(held.content.deduplication_id == receipt->deduplication_id);
  CHECK(receipt->attempts == 1);
}

TEST_CASE("all three routes carry a message; attributes go by batch and direct") {
  Cloud<LeapingClock> cloud;
  const Message message{
      .body = "x", .group = "g", .attributes = {{"a", dmq::Attribute::binary(std::string("\0\1", 2))}}};
  CHECK(support::direct_producer(cloud.transport, cloud.clock).publish(message));
  CHECK(support::gateway_producer<BatchRoute>(cloud.transport, cloud.clock).publish(message));
  const auto refused = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock).publish(message);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::invalid_argument);
  CHECK(refused.error().delivery == DeliveryState::not_sent);
  REQUIRE(cloud.messages().size() == 2);
  for (const auto& held : cloud.messages()) CHECK(held.content.attributes == message.attributes);
}

TEST_CASE("two equal messages are two, and one whose reply was lost is one") {
  Cloud<LeapingClock> cloud({}, with_faults<Error>({lost, lost}, true));
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const auto first = producer.publish({.body = "same", .group = "g"});
  REQUIRE(first);
  CHECK(first->attempts == 3);
  CHECK(cloud.messages().size() == 1);
  REQUIRE(producer.publish({.body = "same", .group = "g"}));
  CHECK(cloud.messages().size() == 2);
}

TEST_CASE("a message lost three times is unknown, comes back, and says how to go on") {
  Cloud<LeapingClock> cloud({}, with_faults<Error>({lost, lost, lost}, true));
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const dmq::WallTime before = cloud.clock.now();
  auto result = producer.publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  const dmq::PublishError& error = result.error();
  CHECK(error.kind == ErrorKind::network);
  CHECK(error.delivery == DeliveryState::unknown);
  CHECK(error.attempts == 3);
  CHECK(error.returned.body == "b");
  CHECK(error.deduplication_until == before + 230s);
  CHECK(error.deduplication_id.size() == 32);
  REQUIRE(producer.publish(error.returned));
  CHECK(cloud.messages().size() == 1);
}

TEST_CASE("no repeat after the deduplication window, however many attempts are left") {
  LeapingClock clock;
  CloudHooks hooks;
  int requests = 0;
  hooks.before = [&](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (!is_publish(request)) return std::nullopt;
    ++requests;
    clock.advance(100s);
    return dmq::Result<Response>(lost);
  };
  Cloud<LeapingClock> cloud(clock, hooks);
  dmq::PublishSettings settings = support::settings();
  settings.retry.max_attempts = 10;
  settings.deadline = 1h;
  const auto result =
      support::gateway_producer<PublishRoute>(cloud.transport, clock, settings).publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  CHECK(result.error().delivery == DeliveryState::unknown);
  CHECK(requests == 3);  // At 0, 100 and 200 s; 300 s would be too late.
}

TEST_CASE("without deduplication an ambiguous attempt is never repeated, one that was not sent is") {
  Cloud<LeapingClock> cloud({}, with_faults<Error>({unreachable, lost}));
  dmq::PublishSettings settings = support::settings();
  settings.deduplication = dmq::Deduplication::none;
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock, settings);
  const auto result = producer.publish({.body = "b"});
  REQUIRE_FALSE(result);
  CHECK(result.error().attempts == 2);
  CHECK(result.error().delivery == DeliveryState::unknown);
}

TEST_CASE("with content-based deduplication no id is sent, and equal bodies are one message") {
  Cloud<LeapingClock> cloud;
  dmq::PublishSettings settings = support::settings();
  settings.deduplication = dmq::Deduplication::content;
  auto producer = support::direct_producer(cloud.transport, cloud.clock, settings);
  REQUIRE(producer.publish({.body = "same", .group = "g"}));
  REQUIRE(producer.publish({.body = "same", .group = "g"}));
  CHECK(cloud.messages().size() == 1);
}

TEST_CASE("what the network answers has its kind and its delivery") {
  struct Case {
    Response response;
    ErrorKind kind;
    DeliveryState delivery;
    int attempts;
  };
  const auto with = [](int status, const char* body, const char* header = nullptr, const char* value = "") {
    Response response{.status = status, .body = body};
    if (header != nullptr) response.headers.add(header, value);
    return response;
  };
  const Case cases[] = {
      {with(200, R"({"SendMessageResponse":{"SendMess)"), ErrorKind::protocol, DeliveryState::unknown, 3},
      {with(200, "<html>"), ErrorKind::protocol, DeliveryState::unknown, 3},
      {with(200, ""), ErrorKind::protocol, DeliveryState::unknown, 3},
      {with(200, R"({"Error":{"Code":"InvalidParameterValue","Message":"no","Type":"Sender"}})"), ErrorKind::rejected,
       DeliveryState::rejected, 1},
      {with(200, R"({"Error":{"Code":"RequestThrottled","Message":"no","Type":"Sender"}})"), ErrorKind::throttled,
       DeliveryState::rejected, 3},
      {with(
           200,
           R"({"SendMessageResponse":{"SendMessageResult":{"MessageId":"m","MD5OfMessageBody":"00000000000000000000000000000000"}}})"),
       ErrorKind::integrity, DeliveryState::unknown, 1},
      {with(403, R"({"message":"Missing Authentication Token"})"), ErrorKind::configuration, DeliveryState::rejected,
       1},
      {with(403, R"({"message":"Forbidden"})"), ErrorKind::authorization, DeliveryState::rejected, 1},
      {with(413, R"({"message":"Request Too Long"})"), ErrorKind::rejected, DeliveryState::rejected, 1},
      {with(429, R"({"message":"Too Many Requests"})"), ErrorKind::throttled, DeliveryState::rejected, 3},
      {with(429, R"({"message":"Too Many Requests"})", "Retry-After", "7"), ErrorKind::throttled,
       DeliveryState::rejected, 3},
      {with(500, R"({"message":"Internal server error"})"), ErrorKind::unavailable, DeliveryState::unknown, 3},
      {with(504, R"({"message":"Endpoint request timed out"})"), ErrorKind::unavailable, DeliveryState::unknown, 3},
      {with(302, "", "Location", "http://localhost/"), ErrorKind::configuration, DeliveryState::unknown, 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.response.status);
    CAPTURE(c.response.body);
    Cloud<LeapingClock> cloud({}, with_faults(std::vector<Response>(3, c.response)));
    const dmq::Ticks before = cloud.clock.ticks();
    const auto result =
        support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock).publish({.body = "b", .group = "g"});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == c.kind);
    CHECK(result.error().delivery == c.delivery);
    CHECK(result.error().attempts == c.attempts);
    CHECK(result.error().returned.body == "b");
    if (c.response.headers.find("Retry-After")) CHECK(cloud.clock.ticks() - before >= 14s);
  }
}

TEST_CASE("a 401 costs one new token, and a second one for a fresh token is a configuration error for a minute") {
  const Response unauthorized{.status = 401, .body = R"({"message":"Unauthorized"})"};
  Cloud<LeapingClock> once({}, with_faults<Response>({unauthorized}));
  CHECK(support::gateway_producer<PublishRoute>(once.transport, once.clock).publish({.body = "b", .group = "g"}));
  CHECK(once.token_requests() == 2);

  Cloud<LeapingClock> twice({}, with_faults<Response>({unauthorized, unauthorized}));
  auto producer = support::gateway_producer<PublishRoute>(twice.transport, twice.clock);
  const auto result = producer.publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::configuration);
  CHECK(result.error().delivery == DeliveryState::rejected);
  CHECK(result.error().message.find("scope") != std::string::npos);
  CHECK(twice.token_requests() == 2);
  CHECK_FALSE(producer.publish({.body = "b", .group = "g"}));
  CHECK(twice.token_requests() == 2);
  twice.clock.advance(61s);
  CHECK(producer.publish({.body = "b", .group = "g"}));
  CHECK(twice.token_requests() == 3);
}

TEST_CASE("a token that worked and is revoked costs one more, for 64 threads together") {
  Cloud<dmq::SystemClock> cloud;
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport);
  const auto publish_from_64 = [&] {
    std::atomic<int> accepted = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 64; ++i)
        threads.emplace_back([&, i] {
          if (producer.publish({.body = "b", .group = "g" + std::to_string(i)})) ++accepted;
        });
    }
    return accepted.load();
  };
  CHECK(publish_from_64() == 64);
  CHECK(cloud.token_requests() == 1);
  cloud.host->with([](auto& model) { model.revoke_tokens(); });
  CHECK(publish_from_64() == 64);
  CHECK(cloud.token_requests() == 2);
}

TEST_CASE("a client that is not known is told so once, and is not asked about again") {
  LeapingClock clock;
  Cloud<LeapingClock> cloud(clock);
  dmq::Producer producer(
      cloud.transport, PublishRoute(support::api_url, support::parse),
      dmq::auth::Bearer(dmq::auth::cognito::ClientCredentials({.token_url = "http://localhost/oauth2/token",
                                                               .client_id = "local-client",
                                                               .client_secret = dmq::Secret("wrong-secret-here")},
                                                              support::parse)),
      support::settings(), clock);
  for (int i = 0; i < 3; ++i) {
    const auto result = producer.publish({.body = "b", .group = "g"});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::authentication);
    CHECK(result.error().delivery == DeliveryState::not_sent);
    CHECK(result.error().describe().find("wrong-secret-here") == std::string::npos);
  }
  CHECK(cloud.token_requests() == 1);
}

TEST_CASE("a batch of any size is split, keeps each group's order and takes one of each group a request") {
  Cloud<LeapingClock> cloud;
  auto producer = support::gateway_producer<BatchRoute>(cloud.transport, cloud.clock);
  std::vector<Message> messages;
  for (int i = 0; i < 100; ++i) messages.push_back({.body = std::to_string(i), .group = "g" + std::to_string(i % 4)});
  const auto results = producer.publish_batch(messages);
  REQUIRE(results.size() == 100);
  for (const auto& result : results) REQUIRE(result);
  const auto held = cloud.messages();
  REQUIRE(held.size() == 100);
  for (int group = 0; group < 4; ++group) {
    int expected = group;
    for (const auto& message : held)
      if (message.content.group == "g" + std::to_string(group)) {
        CHECK(message.content.body == std::to_string(expected));
        expected += 4;
      }
  }
  CHECK(cloud.host->with([](auto& model) { return model.gateway_requests(); }) == 25);
}

TEST_CASE("runs of a group share a request when asked to") {
  Cloud<LeapingClock> cloud;
  dmq::PublishSettings settings = support::settings();
  settings.in_group_batch = 10;
  auto producer = support::direct_producer(cloud.transport, cloud.clock, settings);
  std::vector<Message> messages;
  for (int i = 0; i < 25; ++i) messages.push_back({.body = std::to_string(i), .group = "g"});
  for (const auto& result : producer.publish_batch(messages)) REQUIRE(result);
  const auto held = bodies(cloud.messages());
  for (int i = 0; i < 25; ++i) CHECK(held[static_cast<std::size_t>(i)] == std::to_string(i));
  CHECK(cloud.host->with([](auto& model) { return model.calls("SendMessageBatch"); }) == 3);
}

TEST_CASE("a batch stays under a megabyte") {
  Cloud<LeapingClock> cloud;
  auto producer = support::direct_producer(cloud.transport, cloud.clock);
  std::vector<Message> messages;
  for (int i = 0; i < 6; ++i) messages.push_back({.body = std::string(400'000, 'x'), .group = "g" + std::to_string(i)});
  for (const auto& result : producer.publish_batch(messages)) REQUIRE(result);
  CHECK(cloud.host->with([](auto& model) { return model.calls("SendMessageBatch"); }) == 3);
}

TEST_CASE("a message that fails holds back the rest of its group, and no other") {
  Cloud<LeapingClock> cloud;
  CloudHooks hooks;
  hooks.before = [](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (!is_publish(request) || request.body != "poison") return std::nullopt;
    return dmq::Result<Response>(Response{
        .status = 400, .body = R"({"Error":{"Code":"InvalidMessageContents","Message":"no","Type":"Sender"}})"});
  };
  dmq::testing::CloudTransport<LeapingClock> transport(cloud.host, hooks);
  auto producer = support::gateway_producer<PublishRoute>(transport, cloud.clock);
  const auto results = producer.publish_batch({{.body = "1", .group = "a"},
                                               {.body = "poison", .group = "a"},
                                               {.body = "1", .group = "b"},
                                               {.body = "3", .group = "a"},
                                               {.body = "2", .group = "b"}});
  CHECK(results[0]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(results[2]);
  CHECK(results[3].error().kind == ErrorKind::corked);
  CHECK(results[3].error().delivery == DeliveryState::not_sent);
  CHECK(results[3].error().returned.body == "3");
  CHECK(results[4]);
  CHECK(cloud.messages().size() == 3);
}

TEST_CASE("a message that can't be carried is refused before the network and holds nothing back") {
  Cloud<LeapingClock> cloud;
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const auto results =
      producer.publish_batch({{.body = "1", .group = "a"}, {.body = "", .group = "a"}, {.body = "2", .group = "a"}});
  CHECK(results[0]);
  CHECK(results[1].error().kind == ErrorKind::invalid_argument);
  CHECK(results[1].error().delivery == DeliveryState::not_sent);
  CHECK(results[2]);
}

TEST_CASE("entries refused in one breath are sent one by one: only the guilty one fails") {
  Cloud<LeapingClock> cloud;
  CloudHooks hooks;
  hooks.before = [](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (request.body.find("poison") == std::string::npos) return std::nullopt;
    return dmq::Result<Response>(
        Response{.status = 400, .body = R"({"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"no"})"});
  };
  dmq::testing::CloudTransport<LeapingClock> transport(cloud.host, hooks);
  auto producer = support::direct_producer(transport, cloud.clock);
  const auto results = producer.publish_batch({{.body = "1", .group = "a"},
                                               {.body = "poison", .group = "b"},
                                               {.body = "3", .group = "c"},
                                               {.body = "4", .group = "b"}});
  CHECK(results[0]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(results[2]);
  CHECK(results[3].error().kind == ErrorKind::corked);
}

TEST_CASE("when no message can be sent the whole call ends with one error") {
  Cloud<LeapingClock> cloud(
      {}, with_faults<Response>(std::vector<Response>(10, {.status = 403, .body = R"({"message":"Forbidden"})"})));
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const auto results =
      producer.publish_batch({{.body = "1", .group = "a"}, {.body = "2", .group = "a"}, {.body = "3", .group = "b"}});
  for (const auto& result : results) REQUIRE_FALSE(result);
  CHECK(results[0].error().delivery == DeliveryState::rejected);
  CHECK(results[1].error().kind == ErrorKind::corked);
  CHECK(results[2].error().kind == ErrorKind::authorization);
  CHECK(results[2].error().delivery == DeliveryState::not_sent);
  CHECK(cloud.host->with([](auto& model) { return model.gateway_requests(); }) == 0);
}

TEST_CASE("in a group one request is in flight, in the order of the calls; other groups go their own way") {
  dmq::testing::ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"access_token":"t","token_type":"Bearer","expires_in":3600})"});
  transport.otherwise([](const Request& request) -> dmq::Result<Response> {
    return Response{.status = 200,
                    .body = R"({"SendMessageResponse":{"SendMessageResult":{"MessageId":"m","MD5OfMessageBody":")" +
                            *dmq::sqs::body_md5(request.body) + "\"}}}"};
  });
  dmq::testing::ManualClock clock;
  auto producer = support::gateway_producer<PublishRoute>(transport, clock);
  REQUIRE(producer.publish({.body = "first", .group = "x"}));
  transport.block();
  std::jthread one([&] { CHECK(producer.publish({.body = "1", .group = "g"})); });
  transport.block_until(3);
  std::jthread two([&] { CHECK(producer.publish({.body = "2", .group = "g"})); });
  clock.block_until(1);  // The second waits for its turn.
  std::jthread other([&] { CHECK(producer.publish({.body = "other", .group = "h"})); });
  transport.block_until(4);
  CHECK(transport.requests()[3].body == "other");
  transport.release();
  one.join();
  two.join();
  CHECK(transport.requests()[4].body == "2");
}

TEST_CASE("a stop ends a call that waits as not sent, and one in flight as unknown") {
  dmq::testing::ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"access_token":"t","token_type":"Bearer","expires_in":3600})"});
  transport.otherwise([](const Request&) { return dmq::Result<Response>(unreachable); });
  dmq::testing::ManualClock clock;
  auto producer = support::gateway_producer<PublishRoute>(transport, clock);
  std::stop_source stop;
  transport.release(1);  // The token passes.
  std::jthread flying([&] {
    const auto result = producer.publish({.body = "1", .group = "g"}, stop.get_token());
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::cancelled);
    CHECK(result.error().delivery == DeliveryState::unknown);
  });
  transport.block_until(2);
  std::jthread waiting([&] {
    const auto result = producer.publish({.body = "2", .group = "g"}, stop.get_token());
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::cancelled);
    CHECK(result.error().delivery == DeliveryState::not_sent);
  });
  clock.block_until(1);
  stop.request_stop();
}

TEST_CASE("a call whose turn does not come within its deadline ends as not sent") {
  dmq::testing::ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"access_token":"t","token_type":"Bearer","expires_in":3600})"});
  dmq::testing::ManualClock clock;
  auto producer = support::gateway_producer<PublishRoute>(transport, clock);
  transport.release(1);
  std::stop_source stop;
  std::jthread flying([&] { CHECK_FALSE(producer.publish({.body = "1", .group = "g"}, stop.get_token())); });
  transport.block_until(2);
  std::jthread waiting([&] {
    const auto result = producer.publish({.body = "2", .group = "g"});
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::timeout);
    CHECK(result.error().delivery == DeliveryState::not_sent);
  });
  clock.block_until(1);
  clock.advance(121s);
  waiting.join();
  stop.request_stop();
}

TEST_CASE("no event holds a token, a secret or a body") {
  Cloud<LeapingClock> cloud({}, with_faults<Response>({{.status = 500}, {.status = 401}}));
  std::string all;
  int events = 0;
  const auto watch = [&](const dmq::Event& event) noexcept {
    ++events;
    all.append(event.operation).append(event.request_id);
    if (event.error != nullptr) all.append(event.error->describe());
  };
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock, support::settings(), watch);
  REQUIRE(producer.publish({.body = "the-body-itself", .group = "g"}));
  CHECK(events >= 6);
  CHECK(all.find("the-body-itself") == std::string::npos);
  CHECK(all.find("local-client-secret") == std::string::npos);
  CHECK(all.find("eyJ") == std::string::npos);
}

TEST_CASE("a message that came back is not sent again once the queue may have forgotten it, nor repeated too late") {
  Cloud<LeapingClock> cloud({}, with_faults<Error>({lost, lost, lost}, true));
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  auto result = producer.publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  cloud.clock.advance(*result.error().deduplication_until - cloud.clock.now() + 1s);
  const auto late = producer.publish(result.error().returned);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::timeout);
  CHECK(late.error().delivery == DeliveryState::unknown);
  CHECK(cloud.messages().size() == 1);
  Message anew = late.error().returned;
  anew.first_sent.reset();
  anew.deduplication_id.clear();
  CHECK(producer.publish(anew));
}

TEST_CASE("a machine that sleeps between an attempt and its repeat does not send it after the window") {
  LeapingClock clock;
  int requests = 0;
  CloudHooks hooks;
  hooks.after = [&](const Request& request, dmq::Result<Response> response) -> dmq::Result<Response> {
    if (!is_publish(request)) return response;
    ++requests;
    return lost;
  };
  Cloud<LeapingClock> cloud(clock, hooks);
  struct SleepyClock {
    LeapingClock clock;
    dmq::WallTime now() const { return clock.now(); }
    dmq::Ticks ticks() const { return clock.ticks(); }
    bool sleep_for(dmq::Duration duration, std::stop_token stop) const {
      return clock.sleep_for(duration + 10min, stop);
    }
  };
  dmq::PublishSettings settings = support::settings();
  settings.deadline = 1h;
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, SleepyClock{clock}, settings);
  const auto result = producer.publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  CHECK(result.error().delivery == DeliveryState::unknown);
  CHECK(requests == 1);
  CHECK(cloud.messages().size() == 1);
}

TEST_CASE("past its deadline a batch sends nothing more") {
  LeapingClock clock;
  int requests = 0;
  CloudHooks hooks;
  hooks.before = [&](const Request& request) -> std::optional<dmq::Result<Response>> {
    if (is_publish(request)) ++requests, clock.advance(50s);
    return std::nullopt;
  };
  Cloud<LeapingClock> cloud(clock, hooks);
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, clock);
  std::vector<Message> messages;
  for (int i = 0; i < 6; ++i) messages.push_back({.body = "b", .group = "g" + std::to_string(i)});
  const auto results = producer.publish_batch(messages);
  CHECK(requests == 3);
  for (std::size_t i = 0; i < 3; ++i) CHECK(results[i]);
  for (std::size_t i = 3; i < 6; ++i) {
    REQUIRE_FALSE(results[i]);
    CHECK(results[i].error().kind == ErrorKind::timeout);
    CHECK(results[i].error().delivery == DeliveryState::not_sent);
  }
}

namespace {

/// A direct producer whose batches are answered from a script: for each request the outcome of each entry, 'a' accepted
/// (with the sequence number behind it), 't' throttled, 'u' unknown; "lost" for no answer.
struct Scripted {
  explicit Scripted(std::vector<std::vector<std::string>> answers, dmq::PublishSettings settings = support::settings())
      : producer(support::direct_producer(transport, clock, std::move(settings))) {
    for (auto& answer : answers)
      transport.reply([answer](const Request& request) -> dmq::Result<Response> {
        if (answer.front() == "lost") return lost;
        dmq::json::Document document;
        REQUIRE(support::parse(request.body, document));
        const dmq::json::Value entries = document.root()["Entries"];
        return entries.exists() ? batch(entries, answer) : single(document.root(), answer.front());
      });
  }

  static Response single(dmq::json::Value entry, const std::string& outcome) {
    if (outcome.front() == 'a') return {.status = 200, .body = "{" + accepted(entry, outcome) + "}"};
    return {.status = outcome == "u" ? 500 : 403, .body = R"({"__type":"com.amazonaws.sqs#RequestThrottled"})"};
  }
  static Response batch(dmq::json::Value entries, const std::vector<std::string>& answer) {
    std::string good, bad;
    std::size_t i = 0;
    for (const dmq::json::Value entry : entries) {
      const std::string id = "{\"Id\":\"" + std::string(*entry["Id"].string()) + "\",";
      const std::string& outcome = answer.at(i++);
      std::string& list = outcome.front() == 'a' ? good : bad;
      if (!list.empty()) list += ",";
      if (outcome.front() == 'a')
        list += id + accepted(entry, outcome) + "}";
      else
        list += id + (outcome == "u" ? R"("SenderFault":false,"Code":"InternalError"})"
                                     : R"("SenderFault":true,"Code":"RequestThrottled"})");
    }
    return {.status = 200, .body = "{\"Successful\":[" + good + "],\"Failed\":[" + bad + "]}"};
  }
  static std::string accepted(dmq::json::Value entry, const std::string& outcome) {
    return R"("MessageId":"m","MD5OfMessageBody":")" + *dmq::sqs::body_md5(*entry["MessageBody"].string()) +
           R"(","SequenceNumber":")" + outcome.substr(1) + "\"";
  }

  dmq::testing::ScriptedTransport transport{};
  LeapingClock clock{};
  decltype(support::direct_producer(transport, clock)) producer;
};

}  // namespace

TEST_CASE("an entry of unknown fate is not sent again without deduplication, whatever stands before it") {
  dmq::PublishSettings settings = support::settings();
  settings.deduplication = dmq::Deduplication::none;
  Scripted s({{"t", "u"}, {"a1", "a2"}}, settings);
  const auto results = s.producer.publish_batch({{.body = "a"}, {.body = "b"}});
  CHECK(s.transport.count() == 1);
  CHECK(results[0].error().kind == ErrorKind::throttled);
  CHECK(results[0].error().delivery == DeliveryState::rejected);
  CHECK(results[1].error().kind == ErrorKind::unavailable);
  CHECK(results[1].error().delivery == DeliveryState::unknown);
}

TEST_CASE("each entry of a batch ends with its own error") {
  Scripted s({{"u", "t"}, {"u", "t"}, {"u", "t"}});
  const auto results = s.producer.publish_batch({{.body = "1", .group = "a"}, {.body = "2", .group = "b"}});
  CHECK(results[0].error().kind == ErrorKind::unavailable);
  CHECK(results[0].error().delivery == DeliveryState::unknown);
  CHECK(results[0].error().returned.first_sent);
  CHECK(results[1].error().kind == ErrorKind::throttled);
  CHECK(results[1].error().delivery == DeliveryState::rejected);
  CHECK_FALSE(results[1].error().returned.first_sent);
}

TEST_CASE("a group that got out of order over several attempts is told as such") {
  dmq::PublishSettings settings = support::settings();
  settings.in_group_batch = 2;
  Scripted s({{"lost"}, {"a7", "t"}, {"a5"}}, settings);
  const auto results = s.producer.publish_batch({{.body = "1", .group = "g"}, {.body = "2", .group = "g"}});
  CHECK(results[0]);
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().kind == ErrorKind::integrity);
}

TEST_CASE("a refusal of what the transport sent a second time leaves the first one unknown") {
  dmq::testing::ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"access_token":"t","token_type":"Bearer","expires_in":3600})"});
  transport.reply(
      {.status = 400, .body = R"({"Error":{"Code":"InvalidParameterValue","Type":"Sender"}})", .resent = true});
  const auto result =
      support::gateway_producer<PublishRoute>(transport, LeapingClock()).publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::rejected);
  CHECK(result.error().delivery == DeliveryState::unknown);
}

TEST_CASE(
    "behind a message of unknown fate its group waits until it can't land any more; the message itself does not") {
  Cloud<LeapingClock> cloud({}, with_faults<Error>({lost, lost, lost}));
  auto producer = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock);
  const dmq::Ticks before = cloud.clock.ticks();
  auto first = producer.publish({.body = "1", .group = "g"});
  REQUIRE_FALSE(first);
  REQUIRE(producer.publish({.body = "other", .group = "h"}));
  CHECK(cloud.clock.ticks() - before < 1s);
  SUBCASE("the next one waits") {
    REQUIRE(producer.publish({.body = "2", .group = "g"}));
    CHECK(cloud.clock.ticks() - before >= 35s);
    CHECK(cloud.clock.ticks() - before < 36s);
  }
  SUBCASE("sent again, it opens the group") {
    REQUIRE(producer.publish(first.error().returned));
    REQUIRE(producer.publish({.body = "2", .group = "g"}));
    CHECK(cloud.clock.ticks() - before < 1s);
    CHECK(bodies(cloud.messages()) == std::vector<std::string>{"other", "1", "2"});
  }
}

TEST_CASE("what a policy throws is an error: unknown once the request was out, and the lane goes on") {
  struct Fragile : PublishRoute {
    using PublishRoute::PublishRoute;
    std::vector<dmq::Result<dmq::Receipt>> parse(const Response& response, dmq::EntryBatch batch) const {
      if (batch.front()->message.body == "parse") throw 7;
      return PublishRoute::parse(response, batch);
    }
    dmq::Result<Request> build(dmq::EntryBatch batch) const {
      if (batch.front()->message.body == "build") throw std::runtime_error("no");
      return PublishRoute::build(batch);
    }
  };
  Cloud<LeapingClock> cloud;
  auto producer = support::gateway_producer<Fragile>(cloud.transport, cloud.clock);
  const auto parse = producer.publish({.body = "parse", .group = "g"});
  REQUIRE_FALSE(parse);
  CHECK(parse.error().delivery == DeliveryState::unknown);
  CHECK(parse.error().returned.body == "parse");
  const auto build = producer.publish({.body = "build", .group = "h"});
  REQUIRE_FALSE(build);
  CHECK(build.error().delivery == DeliveryState::not_sent);
  CHECK(build.error().message.find("no") != std::string::npos);
  CHECK(producer.publish({.body = "fine", .group = "h"}));

  dmq::PublishSettings settings = support::settings();
  settings.new_id = []() -> std::string { throw std::runtime_error("no randomness"); };
  const auto without_id = support::gateway_producer<PublishRoute>(cloud.transport, cloud.clock, settings)
                              .publish({.body = "b", .group = "g"});
  REQUIRE_FALSE(without_id);
  CHECK(without_id.error().kind == ErrorKind::configuration);
  CHECK(without_id.error().returned.body == "b");
}
