#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/auth/sigv4.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/testing/consume_auditor.hpp>
#include <dmq/testing/simulated_consumer.hpp>

#include "outcome.hpp"
#include "publishing.hpp"

namespace sim::consume {

using dmq::testing::NetworkFault;

/// What befalls a consumer, or the whole world, at a time.
enum class Event { restart, partition, crash, freeze, stop, pause, revoke_tokens, producer_crash };
inline constexpr std::array<std::string_view, 8> all_events = {
    "restart", "partition", "crash", "freeze", "stop", "pause", "revoke-tokens", "producer-crash"};
inline constexpr std::array<std::string_view, 6> events_of_consumers = {"restart", "partition", "crash",
                                                                        "freeze",  "stop",      "pause"};

/// What a handler makes of a message, each time anew.
enum class Nature { plain, slow, flaky, released, discarded, poison };

/// All that a schedule does, drawn from its seed; a part of it may be left out when a failure is shrunk.
///
/// In a calm schedule each consumer has a queue of its own and nothing takes so long that a lease is in danger. Either
/// handlers fail, and then nobody but the failed message pays: all others are received once; or answers are lost, and
/// then all are received once.
struct Schedule {
  struct Submission {
    Duration at{};
    std::string group{};
    int number = 0;
    Nature nature{};
    std::size_t producer = 0;  ///< In a full schedule.
  };
  struct Happening {
    Duration at{};
    Event event{};
    Duration lasts{};
    std::size_t consumer = 0;
  };

  std::uint64_t seed = 0;
  bool calm = false;
  bool fifo = true;
  int max_receives = 0;                   ///< Of the redrive policy, if there is one.
  std::vector<ProducerPlan> producers{};  ///< Of a full schedule; in others messages just appear in the queue.
  std::vector<dmq::ConsumeSettings> consumers{};
  std::vector<Submission> submissions{};
  std::vector<std::pair<std::uint64_t, NetworkFault>> faults{};
  std::vector<Happening> happenings{};

