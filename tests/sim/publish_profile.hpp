#pragma once

#include <algorithm>
#include <array>
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

#include "outcome.hpp"

namespace sim::publish {

using dmq::Duration;
using dmq::Message;
using dmq::PublishResult;
using dmq::Random;
using dmq::testing::NetworkFault;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// What befalls the whole world at a time.
enum class Event { revoke_tokens, restart, partition, crash };
inline constexpr std::array<std::string_view, 4> event_names = {"revoke-tokens", "restart", "partition", "crash"};

/// All that a schedule does, drawn from its seed; a part of it may be left out when a failure is shrunk.
struct Schedule {
  struct Producer {
    int route = 0;  ///< Gateway, gateway batch, direct.
    int groups = 2;
    bool drops_lost = false;  ///< Its program goes on without a lost message, rather than sending it again.
    dmq::PublishSettings settings{};
  };
  struct Submission {
    Duration at{};
    std::size_t producer = 0;
    int group = 0;
    int number = 0;
  };
  struct Happening {
    Duration at{};
    Event event{};
    Duration lasts{};
    std::size_t producer = 0;
  };

  std::uint64_t seed = 0;
  std::vector<Producer> producers{};
  std::vector<Submission> submissions{};
  std::vector<std::pair<std::uint64_t, NetworkFault>> faults{};
  std::vector<Happening> happenings{};
};

inline Schedule draw(std::uint64_t seed) {
  Random random(seed * 0x9e3779b97f4a7c15 + 1);
  Schedule schedule{.seed = seed};
  const std::size_t producers = 2 + random.below(2);
  for (std::size_t i = 0; i < producers; ++i) {
    Schedule::Producer producer{.route = static_cast<int>(random.below(3)),
                                .groups = 2 + static_cast<int>(random.below(3))};
    dmq::PublishSettings& settings = producer.settings;
    settings.deduplication = random.chance(0.2) ? dmq::Deduplication::content : dmq::Deduplication::id;
    const double patience = random.uniform();
    settings.deadline = patience < 0.2 ? Duration(milliseconds(200)) : seconds(patience < 0.5 ? 900 : 120);
    settings.in_group_batch = 1 + random.below(3) * random.below(3);
    settings.submit.max_in_flight = 1 + random.below(16);
    producer.drops_lost = random.chance(0.3);
    if (random.chance(0.2)) settings.submit.linger = milliseconds(100);
    schedule.producers.push_back(std::move(producer));
  }
  const std::size_t messages = 40 + random.below(30);
  const Duration span = random.chance(0.5) ? Duration(seconds(20)) : Duration(seconds(300));
  const auto moment = [&] {
    return Duration(static_cast<Duration::rep>(random.uniform() * static_cast<double>(span.count())));
  };
  std::vector<Duration> times;
  for (std::size_t i = 0; i < messages; ++i) times.push_back(moment());
  std::sort(times.begin(), times.end());
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t producer = random.below(producers);
    const int group = static_cast<int>(random.below(static_cast<std::uint64_t>(schedule.producers[producer].groups)));
    schedule.submissions.push_back({times[i], producer, group, static_cast<int>(i)});
  }
  const std::size_t faults = 8 + random.below(10);
  for (std::size_t i = 0; i < faults; ++i)
    schedule.faults.emplace_back(random.below(messages),
                                 static_cast<NetworkFault>(random.below(dmq::testing::network_faults.size())));
  const std::size_t happenings = random.below(5);
  for (std::size_t i = 0; i < happenings; ++i) {
    const auto event = static_cast<Event>(random.below(event_names.size()));
    const Duration lasts = random.chance(0.3) ? seconds(200 + random.below(300)) : seconds(1 + random.below(30));
    schedule.happenings.push_back({moment(), event, lasts, static_cast<std::size_t>(random.below(producers))});
  }
  return schedule;
}

