// The whole way in one process: three producers log in, publish 300 messages in six groups through a gateway, and a
// consumer takes them from a FIFO queue. The cloud is a model in memory; nothing leaves this machine.

#include <atomic>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <dmq/dmq.hpp>
#include <dmq/testing/cloud_host.hpp>

#include "command_line.hpp"

using Host = dmq::testing::CloudHost<dmq::SystemClock>;
using Transport = dmq::testing::CloudTransport<dmq::SystemClock>;

constexpr int producers = 3, groups = 6, messages_each = 100, total = producers * messages_each;

/// A cloud with an app client for each producer.
dmq::testing::LocalCloud make_cloud() {
  dmq::testing::LocalCloudOptions options{.clients = {}, .started = dmq::instant(dmq::SystemClock())};
  for (const char* id : {"0", "1", "2"}) options.clients.push_back({.id = id, .secret = "secret"});
  return {std::move(options), &dmq::json::simdjson_parse};
}

/// The gateway lies about the n-th message: a world of its own accepts it, and is then forgotten.
dmq::testing::CloudHooks lose(long n, std::shared_ptr<Host> host) {
  auto published = std::make_shared<std::atomic<long>>(0);
  return {.before = [=](const dmq::http::Request& request) -> std::optional<dmq::Result<dmq::http::Response>> {
    if (!request.url.ends_with("/publish-queue") || ++*published != n) return std::nullopt;
    dmq::testing::LocalCloud elsewhere = host->with([](auto& cloud) { return cloud; });
    return std::get<dmq::http::Response>(elsewhere.handle(request, dmq::instant(dmq::SystemClock())));
  }};
}

/// Publishes the numbers from 0 on in two groups, and counts those that the queue has accepted.
void publish(int index, dmq::Environment::Values environment, Transport transport, std::atomic<int>& accepted) {
  environment["COGNITO_CLIENT_ID"] = std::to_string(index);
  const auto options = dmq::GatewayOptions::from_env(dmq::Environment::of(environment)).value();
  auto producer = dmq::make_producer(options, std::move(transport)).value();
  for (int i = 0; i < messages_each; ++i) {
    const std::string group = "group-" + std::to_string(2 * index + i % 2);
    const auto receipt = producer.publish({.body = std::to_string(i / 2), .group = group});
    if (receipt)
      ++accepted;
    else
      std::fprintf(stderr, "%s\n", receipt.error().describe().c_str());
  }
}

int main(int argc, char** argv) {
  CommandLine arguments(argc, argv, "quickstart [--lose N]\nWith --lose the gateway lies about the N-th message.");
  const long lost = arguments.number("--lose", 0, 1, total);
  arguments.finish();

  const auto host = std::make_shared<Host>(make_cloud());
  const Transport transport(host, lose(lost, host));
  const auto pairs = host->with([](auto& cloud) { return cloud.environment("http://localhost"); });
  const dmq::Environment::Values environment(pairs.begin(), pairs.end());
  std::atomic<int> accepted = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < producers; ++i) threads.emplace_back([&, i] { publish(i, environment, transport, accepted); });

  std::map<std::string, std::vector<int>> seen;
  auto consumer =
      dmq::make_consumer(dmq::QueueOptions::from_env(dmq::Environment::of(environment)).value(), transport).value();
  for (int delivered = 0; delivered < total;) {
    const auto deliveries = consumer.receive({.wait = std::chrono::seconds(1)}).value();
    if (deliveries.empty()) break;
    for (const dmq::Delivery& delivery : deliveries) {
      seen[delivery.group].push_back(std::stoi(delivery.body));
      consumer.acknowledge(delivery).value();
      ++delivered;
    }
  }
  threads.clear();

  int distinct = 0, duplicated = 0;
  bool ordered = true;
  for (const auto& [group, numbers] : seen) {
    distinct += static_cast<int>(std::set(numbers.begin(), numbers.end()).size());
    duplicated += static_cast<int>(numbers.size());
    ordered = ordered && std::is_sorted(numbers.begin(), numbers.end());
  }
  duplicated -= distinct;
  const auto tokens = host->with([](auto& cloud) { return cloud.token_requests(); });
  std::printf("delivered %d of %d, %s in %zu groups, %d lost, %d duplicated, %d token requests\n", distinct, total,
              ordered ? "in order" : "out of order", seen.size(), accepted - distinct, duplicated,
              static_cast<int>(tokens));
  return distinct == total && ordered && seen.size() == groups && duplicated == 0 && tokens == producers ? 0 : 1;
}