  std::size_t queues() const { return calm ? consumers.size() : 1; }
  bool is_full() const { return !producers.empty(); }
  std::string queue(std::size_t consumer) const {
    if (is_full()) return "dmq.fifo";
    return "q" + std::to_string(consumer % queues()) + (fifo ? ".fifo" : "");
  }
};

inline dmq::ConsumeSettings draw_settings(Random& random, bool calm) {
  dmq::ConsumeSettings settings;
  dmq::RunSettings& run = settings.run;
  settings.visibility = calm || random.chance(0.5) ? seconds(30) : seconds(10 + 10 * random.below(3));
  run.workers = 1 + random.below(4);
  run.max_held = 100;
  if (!calm && random.chance(0.3)) run.max_held = 2 + random.below(10);
  if (random.chance(0.3)) run.max_per_receive = 1 + static_cast<int>(random.below(10));
  if (random.chance(0.3)) run.wait = seconds(1 + random.below(20));
  run.retry_cap = seconds(2 + random.below(20));
  run.stop_deadline = seconds(5 + random.below(60));
  if (random.chance(0.2)) run.stop_poll = dmq::StopPoll::drain;
  return settings;
}

inline Nature draw_nature(Random& random, bool calm, bool lossy, bool redrives) {
  const double x = random.uniform();
  if (lossy) return x < 0.9 ? Nature::plain : Nature::discarded;
  if (x < 0.75) return Nature::plain;
  if (x < 0.80) return calm ? Nature::plain : Nature::slow;
  if (x < 0.90) return Nature::flaky;
  if (x < 0.93) return Nature::released;
  if (x < 0.95) return Nature::discarded;
  return redrives ? Nature::poison : Nature::flaky;
}

inline NetworkFault draw_fault(Random& random, bool calm, bool lossy) {
  if (calm) return lossy && random.chance(0.7) ? NetworkFault::lose_reply : NetworkFault::refuse;
  return static_cast<NetworkFault>(random.below(dmq::testing::network_faults.size()));
}

inline Schedule draw(std::uint64_t seed, bool full) {
  Random random(seed * 0x9e3779b97f4a7c15 + (full ? 13 : 7));
  Schedule schedule{.seed = seed, .calm = !full && random.chance(0.25), .fifo = full || random.chance(0.85)};
  const bool lossy = schedule.calm && random.chance(0.5);
  schedule.fifo = schedule.fifo || schedule.calm;  // On a standard queue there are no attempt ids.
  if (!full && random.chance(0.5)) schedule.max_receives = schedule.calm ? 3 : 4 + static_cast<int>(random.below(4));
  if (full)
    for (int i = 0; i < 2; ++i) schedule.producers.push_back(draw_producer(random));
  const std::size_t consumers = 2 + (schedule.calm ? 0 : random.below(2));
  for (std::size_t i = 0; i < consumers; ++i) schedule.consumers.push_back(draw_settings(random, schedule.calm));
  const std::size_t messages = 40 + random.below(30);
  const std::size_t groups = 4 + random.below(4);
  const Duration span = random.chance(0.5) ? Duration(seconds(5)) : Duration(seconds(200));
  const std::vector<Duration> times = draw_moments(random, messages, span);
  for (std::size_t i = 0; i < messages; ++i) {
    Schedule::Submission submission{.at = times[i], .number = static_cast<int>(i)};
    submission.nature = draw_nature(random, schedule.calm, lossy, schedule.max_receives > 0);
    if (full) {
      submission.producer = random.below(schedule.producers.size());
      submission.group = "p" + std::to_string(submission.producer);
    }
    submission.group += "g" + std::to_string(random.below(full ? 2 + groups / 4 : groups));
    schedule.submissions.push_back(std::move(submission));
  }
  const std::size_t faults = 6 + random.below(8);
  for (std::size_t i = 0; i < faults; ++i)
    schedule.faults.emplace_back(random.below((full ? 4 : 2) * messages), draw_fault(random, schedule.calm, lossy));
  const std::size_t happenings = schedule.calm ? 0 : random.below(7);
  const std::size_t kinds = full ? all_events.size() : events_of_consumers.size();
  for (std::size_t i = 0; i < happenings; ++i)
    schedule.happenings.push_back({draw_moment(random, span + seconds(60)), static_cast<Event>(random.below(kinds)),
                                   seconds(1 + random.below(random.chance(0.3) ? 200 : 30)),
                                   static_cast<std::size_t>(random.below(consumers))});
  return schedule;
}

/// Plays a schedule: messages, the queue, consumers and the network between.
class World {
 public:
  explicit World(const Schedule& schedule, std::function<void(const std::string&)> trace = {})
      : schedule_(schedule),
        world_(schedule.seed),
        cloud_(options(schedule), dmq::json::simdjson_parse),
        network_(world_, cloud_, dmq::json::simdjson_parse, {schedule.faults.begin(), schedule.faults.end()}),
        auditor_(cloud_) {
    if (trace) tell_with_time(world_, std::move(trace));
    if (schedule.is_full()) publishing_.emplace(world_, network_, publish_auditor_, schedule.producers);
  }

  Outcome play();

 private:
  using Authority = dmq::auth::SigV4<dmq::auth::StaticCredentials>;

  /// Hears what the consumers' deletes came to.
  struct Ear {
    World* world = nullptr;
    void operator()(const dmq::Event& event) const noexcept { world->hear(event); }
  };
  using Consumer = dmq::testing::SimulatedConsumer<Authority, Ear>;

  /// A place for consumers: one comes after the other.
  struct Seat {
    std::uint64_t id = 0;  ///< Of the consumer that has it now.
    std::unique_ptr<Consumer> consumer{};
    bool leaving = false;
  };

  static constexpr std::uint64_t most_requests = 60;  ///< For a message, on average, and
  static constexpr Duration look_interval = seconds(5);

