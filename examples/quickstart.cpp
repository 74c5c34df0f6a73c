// The whole way in one process: three producers log in, publish 300 messages in six groups through a gateway, and a
// consumer takes them from a FIFO queue. The cloud is a model in memory; nothing leaves this machine.

#include <dmq/dmq.hpp>
#include <dmq/testing/cloud_host.hpp>

#include <atomic>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "command_line.hpp"

using Host = dmq::testing::CloudHost<dmq::SystemClock>;
using Transport = dmq::testing::CloudTransport<dmq::SystemClock>;

constexpr int producers = 3, groups_each = 2, messages_each = 100, total = producers * messages_each;

/// What came out, told by the bodies: each is the message's number in its group.
struct Tally {
  std::map<std::string, std::set<int>> seen{};
  int delivered = 0, disordered = 0, duplicated = 0;

  void add(const dmq::Delivery& delivery) {
    const int number = std::stoi(delivery.body);
    std::set<int>& numbers = seen[delivery.group];
    if (!numbers.empty() && number < *numbers.rbegin()) ++disordered;
    if (!numbers.insert(number).second) ++duplicated;
    ++delivered;
  }
};

/// A cloud with an app client for each producer; its environment is theirs, but for the client.
dmq::testing::LocalCloudOptions cloud_options() {
  dmq::testing::LocalCloudOptions options{.started = dmq::instant(dmq::SystemClock())};
  options.clients.clear();
  for (int i = 0; i < producers; ++i)
    options.clients.push_back({.id = "producer-" + std::to_string(i), .secret = "secret-" + std::to_string(i)});
  return options;
}

void publish(int index, dmq::Environment::Values environment, Transport transport, std::atomic<int>& accepted) {
  environment["COGNITO_CLIENT_ID"] = "producer-" + std::to_string(index);
  environment["COGNITO_CLIENT_SECRET"] = "secret-" + std::to_string(index);
  const auto options = dmq::GatewayOptions::from_env(dmq::Environment::of(environment)).value();
  auto producer = dmq::make_producer(options, std::move(transport)).value();
  for (int i = 0; i < messages_each; ++i) {
    const int group = index * groups_each + i % groups_each;
    const auto receipt =
        producer.publish({.body = std::to_string(i / groups_each), .group = "group-" + std::to_string(group)});
    if (receipt)
      ++accepted;
    else
      std::fprintf(stderr, "%s\n", receipt.error().describe().c_str());
  }
}

int main(int argc, char** argv) {
  CommandLine arguments(argc, argv, "quickstart [--lose N]\nWith --lose the gateway lies about its N-th message.");
  const long lost = arguments.number("--lose", 0, 1, total);
  arguments.finish();

  const auto host = std::make_shared<Host>(dmq::testing::LocalCloud(cloud_options(), &dmq::json::simdjson_parse));
  std::atomic<long> published = 0;
  dmq::testing::CloudHooks hooks;
  hooks.before = [&](const dmq::http::Request& request) -> std::optional<dmq::Result<dmq::http::Response>> {
    if (!request.url.ends_with("/publish-queue") || ++published != lost) return std::nullopt;
    // A world of its own accepts the message, and is then forgotten.
    dmq::testing::LocalCloud elsewhere = host->with([](auto& cloud) { return cloud; });
    return std::get<dmq::http::Response>(elsewhere.handle(request, dmq::instant(dmq::SystemClock())));
  };
  const Transport transport(host, hooks);
  const auto pairs = host->with([](auto& cloud) { return cloud.environment("http://localhost"); });
  const dmq::Environment::Values environment(pairs.begin(), pairs.end());

  std::atomic<int> accepted = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < producers; ++i) threads.emplace_back([&, i] { publish(i, environment, transport, accepted); });

  Tally tally;
  const auto options = dmq::QueueOptions::from_env(dmq::Environment::of(environment)).value();
  auto consumer = dmq::make_consumer(options, transport).value();
  while (tally.delivered < total) {
    const auto deliveries = consumer.receive({.wait = std::chrono::seconds(1)}).value();
    if (deliveries.empty()) break;
    for (const dmq::Delivery& delivery : deliveries) {
      tally.add(delivery);
      consumer.acknowledge(delivery).value();
    }
  }
  threads.clear();

  int distinct = 0;
  for (const auto& [group, numbers] : tally.seen) distinct += static_cast<int>(numbers.size());
  const auto tokens = static_cast<int>(host->with([](auto& cloud) { return cloud.token_requests(); }));
  std::printf("delivered %d of %d, %s in %zu groups, %d lost, %d duplicated, %d token requests\n", distinct, total,
              tally.disordered == 0 ? "in order" : "OUT OF ORDER", tally.seen.size(), accepted - distinct,
              tally.duplicated, tokens);
  return distinct == total && tally.disordered == 0 && tally.duplicated == 0 && tally.seen.size() == 6 && tokens == 3
             ? 0
             : 1;
}
