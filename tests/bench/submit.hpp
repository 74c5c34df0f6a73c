#pragma once

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <bench/canned.hpp>
#include <bench/held_transport.hpp>
#include <bench/measure.hpp>
#include <bench/options.hpp>
#include <bench/report.hpp>
#include <dmq/core/random.hpp>
#include <dmq/dmq.hpp>

/// submit: what handing one message over costs. Nothing is answered, so nothing but the call itself takes place.
namespace bench {

namespace detail {

constexpr std::size_t submits_a_round = 100'000;

inline auto held_producer(std::shared_ptr<Hold> hold, std::size_t max_in_flight) {
  dmq::QueueOptions options = queue_options("http://127.0.0.1:1");
  options.publish.submit.max_in_flight = max_in_flight;
  options.publish.submit.max_messages = std::numeric_limits<std::size_t>::max();
  options.publish.submit.max_bytes = std::numeric_limits<std::size_t>::max();
  return dmq::make_producer(options, HeldTransport(std::move(hold))).value();
}

inline std::vector<dmq::Message> messages(std::size_t count, std::size_t groups, std::uint64_t seed) {
  dmq::Random random(seed);
  std::vector<dmq::Message> made(count);
  for (dmq::Message& message : made)
    message = {.body = message_body(), .group = "group-" + std::to_string(random.below(groups))};
  return made;
}

template <class ProducerType>
void submit(ProducerType& producer, dmq::Message&& message) {
  if (producer.submit(std::move(message), [](const dmq::PublishResult&) {})) return;
  std::fputs("a submission was refused\n", stderr);
  std::exit(2);
}

using SteadyClock = std::chrono::steady_clock;
inline double microseconds(SteadyClock::duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

/// What reading the clock twice shows when nothing is in between.
inline double clock_cost_us() {
  std::vector<double> samples(10'000);
  for (double& sample : samples) {
    const auto before = SteadyClock::now();
    sample = microseconds(SteadyClock::now() - before);
  }
  return median(std::move(samples));
}

/// Each call while the I/O thread waits for an answer and can send nothing: the only request is out.
inline Cost submit_round(std::size_t count, std::size_t groups, std::uint64_t seed, std::vector<double>& samples) {
  const auto hold = std::make_shared<Hold>();
  auto producer = held_producer(hold, 1);
  std::vector<dmq::Message> all = messages(count, groups, seed);
  submit(producer, {.body = message_body(), .group = "first"});
  submit(producer, {.body = message_body(), .group = "second"});
  hold->await_rest(1);
  return cost_of([&] {
    for (dmq::Message& message : all) {
      const auto before = SteadyClock::now();
      submit(producer, std::move(message));
      samples.push_back(microseconds(SteadyClock::now() - before));
    }
  });
}

/// Each call while the I/O thread sleeps and has to be woken for it.
inline std::vector<double> waking_submits(std::size_t count) {
  const auto hold = std::make_shared<Hold>();
  auto producer = held_producer(hold, count + 1);
  std::vector<double> samples;
  for (std::size_t i = 0; i <= count; ++i) {
    dmq::Message message{.body = message_body(), .group = "group-" + std::to_string(i)};
    const auto before = SteadyClock::now();
    submit(producer, std::move(message));
    if (i > 0) samples.push_back(microseconds(SteadyClock::now() - before));  // The first starts the thread.
    hold->await_rest(i + 1);
  }
  return samples;
}

}  // namespace detail

inline int run_submit(const Options& options) {
  // Memory that the kernel has to find and clear is not the library's: a round before those that count leaves enough.
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_MMAP_MAX, 0);
  std::vector<double> samples;
  samples.reserve(options.n + detail::submits_a_round);
  detail::submit_round(detail::submits_a_round, options.groups, options.n, samples);
  samples.clear();
  Cost cost;
  for (std::size_t done = 0; done < options.n; done += detail::submits_a_round)
    cost += detail::submit_round(std::min(detail::submits_a_round, options.n - done), options.groups, done, samples);
  const double clock = detail::clock_cost_us();
  return Report("submit", options.n)
      .cost(cost, options.n, options.n)
      .count("groups", options.groups)
      .field("clock_us", clock)
      .at_most("median_us", median(samples) - clock, 1.0)
      .field("p10_us", quantile(samples, 0.1) - clock)
      .field("p99_us", quantile(samples, 0.99) - clock)
      .field("waking_median_us", median(detail::waking_submits(500)) - clock)
      .print();
}

}  // namespace bench
