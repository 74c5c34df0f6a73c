// Moves a stream of messages through the queue that SQS_QUEUE_URL names, and serves what it counts in Prometheus's
// format on http://127.0.0.1:PORT/metrics, until SIGINT or SIGTERM.

#include <httplib.h>

#include <dmq/dmq.hpp>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "command_line.hpp"
#include "stop_on_signal.hpp"

namespace {

/// A round of messages, one in each group, ten times a second.
template <class Producer>
void publish(Producer& producer, long messages, const std::stop_token& stop) {
  constexpr long groups = 8;
  for (long i = 0; i < messages && !stop.stop_requested();) {
    std::vector<dmq::Message> round;
    for (; round.size() < groups && i < messages; ++i)
      round.push_back({.body = std::to_string(i), .group = "group-" + std::to_string(i % groups)});
    producer.publish_batch(std::move(round), stop);  // What fails is logged and counted.
    dmq::SystemClock().sleep_for(std::chrono::milliseconds(100), stop);
  }
}

/// Receives and deletes until stopped, and says so when all that are expected have come. False when it can't go on.
template <class Consumer>
bool consume(Consumer& consumer, long messages, const std::stop_token& stop) {
  for (long moved = 0; !stop.stop_requested();) {
    const auto deliveries = consumer.receive({.wait = std::chrono::seconds(20)}, stop);
    if (!deliveries) return deliveries.error().kind == dmq::ErrorKind::cancelled;
    for (const dmq::Result<void>& deleted : consumer.acknowledge(*deliveries)) {
      if (!deleted || ++moved != messages) continue;
      std::printf("moved %ld messages\n", moved);
      std::fflush(stdout);
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  StopOnSignal signals;
  CommandLine arguments(argc, argv, "metrics [--port 9400] [--messages N]");
  const int port = static_cast<int>(arguments.number("--port", 9400, 0, 65535));
  const long messages = arguments.number("--messages", 1'000'000'000, 1, 1'000'000'000);
  arguments.finish();

  const dmq::QueueOptions options = dmq::QueueOptions::from_env().value();
  const dmq::MetricsObserver metrics(options.queue_url.substr(options.queue_url.rfind('/') + 1));
  const auto observer = dmq::observers(metrics, dmq::LogObserver(stderr, dmq::Level::warning));
  auto producer = dmq::make_producer(options, observer).value();
  auto consumer = dmq::make_consumer(options, observer).value();

  httplib::Server server;
  server.new_task_queue = [] { return new httplib::ThreadPool(2); };
  server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
    response.set_content(metrics.prometheus(), dmq::metrics::content_type);
  });
  const int bound = port == 0                                ? server.bind_to_any_port("127.0.0.1")
                    : server.bind_to_port("127.0.0.1", port) ? port
                                                             : -1;
  if (bound < 0) return std::fprintf(stderr, "cannot listen on port %d\n", port), 1;
  std::printf("METRICS_URL=http://127.0.0.1:%d/metrics\nready\n", bound);
  std::fflush(stdout);

  std::jthread serving([&] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();  // A stop before that would be lost.
  std::jthread publishing([&] { publish(producer, messages, signals.token()); });
  const bool ok = consume(consumer, messages, signals.token());
  signals.stop();
  server.stop();

  const dmq::metrics::Snapshot seen = metrics.snapshot();
  const auto milliseconds = [&](double q) {
    return std::chrono::duration<double, std::milli>(seen.duration("send").quantile(q)).count();
  };
  std::fprintf(stderr, "sent %llu, received %llu; a send took %.1f ms (median), %.1f ms (99 %%)\n",
               static_cast<unsigned long long>(seen.sent_messages),
               static_cast<unsigned long long>(seen.consumed_messages), milliseconds(0.5), milliseconds(0.99));
  return ok ? 0 : 1;
} catch (const dmq::Exception& exception) {
  std::fprintf(stderr, "%s\n", exception.what());
  return 1;
}
