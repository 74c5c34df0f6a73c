#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <dmq/testing/recording_observer.hpp>
#include <dmq/testing/scripted_transport.hpp>
#include <support/producers.hpp>

using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::Message;
using dmq::PublishResult;
using dmq::Result;
using dmq::SystemClock;
using dmq::gateway::BatchRoute;
using dmq::gateway::PublishRoute;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr auto ample = seconds(60);

Message message(std::string body, std::string group = "g") {
  return {.body = std::move(body), .group = std::move(group)};
}

/// Settings under which a test that fails on purpose does not take long.
dmq::PublishSettings quick() {
  dmq::PublishSettings settings = support::settings();
  settings.retry.base = settings.retry.throttled_base = milliseconds(1);
  settings.retry.cap = milliseconds(2);
  return settings;
}

dmq::http::Response refusal(int status, const char* code) {
  return {.status = status, .body = std::string(R"({"__type":"com.amazonaws.sqs#)") + code + R"(","message":"no"})"};
}

/// Lets requests to the cloud through, but for those that a test wants otherwise.
struct Switch {
  std::atomic<bool> broken = false;
  std::function<dmq::http::Response()> answer = [] { return refusal(400, "InvalidMessageContents"); };

  dmq::testing::CloudHooks hooks() {
    return {.before = [this](const dmq::http::Request& request) -> std::optional<Result<dmq::http::Response>> {
      if (!broken || request.url.find("/oauth2/") != std::string::npos) return std::nullopt;
      return Result<dmq::http::Response>(answer());
    }};
  }
};

/// What callbacks were told, in order.
class Reports {
 public:
  auto to(std::string name) {
    return [this, name = std::move(name)](PublishResult result) {
      const std::lock_guard lock(mutex_);
      names_.push_back(name);
      results_.push_back(std::move(result));
    };
  }
  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    return names_;
  }
  std::vector<PublishResult> results() const {
    const std::lock_guard lock(mutex_);
    return results_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> names_;
  std::vector<PublishResult> results_;
};

}  // namespace

TEST_CASE("what is submitted is accepted once and in order in its group, on every route") {
  const auto run = [](auto make) {
    support::Cloud<SystemClock> cloud;
    auto producer = make(cloud);
    Reports reports;
    for (int i = 0; i < 60; ++i)
      REQUIRE(producer.submit(message(std::to_string(i), "g" + std::to_string(i % 3)), reports.to(std::to_string(i))));
    CHECK(producer.flush(ample));
    CHECK(reports.names().size() == 60);
    std::map<std::string, std::vector<int>> bodies;
    for (const auto& held : cloud.messages()) bodies[held.content.group].push_back(std::stoi(held.content.body));
    for (int g = 0; g < 3; ++g) {
      std::vector<int> expected;
      for (int i = g; i < 60; i += 3) expected.push_back(i);
      CHECK(bodies["g" + std::to_string(g)] == expected);
    }
    const dmq::Ledger ledger = producer.close(ample);
    CHECK(ledger.accepted == 60);
    CHECK(ledger.total() == 60);
    CHECK(cloud.token_requests() <= 1);
  };
  run([](auto& cloud) { return support::gateway_producer<PublishRoute>(cloud.transport); });
  run([](auto& cloud) { return support::gateway_producer<BatchRoute>(cloud.transport); });
  run([](auto& cloud) { return support::direct_producer(cloud.transport); });
}

TEST_CASE("a future gets the receipt") {
  support::Cloud<SystemClock> cloud;
  auto producer = support::direct_producer(cloud.transport);
  auto future = producer.submit(message("hello"));
  const PublishResult result = future.get();
  REQUIRE(result);
  CHECK(result->message_id == cloud.messages().front().message_id);
}

TEST_CASE("batches fill while requests are in flight, with one message of each group") {
  dmq::testing::ScriptedTransport transport;
  std::atomic<std::size_t> most = 0;
  support::Cloud<SystemClock> cloud;
  transport.otherwise([&](const dmq::http::Request& request) {
    std::size_t entries = 0;
    for (std::size_t at = 0; (at = request.body.find("\"MessageGroupId\"", at)) != std::string::npos; ++at) ++entries;
    most = std::max(most.load(), entries);
    return cloud.transport.send(request, {});
  });
  transport.block();
  dmq::PublishSettings settings = support::settings();
  settings.submit.max_in_flight = 1;
  auto producer = support::direct_producer(transport, SystemClock(), settings);
  for (int i = 0; i < 41; ++i) REQUIRE(producer.submit(message("b", "g" + std::to_string(i)), [](auto&&) {}));
  transport.block_until(1);
  transport.release();
  CHECK(producer.flush(ample));
  CHECK(most == 10);
  CHECK(transport.count() == 5);
}

TEST_CASE("a failure corks its group: the tail comes back in order, and nothing enters until it is resumed") {
  Switch faults;
  support::Cloud<SystemClock> cloud(SystemClock(), faults.hooks());
  dmq::PublishSettings settings = quick();
  auto producer = support::direct_producer(cloud.transport, SystemClock(), settings);
  Reports reports;
  REQUIRE(producer.submit(message("a0", "a"), reports.to("a0")));
  REQUIRE(producer.flush(ample));
  faults.broken = true;
  std::latch held(1), go(1);
  // Holds the I/O thread, so that all three are there before the first is answered.
  REQUIRE(producer.submit(message("hold", "h"), [&](auto&&) {
    held.count_down();
    go.wait();
  }));
  held.wait();
  for (const char* name : {"a1", "a2", "a3"}) REQUIRE(producer.submit(message(name, "a"), reports.to(name)));
  go.count_down();
  CHECK(producer.flush(ample));
  CHECK(reports.names() == std::vector<std::string>{"a0", "a1", "a2", "a3"});
  const auto results = reports.results();
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().kind == ErrorKind::rejected);
  CHECK(results[1].error().returned.body == "a1");
  for (const std::size_t i : {2U, 3U}) {
    REQUIRE_FALSE(results[i]);
    CHECK(results[i].error().kind == ErrorKind::corked);
    CHECK(results[i].error().delivery == DeliveryState::not_sent);
  }
  faults.broken = false;
  const auto refused = producer.submit(message("a4", "a"), reports.to("a4"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::corked);
  CHECK(refused.error().returned.body == "a4");
  CHECK(producer.submit(message("b0", "b")).get());
  producer.resume("a");
  CHECK(producer.submit(message("a4", "a")).get());
  CHECK(producer.close(ample).total() == 7);
}

TEST_CASE("what is about no single message stops all groups until they are resumed") {
  Switch faults;
  faults.answer = [] { return refusal(403, "AccessDeniedException"); };
  support::Cloud<SystemClock> cloud(SystemClock(), faults.hooks());
  auto producer = support::direct_producer(cloud.transport, SystemClock(), quick());
  faults.broken = true;
  REQUIRE_FALSE(producer.submit(message("a", "a")).get());
  const auto refused = producer.submit(message("b", "b"), [](auto&&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::authorization);
  CHECK(refused.error().delivery == DeliveryState::not_sent);
  faults.broken = false;
  producer.resume_all();
  CHECK(producer.submit(message("a", "a")).get());
}

TEST_CASE("retries of submit go on beyond the attempts of a call") {
  Switch faults;
  std::atomic<int> left = 30;
  faults.answer = [&] {
    if (--left == 0) faults.broken = false;
    return refusal(403, "RequestThrottled");
  };
  support::Cloud<SystemClock> cloud(SystemClock(), faults.hooks());
  auto producer = support::direct_producer(cloud.transport, SystemClock(), quick());
  faults.broken = true;
  const PublishResult result = producer.submit(message("a")).get();
  REQUIRE(result);
  CHECK(result->attempts == 31);
}

TEST_CASE("what can't be carried, and what comes after close, is refused at the door with its message") {
  support::Cloud<SystemClock> cloud;
  auto producer = support::direct_producer(cloud.transport);
  const auto invalid = producer.submit(message("", "g"), [](auto&&) { FAIL("called"); });
  REQUIRE_FALSE(invalid);
  CHECK(invalid.error().kind == ErrorKind::invalid_argument);
  CHECK(producer.submit(message("ok")).get());
  CHECK(producer.close(ample).total() == 1);
  const auto closed = producer.submit(message("late"), [](auto&&) { FAIL("called"); });
  REQUIRE_FALSE(closed);
  CHECK(closed.error().kind == ErrorKind::closed);
  CHECK(closed.error().returned.body == "late");
  const PublishResult published = producer.publish(message("late"));
  REQUIRE_FALSE(published);
  CHECK(published.error().kind == ErrorKind::closed);
  CHECK(producer.close(ample).total() == 1);
}

TEST_CASE("past its bounds a producer fails or waits for room, as it is set") {
  dmq::testing::ScriptedTransport transport;
  support::Cloud<SystemClock> cloud;
  transport.otherwise([&](const dmq::http::Request& request) { return cloud.transport.send(request, {}); });
  transport.block();
  dmq::PublishSettings settings = support::settings();
  settings.submit.max_messages = 2;
  settings.submit.when_full = dmq::WhenFull::fail;
  auto failing = support::direct_producer(transport, SystemClock(), settings);
  for (int i = 0; i < 2; ++i) REQUIRE(failing.submit(message("x"), [](auto&&) {}));
  const auto full = failing.submit(message("x"), [](auto&&) {});
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::full);

  settings.submit.when_full = dmq::WhenFull::wait;
  auto waiting = support::direct_producer(transport, SystemClock(), settings);
  std::atomic<int> submitted = 0;
  std::jthread submitter([&] {
    for (int i = 0; i < 3; ++i) {
      CHECK(waiting.submit(message("y"), [](auto&&) {}));
      ++submitted;
    }
  });
  transport.block_until(2);
  transport.release();
  submitter.join();
  CHECK(submitted == 3);
  CHECK(waiting.close(ample).accepted == 3);
  CHECK(failing.close(ample).accepted == 2);
}

TEST_CASE("a callback may submit, resume and close, and what it throws is observed") {
  support::Cloud<SystemClock> cloud;
  const dmq::testing::RecordingObserver observer;
  auto producer =
      dmq::Producer(cloud.transport, dmq::sqs::SendRoute({"http://localhost", support::parse}, support::queue_url),
                    support::signer(), support::settings(), SystemClock(), observer);
  std::promise<PublishResult> second;
  REQUIRE(producer.submit(message("1"), [&](PublishResult) {
    CHECK(producer.publish(message("no")).error().kind == ErrorKind::invalid_argument);
    CHECK(producer.flush(ample).error().kind == ErrorKind::invalid_argument);
    producer.resume("g");
    CHECK(producer.submit(message("2"), [&](PublishResult result) {
      second.set_value(std::move(result));
      throw std::runtime_error("thrown by a callback");
    }));
  }));
  CHECK(second.get_future().get());
  CHECK(producer.flush(ample));
  CHECK(observer.count(dmq::EventKind::callback_threw) == 1);
  std::promise<dmq::Ledger> ledger;
  REQUIRE(producer.submit(message("3"), [&](PublishResult) { ledger.set_value(producer.close(ample)); }));
  CHECK(ledger.get_future().get().accepted == 3);
  CHECK(producer.close(ample).accepted == 3);
}

TEST_CASE("close without grace ends what waits as not sent and what is out as unknown, and reports each once") {
  dmq::testing::ScriptedTransport transport;
  transport.block();
  dmq::PublishSettings settings = support::settings();
  settings.submit.max_in_flight = 1;
  auto producer = support::direct_producer(transport, SystemClock(), settings);
  Reports reports;
  REQUIRE(producer.submit(message("a1", "a"), reports.to("a1")));
  transport.block_until(1);
  REQUIRE(producer.submit(message("a2", "a"), reports.to("a2")));
  REQUIRE(producer.submit(message("b1", "b"), reports.to("b1")));
  const dmq::Ledger ledger = producer.close(milliseconds(0));
  std::map<std::string, PublishResult> results;
  for (std::size_t i = 0; i < reports.names().size(); ++i) results.emplace(reports.names()[i], reports.results()[i]);
  REQUIRE(results.size() == 3);
  CHECK(reports.names().size() == 3);
  CHECK(results.at("a1").error().delivery == DeliveryState::unknown);
  CHECK(results.at("a1").error().returned.first_sent);
  CHECK(results.at("a2").error().kind == ErrorKind::corked);
  CHECK(results.at("b1").error().kind == ErrorKind::closed);
  CHECK(results.at("b1").error().delivery == DeliveryState::not_sent);
  CHECK(ledger.unknown == 1);
  CHECK(ledger.not_sent == 2);
  CHECK(ledger.unreported.size() == 3);
}

TEST_CASE("a producer may be destroyed inside its own callback") {
  support::Cloud<SystemClock> cloud;
  // The producer's own thread, which nobody can join now, lets go of the cloud last.
  std::promise<void> ended;
  std::shared_ptr<dmq::testing::CloudHost<SystemClock>> host(cloud.host.get(), [&](auto*) { ended.set_value(); });
  using Producer = decltype(support::direct_producer(cloud.transport));
  auto producer = std::make_unique<Producer>(support::direct_producer(dmq::testing::CloudTransport(std::move(host))));
  std::promise<PublishResult> other;
  REQUIRE(producer->submit(message("1", "a"), [&](PublishResult) {
    CHECK(producer->submit(message("2", "b"), [&](PublishResult result) { other.set_value(std::move(result)); }));
    producer.reset();
  }));
  CHECK(other.get_future().get().error().kind == ErrorKind::closed);
  ended.get_future().get();
}

TEST_CASE("publish takes its turn in the lane of what was submitted") {
  dmq::testing::ScriptedTransport transport;
  support::Cloud<SystemClock> cloud;
  transport.otherwise([&](const dmq::http::Request& request) { return cloud.transport.send(request, {}); });
  transport.block();
  auto producer = support::direct_producer(transport);
  REQUIRE(producer.submit(message("1"), [](auto&&) {}));
  REQUIRE(producer.submit(message("2"), [](auto&&) {}));
  std::jthread caller([&] { CHECK(producer.publish(message("3"))); });
  transport.block_until(1);
  transport.release();
  caller.join();
  REQUIRE(producer.submit(message("4"), [](auto&&) {}));
  CHECK(producer.flush(ample));
  std::vector<std::string> bodies;
  for (const auto& held : cloud.messages()) bodies.push_back(held.content.body);
  CHECK(bodies == std::vector<std::string>{"1", "2", "3", "4"});
}

TEST_CASE("a message that waits behind a lost one is reported by its deadline, whatever is resumed meanwhile") {
  dmq::testing::ScriptedTransport transport;
  transport.otherwise([](const auto&) -> Result<dmq::http::Response> {
    return dmq::Error{.kind = ErrorKind::cancelled, .delivery = DeliveryState::unknown, .message = "lost"};
  });
  dmq::PublishSettings settings = support::settings();
  settings.deadline = milliseconds(500);
  auto producer = support::direct_producer(transport, SystemClock(), settings);
  CHECK(producer.submit(message("1", "a")).get().error().delivery == DeliveryState::unknown);
  producer.resume("a");
  auto behind = producer.submit(message("2", "a"));
  std::promise<void> resumed;
  REQUIRE(producer.submit(message("x", "b"), [&](PublishResult) {
    producer.resume("b");
    resumed.set_value();
  }));
  resumed.get_future().get();
  REQUIRE(behind.wait_for(ample) == std::future_status::ready);
  const PublishResult result = behind.get();
  CHECK(result.error().kind == ErrorKind::timeout);
  CHECK(result.error().delivery == DeliveryState::not_sent);
}

TEST_CASE("a retry that would come after the deadline is not made before it") {
  dmq::testing::ScriptedTransport transport;
  transport.otherwise([](const auto&) -> Result<dmq::http::Response> {
    dmq::http::Response response = refusal(403, "RequestThrottled");
    response.headers.add("Retry-After", "5");
    return response;
  });
  dmq::PublishSettings settings = support::settings();
  settings.deadline = milliseconds(300);
  auto producer = support::direct_producer(transport, SystemClock(), settings);
  CHECK(producer.submit(message("1")).get().error().kind == ErrorKind::throttled);
  CHECK(transport.count() == 1);
}

TEST_CASE("a message that waits for a token is reported by its deadline") {
  dmq::testing::ScriptedTransport transport;
  transport.block();
  dmq::PublishSettings settings = support::settings();
  settings.deadline = milliseconds(200);
  auto producer = support::gateway_producer<PublishRoute>(transport, SystemClock(), settings);
  auto future = producer.submit(message("1"));
  REQUIRE(future.wait_for(ample) == std::future_status::ready);
  const PublishResult result = future.get();
  CHECK(result.error().kind == ErrorKind::timeout);
  CHECK(result.error().delivery == DeliveryState::not_sent);
}

TEST_CASE("a message of unknown fate that others stopped comes back ready to be sent again") {
  dmq::testing::ScriptedTransport transport;
  transport.reply(dmq::Error{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"})
      .reply(refusal(400, "InvalidMessageContents"))
      .reply(refusal(403, "AccessDeniedException"));
  auto producer = support::direct_producer(transport, SystemClock(), quick());
  const auto results = producer.publish_batch({message("a1", "a"), message("b1", "b")});
  for (const PublishResult& result : results) {
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::authorization);
    CHECK(result.error().delivery == DeliveryState::unknown);
    CHECK(result.error().returned.first_sent);
    CHECK_FALSE(result.error().returned.deduplication_id.empty());
  }
}

TEST_CASE("a run that is sent one by one after a refusal still has to come in order") {
  const auto accepted = [](const char* sequence) {
    return dmq::http::Response{.status = 200,
                               .body = std::string(R"({"MessageId":"m","SequenceNumber":")") + sequence +
                                       R"(","MD5OfMessageBody":"92eb5ffee6ae2fec3ad71c777531578f"})"};
  };
  dmq::testing::ScriptedTransport transport;
  transport.reply(refusal(400, "InvalidMessageContents")).reply(accepted("7")).reply(accepted("5"));
  dmq::PublishSettings settings = quick();
  settings.in_group_batch = 2;
  auto producer = support::direct_producer(transport, SystemClock(), settings);
  const auto results = producer.publish_batch({message("b"), message("b")});
  CHECK(results[0]);
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().kind == ErrorKind::integrity);
}