/// Plays a schedule: producers, the programs that use them, the cloud and the network between.
class World {
 public:
  explicit World(const Schedule& schedule, std::function<void(const std::string&)> trace = {})
      : schedule_(schedule),
        world_(schedule.seed),
        cloud_(cloud_options(schedule.seed), dmq::json::simdjson_parse),
        network_(world_, cloud_, dmq::json::simdjson_parse, {schedule.faults.begin(), schedule.faults.end()}) {
    if (trace)
      world_.trace = [this, trace = std::move(trace)](const std::string& line) {
        trace(std::to_string(elapsed().count()) + " ms " + line);
      };
  }

  Outcome play();

 private:
  using Done = std::function<void(PublishResult)>;

  static constexpr std::uint64_t most_requests = 20;  ///< For a message, on average.

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

  /// What a careful program does: it sends a group's messages in order; when one fails it waits until the rest came
  /// back, then resumes the group and sends again: a lost message as it came back, then what was held behind it. What
  /// others have passed in a run it does not send again.
  struct Group {
    std::string name{};
    std::size_t producer = 0;
    std::deque<Message> backlog{};
    std::deque<Message> returned{};
    std::size_t open = 0;
    int last_accepted = -1;  ///< By number.
    bool recovering = false;
  };

  static dmq::testing::LocalCloudOptions cloud_options(std::uint64_t seed) {
    return {
        .access_keys = {}, .signing_key = signing_key(), .seed = seed, .started = dmq::testing::SimulatedClock::start};
  }
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(world_.now().ticks - dmq::testing::SimulatedClock::start.ticks);
  }

  static int number_of(const std::string& body) { return std::stoi(body.substr(1)); }

  std::unique_ptr<Publisher> make(const Schedule::Producer& producer);
  template <class Route>
  std::unique_ptr<Publisher> make_gateway(const dmq::PublishSettings& settings);
  void plan();
  void offer(Group& group);
  void on_report(Group& group, const std::string& body, PublishResult result);
  void check_time(const Group& group, const std::string& body, dmq::Ticks submitted);
  void recover(Group& group);
  void happen(const Schedule::Happening& happening);
  void crash(std::size_t producer);

  const Schedule& schedule_;
  dmq::testing::Simulation world_;
  dmq::testing::LocalCloud cloud_;
  dmq::testing::SimulatedNetwork network_;
  dmq::testing::Auditor auditor_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::map<std::string, Group> groups_;
  Outcome outcome_;
};

inline std::unique_ptr<World::Publisher> World::make(const Schedule::Producer& producer) {
  dmq::PublishSettings settings = producer.settings;
  settings.new_id = [this] { return std::to_string(world_.random().next()); };
  if (producer.route == 0) return make_gateway<dmq::gateway::PublishRoute>(settings);
  if (producer.route == 1) return make_gateway<dmq::gateway::BatchRoute>(settings);
  using Authority = dmq::auth::SigV4<dmq::auth::StaticCredentials>;
  dmq::auth::Credentials credentials{.access_key_id = "AKIA", .secret_access_key = dmq::Secret("secret")};
  return std::make_unique<On<dmq::sqs::SendRoute, Authority>>(
      world_, network_,
      dmq::sqs::SendRoute({"http://localhost", dmq::json::simdjson_parse}, "http://localhost/000000000000/dmq.fifo"),
      Authority(dmq::auth::StaticCredentials(std::move(credentials)), {.region = "us-east-1", .service = "sqs"}),
      std::move(settings));
}

template <class Route>
std::unique_ptr<World::Publisher> World::make_gateway(const dmq::PublishSettings& settings) {
  using Authority = dmq::auth::Bearer<dmq::auth::cognito::ClientCredentials>;
  dmq::auth::cognito::ClientOptions client{.token_url = "http://localhost/oauth2/token",
                                           .client_id = "local-client",
                                           .client_secret = dmq::Secret("local-client-secret"),
                                           .scope = "dmq/publish"};
  return std::make_unique<On<Route, Authority>>(
      world_, network_, Route("http://localhost/v1/publish-queue", dmq::json::simdjson_parse),
      Authority(dmq::auth::cognito::ClientCredentials(std::move(client), dmq::json::simdjson_parse)), settings);
}

