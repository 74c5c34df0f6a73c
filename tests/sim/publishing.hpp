#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dmq/auth/bearer.hpp>
#include <dmq/auth/cognito.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/gateway/batch_route.hpp>
#include <dmq/gateway/publish_route.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/sqs/send_route.hpp>
#include <dmq/testing/auditor.hpp>
#include <dmq/testing/simulated_producer.hpp>

namespace sim {

using dmq::Duration;
using dmq::Message;
using dmq::PublishResult;
using dmq::Random;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A producer of a schedule, and the program that uses it.
struct ProducerPlan {
  int route = 0;  ///< Gateway, gateway batch, direct.
  int groups = 2;
  bool drops_lost = false;  ///< Its program goes on without a lost message, rather than sending it again.
  dmq::PublishSettings settings{};
};

inline ProducerPlan draw_producer(Random& random) {
  ProducerPlan producer{.route = static_cast<int>(random.below(3)), .groups = 2 + static_cast<int>(random.below(3))};
  dmq::PublishSettings& settings = producer.settings;
  settings.deduplication = random.chance(0.2) ? dmq::Deduplication::content : dmq::Deduplication::id;
  const double patience = random.uniform();
  settings.deadline = patience < 0.2 ? Duration(milliseconds(200)) : seconds(patience < 0.5 ? 900 : 120);
  settings.in_group_batch = 1 + random.below(3) * random.below(3);
  settings.submit.max_in_flight = 1 + random.below(16);
  producer.drops_lost = random.chance(0.3);
  if (random.chance(0.2)) settings.submit.linger = milliseconds(100);
  return producer;
}

/// The producers of a world and the programs that use them. A program is careful: it sends a group's messages in order;
/// when one fails it waits until the rest came back, then resumes the group and sends again: a lost message as it came
/// back, then what was held behind it. What others have passed in a run it does not send again.
class Publishing {
 public:
  Publishing(dmq::testing::Simulation& world, dmq::testing::SimulatedNetwork& network, dmq::testing::Auditor& auditor,
             const std::vector<ProducerPlan>& plans)
      : world_(world), network_(network), auditor_(auditor), plans_(plans) {
    for (const ProducerPlan& plan : plans) publishers_.push_back(make(plan));
  }
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;

  /// A program has a message to send: "m" and its number.
  void send(std::size_t producer, const std::string& group, int number);
  void crash(std::size_t producer);
  /// Whether the programs have nothing left to send, and know what became of all.
  bool idle() const;
  /// At the end, for the auditor; how many were accepted.
  std::uint64_t finish();

 private:
  using Done = std::function<void(PublishResult)>;

  /// A producer on any route.
  struct Publisher {
    virtual ~Publisher() = default;
    virtual dmq::Result<void, dmq::PublishError> submit(Message message, Done done) = 0;
    virtual void resume(const std::string& group) = 0;
    virtual void resume_all() = 0;
    virtual dmq::Ledger ledger() const = 0;
    virtual bool idle() const = 0;
  };
  template <class Route, class Authority>
  struct On final : Publisher {
    template <class... Arguments>
    explicit On(Arguments&&... arguments) : producer(std::forward<Arguments>(arguments)...) {}
    dmq::Result<void, dmq::PublishError> submit(Message message, Done done) override {
      return producer.submit(std::move(message), std::move(done));
    }
    void resume(const std::string& group) override { producer.resume(group); }
    void resume_all() override { producer.resume_all(); }
    dmq::Ledger ledger() const override { return producer.ledger(); }
    bool idle() const override { return producer.idle(); }
    dmq::testing::SimulatedProducer<Route, Authority> producer;
  };

  struct Group {
    std::string name{};
    std::size_t producer = 0;
    std::deque<Message> backlog{};
    std::deque<Message> returned{};
    std::size_t open = 0;
    int last_accepted = -1;  ///< By number.
    bool recovering = false;
  };

  static int number_of(const std::string& body) { return std::stoi(body.substr(1)); }

  std::unique_ptr<Publisher> make(const ProducerPlan& plan);
  template <class Route>
  std::unique_ptr<Publisher> make_gateway(const dmq::PublishSettings& settings);
  void offer(Group& group);
  void on_report(Group& group, const std::string& body, PublishResult result);
  void check_time(const Group& group, const std::string& body, dmq::Ticks submitted);
  void recover(Group& group);

