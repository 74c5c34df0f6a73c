// Runs the sums of tests/bench/SCALE.md at a tenth of the published quotas, in virtual time: dmq_scale
//
// The producers, consumers, tokens and retries are those of the library; Cognito, the gateway and the queue are
// LocalCloud's. Prints a table in Markdown: what was expected, what came out. Exits 1 when a figure is out of its
// bounds, or a message was lost, handled twice or out of order.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dmq/auth/bearer.hpp>
#include <dmq/auth/cognito.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/gateway/batch_route.hpp>
#include <dmq/gateway/publish_route.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/testing/simulated_consumer.hpp>
#include <dmq/testing/simulated_producer.hpp>

#include "outcome.hpp"

namespace {

using dmq::Duration;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A tenth of what AWS publishes. The burst of Cognito is not published: that of one second.
constexpr dmq::testing::RateLimit cognito_limit{.per_second = 15, .burst = 15};
constexpr dmq::testing::RateLimit gateway_limit{.per_second = 1000, .burst = 500};
constexpr seconds token_lifetime(300);     // The shortest that Cognito has.
constexpr double mean_way_s = 2 * 0.0305;  // There and back through SimulatedNetwork.

double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// The table that is printed.
class Table {
 public:
  static void head(const std::string& what) {
    std::printf("\n| %s | least | most | measured | |\n| --- | --- | --- | --- | --- |\n", what.c_str());
  }
  void row(const char* what, double least, double most, double measured) {
    const bool fits = least <= measured && measured <= most;
    std::printf("| %s | %s | %s | %s | %s |\n", what, number(least).c_str(), number(most).c_str(),
                number(measured).c_str(), fits ? "fits" : "**does not fit**");
    failed_ = failed_ || !fits;
  }
  bool failed() const noexcept { return failed_; }

 private:
  static std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, value < 100 && value != std::floor(value) ? "%.2f" : "%.0f", value);
    return text;
  }
  bool failed_ = false;
};

struct Load {
  std::size_t producers = 0;
  std::size_t groups = 0;  ///< Of each producer.
  Duration gap{};          ///< Between two messages of a producer.
  Duration lasts{};
  std::size_t consumers = 0;  ///< Without any, the queue keeps the messages.
  bool drain_first = false;   ///< Consumers begin when all messages are in the queue.
  Duration linger{};          ///< For a batch to fill.
};

/// What a network came to.
struct Measured {
  double first_accepted_s = 0;  ///< Until every producer had a message accepted.
  std::uint64_t token_requests = 0;
  std::uint64_t throttled_tokens = 0;
  std::uint64_t throttled_publishes = 0;
  std::uint64_t gateway_requests = 0;
  std::uint64_t early_token_requests = 0;  ///< Until every producer had its first,
  double first_token_s = 0;                ///< which took so long, with so many throttled.
  std::uint64_t early_throttled_tokens = 0;
  std::vector<double> token_intervals_s{};  ///< Between two tokens of one producer.
  std::uint64_t submitted = 0;
  std::uint64_t failed = 0;
  std::uint64_t accepted = 0;
  std::uint64_t accepted_meanwhile = 0;  ///< While messages were being submitted.
  double accepted_after_s = 0;           ///< When the last one was.
  double longest_publish_s = 0;          ///< Of those submitted when every producer had a token.
  std::uint64_t arrived = 0;             ///< In a handler or, without consumers, in the queue.
  std::uint64_t misplaced = 0;           ///< Behind a gap, twice, or too early.
  double drained_in_s = 0;               ///< From the first message at a handler to the last.
  bool ended = false;
};

/// Producers that start at once, each with a token of its own, a gateway, a queue, and consumers.
template <class Route>
class Network {
 public:
  Network(const Load& load, dmq::testing::LocalCloudOptions options)
      : load_(load),
        world_(1),
        cloud_(std::move(options), dmq::json::simdjson_parse),
        network_(world_, cloud_, dmq::json::simdjson_parse, {}) {
    for (std::size_t i = 0; i < load.producers; ++i) add_producer();
  }

  Measured run() {
    tick();
    if (!load_.drain_first) add_consumers();
    out_.ended = world_.run(start + std::chrono::hours(2));
    if (load_.consumers == 0)
      for (const auto& held : cloud_.messages("dmq.fifo"))
        arrive(std::string(held.content.group), std::string(held.content.body));
    out_.token_requests = cloud_.token_requests();
    out_.gateway_requests = cloud_.gateway_requests();
    return std::move(out_);
  }

