#pragma once

#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <bench/consume.hpp>
#include <bench/exchanges.hpp>
#include <bench/floor.hpp>
#include <bench/measure.hpp>
#include <bench/options.hpp>
#include <bench/recorder.hpp>
#include <bench/report.hpp>
#include <bench/submit.hpp>
#include <dmq/dmq.hpp>

/// latency: publish() to local_cloud at a fixed rate, against the floor. Each request has a time at which it is due,
/// whatever became of those before it, and its latency is counted from then: a stall counts for all that it held up.
namespace bench {

namespace detail {

/// `n` messages of as many groups as `options` tells.
inline std::vector<dmq::Message> latency_messages(std::size_t n, const Options& options) {
  std::vector<dmq::Message> messages;
  for (std::size_t i = 0; i < n; ++i) messages.push_back(plain_message(i % options.groups));
  return messages;
}

/// The bytes of as many publishes, signed now: local_cloud accepts them for five minutes, as SQS does. Each has a
/// deduplication id of its own, so that the server stores each message, as it does those of the library.
inline std::vector<FloorRequest> latency_requests(std::size_t n, const Options& options) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  auto producer = dmq::make_producer(local_cloud_options(options.url), Recorder(recording)).value();
  for (dmq::Message& message : latency_messages(n, options)) must(producer.publish(std::move(message)));
  return {recording->begin(), recording->end()};
}

/// Calls `send(i)` for each i from `first` to `end`, due `1 / rate` s apart, and adds the latencies in µs.
template <class Send>
void send_on_time(std::size_t first, std::size_t end, double rate, std::vector<double>& latencies, Send send) {
  const auto start = SteadyClock::now() + std::chrono::milliseconds(1);
  for (std::size_t i = first; i < end; ++i) {
    const std::chrono::duration<double> after(static_cast<double>(i - first) / rate);
    const auto due = start + std::chrono::duration_cast<SteadyClock::duration>(after);
    std::this_thread::sleep_until(due);
    send(i);
    latencies.push_back(microseconds(SteadyClock::now() - due));
  }
}

inline void percentiles(Report& report, const std::string& prefix, const std::vector<double>& latencies) {
  report.field(prefix + "p50_us", quantile(latencies, 0.5))
      .field(prefix + "p90_us", quantile(latencies, 0.9))
      .field(prefix + "p99_us", quantile(latencies, 0.99))
      .field(prefix + "p99.9_us", quantile(latencies, 0.999))
      .field(prefix + "max_us", quantile(latencies, 1));
}

}  // namespace detail

/// n requests of each, on one thread, in turns of half a second; a round begins when the one before is answered.
inline int run_latency(const Options& options) {
  constexpr std::size_t warm_up = 200;
  prctl(PR_SET_TIMERSLACK, 1UL);  // Else Linux may wake the thread 50 µs late.
  const auto rate = static_cast<double>(options.rate);
  const std::size_t total = warm_up + options.n;
  std::vector<dmq::Message> messages = detail::latency_messages(total, options);
  const std::vector<FloorRequest> requests = detail::latency_requests(total, options);
  auto producer = dmq::make_producer(detail::local_cloud_options(options.url)).value();
  FloorLoop loop;
  std::vector<double> ours;
  std::vector<double> floor;
  const auto round = [&](bool is_floor, std::size_t first, std::size_t end) {
    if (is_floor)
      detail::send_on_time(first, end, rate, floor, [&](std::size_t i) { loop.send(requests[i], 1, true); });
    else
      detail::send_on_time(first, end, rate, ours,
                           [&](std::size_t i) { detail::must(producer.publish(std::move(messages[i]))); });
  };
  for (const bool is_floor : {true, false}) round(is_floor, 0, warm_up);
  ours.clear();
  floor.clear();
  const std::size_t a_round = std::max<std::size_t>(1, options.rate / 2);
  bool floor_first = true;
  for (std::size_t first = warm_up; first < total; first += a_round, floor_first = !floor_first)
    for (const bool is_floor : {floor_first, !floor_first}) round(is_floor, first, std::min(first + a_round, total));
  Report report("latency", options.n);
  report.count("rate", options.rate);
  detail::percentiles(report, "", ours);
  detail::percentiles(report, "floor_", floor);
  return report.print();
}

}  // namespace bench