  static dmq::testing::LocalCloudOptions options(const Schedule& schedule);
  void plan();
  void send(const Schedule::Submission& submission);
  void seat(std::size_t place);
  void happen(const Schedule::Happening& happening);
  void replace(std::size_t place, Duration after);
  void watch();
  void look();
  void leave(std::size_t place);
  bool is_done() const;
  bool may_land_late() const;
  Consumer::Work begin(std::size_t place, const dmq::engine::Claim& claim);
  Duration takes(Nature nature);
  dmq::engine::Handled judge(Nature nature, const dmq::Delivery& delivery);
  Nature nature_of(const std::string& body) const;
  int poison_before(const std::string& body, const std::string& group) const;
  void hear(const dmq::Event& event) noexcept;

  const Schedule& schedule_;
  dmq::testing::Simulation world_;
  dmq::testing::LocalCloud cloud_;
  dmq::testing::SimulatedNetwork network_;
  dmq::testing::ConsumeAuditor auditor_;
  dmq::testing::Auditor publish_auditor_;
  std::optional<Publishing> publishing_;
  std::vector<Seat> seats_;
  std::uint64_t last_id_ = 0;
  std::size_t to_send_ = 0;
  std::size_t to_happen_ = 0;
  bool closing_ = false;
  std::vector<std::set<std::string>> sent_;  ///< Message ids, by queue.
  std::set<std::string> begun_;              ///< Message ids,
  std::vector<std::string> bodies_;          ///< and bodies, in the order of their first handling.
  std::optional<dmq::Ticks> quiet_since_;
  std::map<std::string, int> failed_;  ///< How often a message has failed, by body.
  Outcome outcome_;
};

inline dmq::testing::LocalCloudOptions World::options(const Schedule& schedule) {
  dmq::testing::LocalCloudOptions options{.queues = {},
                                          .access_keys = {},
                                          .signing_key = signing_key(),
                                          .seed = schedule.seed,
                                          .started = dmq::testing::SimulatedClock::start};
  const std::string dead = schedule.fifo ? "dead.fifo" : "dead";
  dmq::testing::QueueAttributes attributes;
  if (schedule.fifo) attributes = dmq::testing::LocalCloudOptions::high_throughput_fifo();
  options.queues.emplace(dead, attributes);
  if (schedule.max_receives > 0)
    attributes["RedrivePolicy"] = R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:)" + dead +
                                  R"(","maxReceiveCount":)" + std::to_string(schedule.max_receives) + "}";
  for (std::size_t i = 0; i < schedule.queues(); ++i) options.queues.emplace(schedule.queue(i), attributes);
  return options;
}

inline Outcome World::play() {
  outcome_.events.resize(all_events.size());
  sent_.resize(schedule_.queues());
  seats_.resize(schedule_.consumers.size());
  for (std::size_t i = 0; i < seats_.size(); ++i) seat(i);
  plan();
  const bool ended = world_.run(dmq::testing::SimulatedClock::start.ticks + std::chrono::hours(12));
  if (!ended) auditor_.violate("comes-to-an-end", "after twelve hours something is still going on");
  for (std::size_t i = 0; i < schedule_.queues(); ++i)
    auditor_.finish(schedule_.queue(i), schedule_.fifo ? "dead.fifo" : "dead", sent_[i]);
  if (schedule_.calm)
    for (const dmq::testing::HeldMessage& held : cloud_.messages(schedule_.fifo ? "dead.fifo" : "dead"))
      if (nature_of(std::string(held.content.body)) != Nature::poison &&
          poison_before(std::string(held.content.body), held.content.group) + 1 < schedule_.max_receives)
        auditor_.violate("the-healthy-live", std::string(held.content.body) + " is in the dead-letter queue");
  if (publishing_) {
    publishing_->finish();
    publish_auditor_.finish(bodies_);
  }
  const auto minutes =
      std::chrono::ceil<std::chrono::minutes>(world_.now().ticks - dmq::testing::SimulatedClock::start.ticks);
  const std::uint64_t most =
      most_requests * schedule_.submissions.size() + static_cast<std::uint64_t>(minutes.count()) * 300;
  if (network_.requests() > most) auditor_.violate("few-requests", std::to_string(network_.requests()) + " requests");
  outcome_.violations = auditor_.violations();
  for (const auto& violation : publish_auditor_.violations()) outcome_.violations.push_back(violation);
  outcome_.faults = network_.struck();
  outcome_.messages = schedule_.submissions.size();
  return std::move(outcome_);
}