 private:
  static constexpr dmq::Ticks start = dmq::testing::SimulatedClock::start.ticks;
  static constexpr Duration tick_interval = milliseconds(20);
  static constexpr Duration patience = seconds(1200);  ///< For what is left when no more is submitted.
  static constexpr Duration handler_takes = milliseconds(10);

  struct Ear {
    Network* network = nullptr;
    std::size_t producer = 0;
    void operator()(const dmq::Event& event) const noexcept { network->hear(producer, event); }
  };
  using Bearer = dmq::auth::Bearer<dmq::auth::cognito::ClientCredentials>;
  using Producer = dmq::testing::SimulatedProducer<Route, Bearer, Ear>;
  using Signer = dmq::auth::SigV4<dmq::auth::StaticCredentials>;
  using Consumer = dmq::testing::SimulatedConsumer<Signer>;

  struct Place {
    std::unique_ptr<Producer> producer{};
    Duration due{};  ///< When the next message is, counted from the start.
    std::uint64_t sent = 0;
    std::optional<double> token_at{};
    bool accepted = false;
  };

  double elapsed_s() const { return in_seconds(world_.now().ticks - start); }
  bool all_have_tokens() const { return with_token_ == places_.size(); }

  void add_producer() {
    dmq::PublishSettings settings;
    settings.new_id = [this] { return std::to_string(world_.random().next()); };
    settings.submit.linger = load_.linger;
    dmq::auth::cognito::ClientOptions client{.token_url = "http://localhost/oauth2/token",
                                             .client_id = "local-client",
                                             .client_secret = dmq::Secret("local-client-secret"),
                                             .scope = "dmq/publish"};
    Place place;
    place.producer = std::make_unique<Producer>(
        world_, network_, Route("http://localhost/v1/publish-queue", dmq::json::simdjson_parse),
        Bearer(dmq::auth::cognito::ClientCredentials(std::move(client), dmq::json::simdjson_parse)),
        std::move(settings), Ear{this, places_.size()});
    places_.push_back(std::move(place));
  }

  void add_consumers() {
    for (std::size_t i = 0; i < load_.consumers; ++i) {
      dmq::ConsumeSettings settings;
      settings.queue_url = "http://localhost/000000000000/dmq.fifo";
      settings.new_id = [this] { return std::to_string(world_.random().next()); };
      dmq::auth::Credentials credentials{.access_key_id = "AKIA", .secret_access_key = dmq::Secret("secret")};
      consumers_.push_back(std::make_unique<Consumer>(
          world_, network_, dmq::sqs::Wire("http://localhost", dmq::json::simdjson_parse),
          Signer(dmq::auth::StaticCredentials(std::move(credentials)), {.region = "us-east-1", .service = "sqs"}),
          std::move(settings),
          typename Consumer::Handling{[this](const dmq::engine::Claim& claim) {
                                        arrive(claim.delivery->group, claim.delivery->body);
                                        return typename Consumer::Work{.takes = handler_takes, .handled = {}};
                                      },
                                      [](const dmq::engine::Claim&, const dmq::engine::Handled&) {}}));
    }
  }

  /// Every producer sends its first message at the start, the others evenly spread.
  void tick() {
    const Duration now = world_.now().ticks - start;
    for (std::size_t i = 0; i < places_.size() && now < load_.lasts; ++i) {
      Place& place = places_[i];
      while (place.due <= now) {
        submit(i);
        place.due +=
            place.sent == 1 ? load_.gap * static_cast<int>(i + 1) / static_cast<int>(places_.size()) : load_.gap;
      }
    }
    const bool published = now >= load_.lasts && out_.accepted + out_.failed == out_.submitted;
    if (published && load_.drain_first && consumers_.empty()) add_consumers();
    const bool done = published && (load_.consumers == 0 || out_.arrived >= out_.accepted);
    if (!done && now < load_.lasts + patience) return world_.after(tick_interval, [this] { tick(); });
    for (const auto& consumer : consumers_) consumer->stop();
  }

  void submit(std::size_t index) {
    Place& place = places_[index];
    const std::string group = std::to_string(index) + "g" + std::to_string(place.sent++ % load_.groups);
    const double at = elapsed_s();
    const bool settled = all_have_tokens();
    ++out_.submitted;
    const auto taken = place.producer->submit({.body = std::to_string(submitted_[group]++), .group = group},
                                              [this, index, at, settled](const dmq::PublishResult& result) {
                                                on_published(places_[index], at, settled, result.has_value());
                                              });
    if (!taken) ++out_.failed;
  }