  dmq::testing::Simulation& world_;
  dmq::testing::SimulatedNetwork& network_;
  dmq::testing::Auditor& auditor_;
  const std::vector<ProducerPlan>& plans_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::map<std::string, Group> groups_;
};

inline void Publishing::send(std::size_t producer, const std::string& name, int number) {
  Group& group = groups_[name];
  group.name = name;
  group.producer = producer;
  if (plans_[producer].settings.in_group_batch > 1) auditor_.allow_runs(name);
  if (publishers_[producer] == nullptr) return;
  group.backlog.push_back({.body = "m" + std::to_string(number), .group = name});
  offer(group);
}

inline bool Publishing::idle() const {
  return std::all_of(groups_.begin(), groups_.end(), [&](const auto& named) {
    const Group& group = named.second;
    if (publishers_[group.producer] == nullptr) return true;
    return group.open == 0 && group.backlog.empty() && group.returned.empty() && !group.recovering;
  });
}

inline std::uint64_t Publishing::finish() {
  std::uint64_t accepted = 0;
  for (const auto& publisher : publishers_) {
    if (publisher == nullptr) continue;
    auditor_.ledger(publisher->ledger());
    accepted += publisher->ledger().accepted;
    if (!publisher->idle()) auditor_.violate("memory-returns", "a producer still holds something");
  }
  return accepted;
}

inline std::unique_ptr<Publishing::Publisher> Publishing::make(const ProducerPlan& plan) {
  dmq::PublishSettings settings = plan.settings;
  settings.new_id = [this] { return std::to_string(world_.random().next()); };
  if (plan.route == 0) return make_gateway<dmq::gateway::PublishRoute>(settings);
  if (plan.route == 1) return make_gateway<dmq::gateway::BatchRoute>(settings);
  using Authority = dmq::auth::SigV4<dmq::auth::StaticCredentials>;
  dmq::auth::Credentials credentials{.access_key_id = "AKIA", .secret_access_key = dmq::Secret("secret")};
  return std::make_unique<On<dmq::sqs::SendRoute, Authority>>(
      world_, network_,
      dmq::sqs::SendRoute({"http://localhost", dmq::json::simdjson_parse}, "http://localhost/000000000000/dmq.fifo"),
      Authority(dmq::auth::StaticCredentials(std::move(credentials)), {.region = "us-east-1", .service = "sqs"}),
      std::move(settings));
}

template <class Route>
std::unique_ptr<Publishing::Publisher> Publishing::make_gateway(const dmq::PublishSettings& settings) {
  using Authority = dmq::auth::Bearer<dmq::auth::cognito::ClientCredentials>;
  dmq::auth::cognito::ClientOptions client{.token_url = "http://localhost/oauth2/token",
                                           .client_id = "local-client",
                                           .client_secret = dmq::Secret("local-client-secret"),
                                           .scope = "dmq/publish"};
  return std::make_unique<On<Route, Authority>>(
      world_, network_, Route("http://localhost/v1/publish-queue", dmq::json::simdjson_parse),
      Authority(dmq::auth::cognito::ClientCredentials(std::move(client), dmq::json::simdjson_parse)), settings);
}

inline void Publishing::offer(Group& group) {
  while (!group.backlog.empty() && !group.recovering) {
    const std::string body = group.backlog.front().body;
    const dmq::Ticks at = world_.now().ticks;
    auto refused =
        publishers_[group.producer]->submit(group.backlog.front(), [this, &group, body, at](PublishResult result) {
          check_time(group, body, at);
          on_report(group, body, std::move(result));
        });
    if (!refused) {
      world_.tell([&] { return body + " refused: " + refused.error().describe(); });
      return recover(group);
    }
    world_.tell([&] { return body + " submitted to " + group.name; });
    auditor_.submitted(group.name, body);
    ++group.open;
    group.backlog.pop_front();
  }
}

/// Nothing is sent after the deadline, and what was sent before has its time limit; a message that comes first in its
/// lane only then is looked at a second later.
inline void Publishing::check_time(const Group& group, const std::string& body, dmq::Ticks submitted) {
  const dmq::PublishSettings& settings = plans_[group.producer].settings;
  const Duration took = world_.now().ticks - submitted;
  if (took > settings.deadline + settings.request_timeout + seconds(2))
    auditor_.violate("reported-in-time",
                     body + " was reported after " + std::to_string(std::chrono::floor<seconds>(took).count()) + " s");
}

inline void Publishing::on_report(Group& group, const std::string& body, PublishResult result) {
  world_.tell([&] { return body + (result ? " accepted" : " failed: " + result.error().describe()); });
  auditor_.reported(body, result);
  --group.open;
  if (result) group.last_accepted = std::max(group.last_accepted, number_of(body));
  if (result) return;
  const dmq::Error& error = result.error();
  const bool too_late = error.deduplication_until && *error.deduplication_until <= world_.now().wall;
  const bool lost = error.delivery == dmq::DeliveryState::unknown;
  if (lost && (too_late || plans_[group.producer].drops_lost)) return recover(group);
  if (error.delivery != dmq::DeliveryState::rejected) group.returned.push_back(std::move(result.error().returned));
  recover(group);
}

inline void Publishing::recover(Group& group) {
  if (std::exchange(group.recovering, true)) return;
  world_.after(world_.between(milliseconds(1), seconds(60)), [this, &group] {
    group.recovering = false;
    if (publishers_[group.producer] == nullptr) return;
    if (group.open > 0) return recover(group);
    publishers_[group.producer]->resume_all();
    publishers_[group.producer]->resume(group.name);
    std::erase_if(group.returned,
                  [&](const Message& message) { return number_of(message.body) < group.last_accepted; });
    group.backlog.insert(group.backlog.begin(), group.returned.begin(), group.returned.end());
    group.returned.clear();
    offer(group);
  });
}

inline void Publishing::crash(std::size_t producer) {
  if (publishers_[producer] == nullptr) return;
  auditor_.ledger(publishers_[producer]->ledger());
  publishers_[producer].reset();
  for (auto& [name, group] : groups_)
    if (group.producer == producer) auditor_.crashed(name);
}

}  // namespace sim