inline void World::plan() {
  to_send_ = schedule_.submissions.size();
  to_happen_ = schedule_.happenings.size();
  for (const Schedule::Submission& submission : schedule_.submissions)
    world_.after(submission.at, [this, &submission] {
      --to_send_;
      send(submission);
    });
  for (const Schedule::Happening& happening : schedule_.happenings)
    world_.after(happening.at, [this, &happening] {
      --to_happen_;
      happen(happening);
    });
  watch();
}

/// By its producer, or straight into the queue.
inline void World::send(const Schedule::Submission& submission) {
  if (publishing_) return publishing_->send(submission.producer, submission.group, submission.number);
  const std::size_t queue = static_cast<std::size_t>(submission.group.back() - '0') % schedule_.queues();
  const std::string body = "m" + std::to_string(submission.number);
  dmq::http::Request request{.method = dmq::http::Method::post, .url = "http://localhost/"};
  request.body = R"({"QueueUrl":"http://localhost/000000000000/)" + schedule_.queue(queue) + R"(","MessageBody":")" +
                 body + R"(","MessageGroupId":")" + submission.group + "\"}";
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  request.headers.add("X-Amz-Target", "AmazonSQS.SendMessage");
  const auto response = std::get<dmq::http::Response>(cloud_.handle(request, world_.now()));
  dmq::json::Document document;
  dmq::json::simdjson_parse(response.body, document, {}).value();
  sent_[queue].insert(std::string(document.root()["MessageId"].string().value()));
  world_.tell([&] { return body + " is sent to " + submission.group; });
}

inline void World::seat(std::size_t place) {
  dmq::ConsumeSettings settings = schedule_.consumers[place];
  settings.queue_url = "http://localhost/000000000000/" + schedule_.queue(place);
  settings.new_id = [this] { return std::to_string(world_.random().next()); };
  Seat& seat = seats_[place];
  seat.id = ++last_id_;
  seat.leaving = false;
  const std::uint64_t id = seat.id;
  dmq::auth::Credentials credentials{.access_key_id = "AKIA", .secret_access_key = dmq::Secret("secret")};
  seat.consumer = std::make_unique<Consumer>(
      world_, network_, dmq::sqs::Wire("http://localhost", dmq::json::simdjson_parse),
      Authority(dmq::auth::StaticCredentials(std::move(credentials)), {.region = "us-east-1", .service = "sqs"}),
      std::move(settings),
      Consumer::Handling{[this, place](const dmq::engine::Claim& claim) { return begin(place, claim); },
                         [this, id](const dmq::engine::Claim& claim, const dmq::engine::Handled& handled) {
                           world_.tell(
                               [&] { return claim.delivery->body + " ends at consumer " + std::to_string(id); });
                           auditor_.ended(id, claim, handled, world_.now());
                         }},
      Ear{this});
}

inline World::Consumer::Work World::begin(std::size_t place, const dmq::engine::Claim& claim) {
  const dmq::Delivery& delivery = *claim.delivery;
  const Nature nature = nature_of(delivery.body);
  world_.tell([&] {
    return delivery.body + " of " + delivery.group + " begins at consumer " + std::to_string(seats_[place].id) +
           ", received " + std::to_string(delivery.receive_count);
  });
  if (!delivery.body.starts_with('m')) auditor_.violate("arrives-whole", delivery.body + " is damaged, and is handled");
  if (begun_.insert(delivery.message_id).second) bodies_.push_back(delivery.body);
  auditor_.began(seats_[place].id, schedule_.queue(place), claim, world_.now());
  if (schedule_.calm &&
      delivery.receive_count > 1 + failed_[delivery.body] + poison_before(delivery.body, delivery.group))
    auditor_.violate("received-once", delivery.body + " was received " + std::to_string(delivery.receive_count) +
                                          " times, and failed " + std::to_string(failed_[delivery.body]) + " times");
  dmq::engine::Handled handled = judge(nature, delivery);
  const auto kind = handled.disposition.kind;
  if (kind == dmq::Disposition::Kind::retry || kind == dmq::Disposition::Kind::release) ++failed_[delivery.body];
  return {takes(nature), std::move(handled)};
}