  void on_published(Place& place, double submitted_at, bool settled, bool accepted) {
    if (!accepted) {
      ++out_.failed;
      return;
    }
    ++out_.accepted;
    out_.accepted_after_s = elapsed_s();
    if (elapsed_s() <= in_seconds(load_.lasts)) ++out_.accepted_meanwhile;
    if (settled) out_.longest_publish_s = std::max(out_.longest_publish_s, elapsed_s() - submitted_at);
    if (!std::exchange(place.accepted, true)) out_.first_accepted_s = elapsed_s();
  }

  void hear(std::size_t index, const dmq::Event& event) noexcept {
    if (event.kind == dmq::EventKind::attempt_failed && event.http_status == 429)
      ++(event.operation == "token" ? out_.throttled_tokens : out_.throttled_publishes);
    if (event.kind != dmq::EventKind::value_fetched) return;
    Place& place = places_[index];
    if (place.token_at) out_.token_intervals_s.push_back(elapsed_s() - *place.token_at);
    if (!place.token_at && ++with_token_ == places_.size()) {
      out_.first_token_s = elapsed_s();
      out_.early_token_requests = cloud_.token_requests();
      out_.early_throttled_tokens = out_.throttled_tokens;
    }
    place.token_at = elapsed_s();
  }

  /// A group's messages are numbered from 0 on.
  void arrive(const std::string& group, const std::string& body) {
    if (out_.arrived++ == 0) first_arrived_s_ = elapsed_s();
    out_.drained_in_s = elapsed_s() - first_arrived_s_;
    if (body != std::to_string(arrived_[group]++)) ++out_.misplaced;
  }

  const Load& load_;
  dmq::testing::Simulation world_;
  dmq::testing::LocalCloud cloud_;
  dmq::testing::SimulatedNetwork network_;
  std::vector<Place> places_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::map<std::string, int> submitted_;  ///< By group,
  std::map<std::string, int> arrived_;
  std::size_t with_token_ = 0;
  double first_arrived_s_ = 0;
  Measured out_;
};

dmq::testing::LocalCloudOptions cloud_options() {
  dmq::testing::LocalCloudOptions options{
      .access_keys = {}, .signing_key = sim::signing_key(), .started = dmq::testing::SimulatedClock::start};
  options.clients.front().token_lifetime = token_lifetime;
  options.gateway.authorizer.cache_lifetime = seconds(300);  // As on AWS if nothing is set.
  return options;
}

template <class Route>
Measured run(Load load, bool cognito_is_limited) {
  dmq::testing::LocalCloudOptions options = cloud_options();
  options.gateway.throttle = gateway_limit;
  if (cognito_is_limited) options.cognito.rate = cognito_limit;
  return Network<Route>(load, std::move(options)).run();
}

/// What holds of every network.
void sound(Table& table, const Measured& measured) {
  const auto submitted = static_cast<double>(measured.submitted);
  table.row("messages accepted", submitted, submitted, static_cast<double>(measured.accepted));
  table.row("messages that arrived", submitted, submitted, static_cast<double>(measured.arrived));
  table.row("out of order, twice or behind a gap", 0, 0, static_cast<double>(measured.misplaced));
  table.row("came to its end", 1, 1, measured.ended ? 1 : 0);
}

/// Producers that start at once: how long until all have a token.
void starts(Table& table, const Load& load, const Measured& measured) {
  const auto producers = static_cast<double>(load.producers);
  const double all_at_rate = producers / cognito_limit.per_second;
  const double soonest = (producers - static_cast<double>(cognito_limit.burst)) / cognito_limit.per_second;
  Table::head(std::to_string(load.producers) + " producers start at once, Cognito gives 15 tokens a second");
  table.row("seconds until all have a token", soonest, 2 * all_at_rate, measured.first_token_s);
  table.row("seconds until all have published", soonest, 2 * all_at_rate + 1, measured.first_accepted_s);
  const auto requests = static_cast<double>(measured.early_token_requests);
  table.row("token requests a producer until then", 1, 10, requests / producers);
  table.row("of them throttled, a producer", requests / producers - 1.05, requests / producers - 0.95,
            static_cast<double>(measured.early_throttled_tokens) / producers);
}

/// More of them, each with one message.
void crowd(Table& table) {
  const Load load{.producers = 900, .groups = 1, .gap = seconds(20), .lasts = milliseconds(10)};
  const Measured measured = run<dmq::gateway::PublishRoute>(load, true);
  starts(table, load, measured);
  sound(table, measured);
}

