#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "outcome.hpp"
#include "publishing.hpp"

namespace sim::publish {

using dmq::testing::NetworkFault;

/// What befalls the whole world at a time.
enum class Event { revoke_tokens, restart, partition, crash };
inline constexpr std::array<std::string_view, 4> event_names = {"revoke-tokens", "restart", "partition", "crash"};

/// All that a schedule does, drawn from its seed; a part of it may be left out when a failure is shrunk.
struct Schedule {
  struct Submission {
    Duration at{};
    std::size_t producer = 0;
    std::string group{};
    int number = 0;
  };
  struct Happening {
    Duration at{};
    Event event{};
    Duration lasts{};
    std::size_t producer = 0;
  };

  std::uint64_t seed = 0;
  std::vector<ProducerPlan> producers{};
  std::vector<Submission> submissions{};
  std::vector<std::pair<std::uint64_t, NetworkFault>> faults{};
  std::vector<Happening> happenings{};
};

inline Schedule draw(std::uint64_t seed) {
  Random random(seed * 0x9e3779b97f4a7c15 + 1);
  Schedule schedule{.seed = seed};
  const std::size_t producers = 2 + random.below(2);
  for (std::size_t i = 0; i < producers; ++i) schedule.producers.push_back(draw_producer(random));
  const std::size_t messages = 40 + random.below(30);
  const Duration span = random.chance(0.5) ? Duration(seconds(20)) : Duration(seconds(300));
  const std::vector<Duration> times = draw_moments(random, messages, span);
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t producer = random.below(producers);
    const auto group = random.below(static_cast<std::uint64_t>(schedule.producers[producer].groups));
    schedule.submissions.push_back(
        {times[i], producer, "p" + std::to_string(producer) + "g" + std::to_string(group), static_cast<int>(i)});
  }
  const std::size_t faults = 8 + random.below(10);
  for (std::size_t i = 0; i < faults; ++i)
    schedule.faults.emplace_back(random.below(messages),
                                 static_cast<NetworkFault>(random.below(dmq::testing::network_faults.size())));
  const std::size_t happenings = random.below(5);
  for (std::size_t i = 0; i < happenings; ++i) {
    const auto event = static_cast<Event>(random.below(event_names.size()));
    const Duration lasts = random.chance(0.3) ? seconds(200 + random.below(300)) : seconds(1 + random.below(30));
    schedule.happenings.push_back(
        {draw_moment(random, span), event, lasts, static_cast<std::size_t>(random.below(producers))});
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
        network_(world_, cloud_, dmq::json::simdjson_parse, {schedule.faults.begin(), schedule.faults.end()}),
        publishing_(world_, network_, auditor_, schedule.producers) {
    if (trace) tell_with_time(world_, std::move(trace));
  }

  Outcome play();

 private:
  static constexpr std::uint64_t most_requests = 20;  ///< For a message, on average.

  static dmq::testing::LocalCloudOptions cloud_options(std::uint64_t seed) {
    return {
        .access_keys = {}, .signing_key = signing_key(), .seed = seed, .started = dmq::testing::SimulatedClock::start};
  }
  void happen(const Schedule::Happening& happening);

  const Schedule& schedule_;
  dmq::testing::Simulation world_;
  dmq::testing::LocalCloud cloud_;
  dmq::testing::SimulatedNetwork network_;
  dmq::testing::Auditor auditor_;
  Publishing publishing_;
  Outcome outcome_;
};

inline Outcome World::play() {
  outcome_.events.resize(event_names.size());
  for (const Schedule::Submission& submission : schedule_.submissions)
    world_.after(submission.at,
                 [this, &submission] { publishing_.send(submission.producer, submission.group, submission.number); });
  for (const Schedule::Happening& happening : schedule_.happenings)
    world_.after(happening.at, [this, &happening] { happen(happening); });
  const bool ended = world_.run(dmq::testing::SimulatedClock::start.ticks + std::chrono::hours(24));
  outcome_.done = publishing_.finish();
  auditor_.finish(cloud_, "dmq.fifo");
  if (network_.requests() > most_requests * schedule_.submissions.size())
    auditor_.violate("few-requests", std::to_string(network_.requests()) + " requests");
  if (!ended) auditor_.violate("comes-to-an-end", "after a day something is still going on");
  outcome_.violations = auditor_.violations();
  outcome_.faults = network_.struck();
  outcome_.messages = schedule_.submissions.size();
  return std::move(outcome_);
}

inline void World::happen(const Schedule::Happening& happening) {
  world_.tell([&] { return "event " + std::string(event_names[static_cast<std::size_t>(happening.event)]); });
  ++outcome_.events[static_cast<std::size_t>(happening.event)];
  switch (happening.event) {
    case Event::revoke_tokens: return cloud_.revoke_tokens();
    case Event::restart: return network_.restart();
    case Event::partition: return network_.part(happening.lasts);
    case Event::crash: return publishing_.crash(happening.producer);
  }
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