/// Whoever waits behind a message that does not come back, but goes to the dead-letter queue, is received once more.
inline int World::poison_before(const std::string& body, const std::string& group) const {
  const auto number = std::stoi(body.substr(1));
  return static_cast<int>(std::count_if(
      schedule_.submissions.begin(), schedule_.submissions.end(), [&](const Schedule::Submission& submission) {
        return submission.nature == Nature::poison && submission.group == group && submission.number < number;
      }));
}

inline Nature World::nature_of(const std::string& body) const {
  const auto number = std::stoi(body.substr(1));
  for (const Schedule::Submission& submission : schedule_.submissions)
    if (submission.number == number) return submission.nature;
  return Nature::plain;
}

inline Duration World::takes(Nature nature) {
  if (nature == Nature::slow) return world_.between(seconds(1), seconds(90));
  return world_.between(milliseconds(1), milliseconds(500));
}

inline dmq::engine::Handled World::judge(Nature nature, const dmq::Delivery& delivery) {
  using dmq::Disposition;
  const bool again = delivery.receive_count < 3;
  switch (nature) {
    case Nature::plain:
    case Nature::slow: return {};
    case Nature::flaky:
      if (!again) return {};
      if (world_.random().chance(0.3)) return {Disposition::retry(seconds(world_.random().below(5)))};
      return {Disposition::retry(), dmq::Error{.kind = dmq::ErrorKind::handler, .message = "not now"}};
    case Nature::released: return again ? dmq::engine::Handled{Disposition::release()} : dmq::engine::Handled{};
    case Nature::discarded: return {Disposition::discard()};
    case Nature::poison: return {Disposition::retry()};
  }
  return {};
}

inline void World::happen(const Schedule::Happening& happening) {
  Seat& seat = seats_[happening.consumer];
  if (closing_) return;
  world_.tell([&] {
    return "event " + std::string(all_events[static_cast<std::size_t>(happening.event)]) + " of consumer " +
           std::to_string(seat.id);
  });
  if (happening.event == Event::restart || happening.event >= Event::revoke_tokens) {
    ++outcome_.events[static_cast<std::size_t>(happening.event)];
    if (happening.event == Event::restart) return network_.restart();
    if (happening.event == Event::revoke_tokens) return cloud_.revoke_tokens();
    return publishing_->crash(happening.consumer % schedule_.producers.size());
  }
  if (seat.consumer == nullptr || seat.leaving) return;
  ++outcome_.events[static_cast<std::size_t>(happening.event)];
  switch (happening.event) {
    case Event::restart:
    case Event::revoke_tokens:
    case Event::producer_crash: return;
    case Event::partition: return seat.consumer->part(happening.lasts);
    case Event::crash:
      auditor_.crashed(seat.id);
      seat.consumer.reset();
      return replace(happening.consumer, happening.lasts);
    case Event::freeze: auditor_.froze(seat.id); return seat.consumer->freeze(happening.lasts);
    case Event::stop: return leave(happening.consumer);
    case Event::pause:
      seat.consumer->set_paused(true);
      return world_.after(happening.lasts, [this, place = happening.consumer, id = seat.id] {
        if (seats_[place].consumer != nullptr && seats_[place].id == id) seats_[place].consumer->set_paused(false);
      });
  }
}

inline void World::replace(std::size_t place, Duration after) {
  world_.after(after, [this, place] {
    if (!closing_) seat(place);
  });
}