inline Outcome World::play() {
  outcome_.events.resize(event_names.size());
  for (const Schedule::Producer& producer : schedule_.producers) publishers_.push_back(make(producer));
  plan();
  const bool ended = world_.run(dmq::testing::SimulatedClock::start.ticks + std::chrono::hours(24));
  for (const auto& publisher : publishers_) {
    if (publisher == nullptr) continue;
    auditor_.ledger(publisher->ledger());
    outcome_.done += publisher->ledger().accepted;
    if (!publisher->idle()) auditor_.violate("memory-returns", "a producer still holds something");
  }
  auditor_.finish(cloud_, "dmq.fifo");
  if (network_.requests() > most_requests * schedule_.submissions.size())
    auditor_.violate("few-requests", std::to_string(network_.requests()) + " requests");
  if (!ended) auditor_.violate("comes-to-an-end", "after a day something is still going on");
  outcome_.violations = auditor_.violations();
  outcome_.faults = network_.struck();
  outcome_.messages = schedule_.submissions.size();
  return std::move(outcome_);
}

inline void World::plan() {
  for (const Schedule::Submission& submission : schedule_.submissions)
    world_.after(submission.at, [this, submission] {
      const std::string name = "p" + std::to_string(submission.producer) + "g" + std::to_string(submission.group);
      Group& group = groups_[name];
      group.name = name;
      group.producer = submission.producer;
      if (schedule_.producers[group.producer].settings.in_group_batch > 1) auditor_.allow_runs(name);
      if (publishers_[group.producer] == nullptr) return;
      group.backlog.push_back({.body = "m" + std::to_string(submission.number), .group = name});
      offer(group);
    });
  for (const Schedule::Happening& happening : schedule_.happenings)
    world_.after(happening.at, [this, happening] { happen(happening); });
}

inline void World::offer(Group& group) {
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
inline void World::check_time(const Group& group, const std::string& body, dmq::Ticks submitted) {
  const dmq::PublishSettings& settings = schedule_.producers[group.producer].settings;
  const Duration took = world_.now().ticks - submitted;
  if (took > settings.deadline + settings.request_timeout + seconds(2))
    auditor_.violate("reported-in-time",
                     body + " was reported after " + std::to_string(std::chrono::floor<seconds>(took).count()) + " s");
}

inline void World::on_report(Group& group, const std::string& body, PublishResult result) {
  world_.tell([&] { return body + (result ? " accepted" : " failed: " + result.error().describe()); });
  auditor_.reported(body, result);
  --group.open;
  if (result) group.last_accepted = std::max(group.last_accepted, number_of(body));
  if (result) return;
  const dmq::Error& error = result.error();
  const bool too_late = error.deduplication_until && *error.deduplication_until <= world_.now().wall;
  const bool lost = error.delivery == dmq::DeliveryState::unknown;
  if (lost && (too_late || schedule_.producers[group.producer].drops_lost)) return recover(group);
  if (error.delivery != dmq::DeliveryState::rejected) group.returned.push_back(std::move(result.error().returned));
  recover(group);
}

inline void World::recover(Group& group) {
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

inline void World::happen(const Schedule::Happening& happening) {
  world_.tell([&] { return "event " + std::string(event_names[static_cast<std::size_t>(happening.event)]); });
  ++outcome_.events[static_cast<std::size_t>(happening.event)];
  switch (happening.event) {
    case Event::revoke_tokens: return cloud_.revoke_tokens();
    case Event::restart: return network_.restart();
    case Event::partition: return network_.part(happening.lasts);
    case Event::crash: return crash(happening.producer);
  }
}

inline void World::crash(std::size_t producer) {
  if (publishers_[producer] == nullptr) return;
  auditor_.ledger(publishers_[producer]->ledger());
  publishers_[producer].reset();
  for (auto& [name, group] : groups_)
    if (group.producer == producer) auditor_.crashed(name);
}

struct Profile {
  using Schedule = publish::Schedule;
  using World = publish::World;
  static constexpr auto& events = event_names;
  static constexpr auto& rules = dmq::engine::publish_rules;
  static constexpr const char* done = "accepted";
  static Schedule draw(std::uint64_t seed) { return publish::draw(seed); }
};

}  // namespace sim::publish