/// Producers that then publish little for more than two lives of a token.
void tokens(Table& table) {
  const Load load{.producers = 240, .groups = 1, .gap = seconds(20), .lasts = seconds(800)};
  const Measured measured = run<dmq::gateway::PublishRoute>(load, true);
  starts(table, load, measured);
  const auto producers = static_cast<double>(load.producers);
  const double life = in_seconds(token_lifetime);
  const double gap = in_seconds(load.gap);
  double sum = 0;
  for (const double interval : measured.token_intervals_s) sum += interval;
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, measured.token_intervals_s.size()));
  table.row("tokens fetched after that", 2 * producers, 4 * producers,
            static_cast<double>(measured.token_intervals_s.size()));
  table.row("tokens a second after that", producers / (0.75 * life + gap), producers / (0.65 * life), producers / mean);
  table.row("token requests throttled after that", 0, 0.05 * producers,
            static_cast<double>(measured.throttled_tokens - measured.early_throttled_tokens));
  table.row("longest publish after that, s", 0.002, 0.5, measured.longest_publish_s);
  sound(table, measured);
}

/// Less than the gateway takes.
void below(Table& table) {
  const Load load{.producers = 20, .groups = 50, .gap = milliseconds(25), .lasts = seconds(8), .consumers = 8};
  const Measured measured = run<dmq::gateway::PublishRoute>(load, false);
  Table::head("20 producers publish 40 a second each, a message a request; 8 consumers");
  table.row("messages a second", 760, 840, static_cast<double>(measured.accepted_meanwhile) / in_seconds(load.lasts));
  table.row("publishes throttled", 0, 0, static_cast<double>(measured.throttled_publishes));
  table.row("longest publish, s", 0.002, 0.5, measured.longest_publish_s);
  sound(table, measured);
}

/// Half as much again as it takes.
void above(Table& table) {
  const Load load{.producers = 20, .groups = 50, .gap = Duration(seconds(1)) / 75, .lasts = seconds(8), .consumers = 8};
  const Measured measured = run<dmq::gateway::PublishRoute>(load, false);
  const auto burst = static_cast<double>(gateway_limit.burst);
  const auto submitted = static_cast<double>(measured.submitted);
  const double soonest = (submitted - burst) / gateway_limit.per_second;
  const double longest_pause = in_seconds(dmq::retry::Policy{}.cap);
  Table::head("20 producers publish 75 a second each, a message a request; 8 consumers");
  table.row("messages a second while they do", 0.9 * gateway_limit.per_second,
            gateway_limit.per_second + burst / in_seconds(load.lasts),
            static_cast<double>(measured.accepted_meanwhile) / in_seconds(load.lasts));
  table.row("publishes throttled", submitted / 10, submitted, static_cast<double>(measured.throttled_publishes));
  table.row("seconds until all are accepted", soonest, soonest + longest_pause, measured.accepted_after_s);
  sound(table, measured);
}

/// The same gateway, up to ten messages a request; and then the queue is emptied.
void batches(Table& table) {
  const Load load{.producers = 20,
                  .groups = 100,
                  .gap = milliseconds(8),
                  .lasts = seconds(5),
                  .consumers = 4,
                  .drain_first = true,
                  .linger = milliseconds(100)};
  const Measured measured = run<dmq::gateway::BatchRoute>(load, false);
  const double most_drained = static_cast<double>(load.consumers) * 10 / mean_way_s;
  Table::head("20 producers publish 125 a second each on the batch route; then 4 consumers empty the queue");
  table.row("messages a second", 2300, 2600, static_cast<double>(measured.accepted_meanwhile) / in_seconds(load.lasts));
  table.row("messages a request", 7.5, 10,
            static_cast<double>(measured.accepted) / static_cast<double>(measured.gateway_requests));
  table.row("publishes throttled", 0, 0, static_cast<double>(measured.throttled_publishes));
  table.row("messages a second out of the queue", 0.75 * most_drained, most_drained,
            static_cast<double>(measured.arrived) / std::max(1e-3, measured.drained_in_s));
  sound(table, measured);
}

}  // namespace

int main() {
  Table table;
  tokens(table);
  crowd(table);
  below(table);
  above(table);
  batches(table);
  std::printf("\n%s\n", table.failed() ? "some figures do not fit" : "all figures fit");
  return table.failed() ? 1 : 0;
}