/// A clean stop. When it has come to its end another takes the place.
inline void World::leave(std::size_t place) {
  seats_[place].leaving = true;
  seats_[place].consumer->stop();
}

inline void World::watch() {
  world_.after(look_interval, [this] {
    look();
    if (!closing_ || std::any_of(seats_.begin(), seats_.end(), [](const Seat& s) { return s.consumer != nullptr; }))
      watch();
  });
}

inline void World::look() {
  for (std::size_t place = 0; place < seats_.size(); ++place) {
    Seat& seat = seats_[place];
    if (seat.consumer == nullptr) continue;
    const std::size_t max_held = schedule_.consumers[place].run.max_held;
    if (seat.consumer->machine().held() > (max_held > 0 ? max_held : schedule_.consumers[place].run.workers * 10))
      auditor_.violate("bounded", "consumer " + std::to_string(seat.id) + " holds too much");
    if (!seat.leaving || !seat.consumer->is_finished()) continue;
    if (const auto& error = seat.consumer->machine().report().error)
      auditor_.violate("no-error-ends-it", error->describe());
    if (seat.consumer->machine().held() > 0 && seat.consumer->machine().report().abandoned.empty() &&
        seat.consumer->machine().report().unconfirmed.empty())
      auditor_.violate("memory-returns", "consumer " + std::to_string(seat.id) + " still holds something");
    if (!may_land_late()) auditor_.stopped(schedule_.queue(place), seat.consumer->machine().report(), world_.now());
    auditor_.crashed(seat.id);
    seat.consumer.reset();
    if (!closing_) replace(place, seconds(1 + world_.random().below(30)));
  }
  if (closing_) return;
  // What a producer has lost may still land.
  const Duration settled = publishing_ ? seconds(70) : seconds(0);
  if (to_send_ > 0 || to_happen_ > 0 || !is_done()) return quiet_since_.reset();
  if (!quiet_since_) quiet_since_ = world_.now().ticks;
  if (world_.now().ticks - *quiet_since_ < settled) return;
  closing_ = true;
  for (std::size_t place = 0; place < seats_.size(); ++place)
    if (seats_[place].consumer != nullptr) leave(place);
}

/// Then an extension that its consumer gave up may hide a message again after it was given back.
inline bool World::may_land_late() const {
  const auto& struck = network_.struck();
  for (const NetworkFault fault : {NetworkFault::half_close, NetworkFault::delay, NetworkFault::resend})
    if (struck[static_cast<std::size_t>(fault)] > 0) return true;
  return false;
}

inline bool World::is_done() const {
  if (publishing_ && !publishing_->idle()) return false;
  for (std::size_t i = 0; i < schedule_.queues(); ++i)
    if (!cloud_.messages(schedule_.queue(i)).empty()) return false;
  return true;
}

inline void World::hear(const dmq::Event& event) noexcept {
  if (event.kind == dmq::EventKind::acknowledged || event.kind == dmq::EventKind::discarded) {
    auditor_.confirmed(std::string(event.message_id));
    ++outcome_.done;
  }
  if (event.kind >= dmq::EventKind::received)
    world_.tell([&] {
      return "  " + std::string(to_string(event.kind)) + " " + std::string(event.group) + " " +
             std::string(event.message_id.substr(0, 8)) + (event.error ? " " + event.error->describe() : "");
    });
}

/// Consumers alone.
struct Profile {
  using Schedule = consume::Schedule;
  using World = consume::World;
  static constexpr auto& events = events_of_consumers;
  static constexpr auto& rules = dmq::engine::consume_rules;
  static constexpr const char* done = "done";
  static Schedule draw(std::uint64_t seed) { return consume::draw(seed, false); }
};

/// Producers and consumers together.
struct FullProfile {
  using Schedule = consume::Schedule;
  using World = consume::World;
  static constexpr auto& events = all_events;
  static constexpr auto& rules = dmq::engine::consume_rules;
  static constexpr const char* done = "done";
  static Schedule draw(std::uint64_t seed) { return consume::draw(seed, true); }
};

}  // namespace sim::consume