TEST_CASE(
    "submit, publish, flush, close and destruction may run beside each other, and each message is reported once") {
  support::Cloud<SystemClock> cloud;
  std::atomic<int> taken = 0;
  std::atomic<int> told = 0;
  constexpr int rounds = 6;
  for (int round = 0; round < rounds; ++round) {
    auto producer = std::make_unique<decltype(support::direct_producer(cloud.transport))>(
        support::direct_producer(cloud.transport));
    const int before = told;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string group = std::to_string(t) + "-" + std::to_string(i % 5);
          const bool in = producer
                              ->submit(message("s", group),
                                       [&, group](PublishResult) {
                                         ++told;
                                         producer->resume(group);
                                         if (producer->submit(message("again", group), [&](auto&&) { ++told; }))
                                           ++taken;
                                       })
                              .has_value();
          if (in) ++taken;
          if (i % 10 == 0) (void)producer->publish(message("p", group));
          if (i % 25 == 0) (void)producer->flush(milliseconds(1));
        }
      });
    if (round % 2 == 1) {
      while (told < before + 20) std::this_thread::yield();
      producer->close(milliseconds(round));
    }
    threads.clear();
    const dmq::Ledger ledger = producer->close(ample);
    CHECK(told == taken);
    CHECK(ledger.total() >= 20);
    producer.reset();
  }
}
