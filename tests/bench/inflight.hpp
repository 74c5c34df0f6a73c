#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <bench/exchanges.hpp>
#include <bench/floor.hpp>
#include <bench/measure.hpp>
#include <bench/options.hpp>
#include <bench/recorder.hpp>
#include <bench/report.hpp>
#include <dmq/dmq.hpp>

/// inflight: one thread with many exchanges at once, against one at a time with the same bytes, of the library and of
/// the floor.
namespace bench {

namespace detail {

constexpr double answer_after_us = 50'000;

inline dmq::http::Request signed_send(const std::string& url, const char* path) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  must(dmq::make_producer(queue_options(url), Recorder(recording)).value().publish(plain_message()));
  dmq::http::Request request = std::move(recording->back());
  request.url = url + path;
  return request;
}

inline void must_be_accepted(const dmq::Result<dmq::http::Response>& result) {
  if (result && result->status == 200) return;
  std::fprintf(stderr, "%s\n", result ? "the server refused a request" : result.error().describe().c_str());
  std::exit(2);
}

/// Keeps so many exchanges in flight until as many have ended as were asked for.
class Crowd {
 public:
  Crowd(std::size_t size, const dmq::http::Request& request) : async_({.max_connections = size}) {
    while (idle_.size() < size) idle_.push_back(request);
  }

  /// From a standing start: the first answers take the server's time, after which there is always one to come.
  void run(std::size_t exchanges) {
    std::size_t left = exchanges;
    std::size_t out = 0;
    while (left > 0 || out > 0) {
      for (; left > 0 && !idle_.empty(); --left, ++out) {
        async_.start(++last_id_, std::move(idle_.back()));
        idle_.pop_back();
      }
      async_.poll(completions_, std::chrono::seconds(1));
      for (dmq::http::Completion& completion : completions_) {
        must_be_accepted(completion.result);
        idle_.push_back(std::move(completion.request));
        --out;
      }
      completions_.clear();
    }
  }

 private:
  dmq::http::CurlAsync async_;
  std::vector<dmq::http::Request> idle_;
  std::vector<dmq::http::Completion> completions_;
  std::uint64_t last_id_ = 0;
};

}  // namespace detail

inline int run_inflight(const Options& options) {
  // A round takes 40 times as long as the server for an answer, in which it can answer 40 times what is in flight.
  const std::size_t answers = 40;
  const std::size_t exchanges = answers * options.in_flight;
  const std::size_t rounds = std::max<std::size_t>(5, options.n / exchanges);
  const std::size_t sends = 500;
  const std::size_t slow_sends = 20;
  const dmq::http::Request request = detail::signed_send(options.url, "/fast");
  const dmq::http::Request slow_request = detail::signed_send(options.url, "/slow");
  const FloorRequest floor_request(request);
  detail::Crowd crowd(options.in_flight, slow_request);
  dmq::http::CurlTransport blocking;
  FloorLoop floor;
  const auto send_all = [&] {
    for (std::size_t i = 0; i < sends; ++i) detail::must_be_accepted(blocking.send(request));
  };
  const auto send_slowly = [&] {
    for (std::size_t i = 0; i < slow_sends; ++i) detail::must_be_accepted(blocking.send(slow_request));
  };
  const auto floor_all = [&] {
    for (std::size_t i = 0; i < sends; ++i) floor.send(floor_request, 0, false);
  };
  crowd.run(exchanges);
  send_all();
  floor_all();
  Cost total;
  std::vector<double> parts;
  std::vector<double> ratios;
  std::vector<double> slow_ratios;
  std::vector<double> floor_ratios;
  const auto each = static_cast<double>(exchanges);
  const auto each_send = static_cast<double>(sends);
  for (std::size_t round = 0; round < rounds; ++round) {
    const Cost crowded = cost_of([&] { crowd.run(exchanges); });
    const double cpu = crowded.cpu_us / each;
    total += crowded;
    parts.push_back(static_cast<double>(answers) * detail::answer_after_us / crowded.wall_us);
    ratios.push_back(cpu / (cost_of(send_all).cpu_us / each_send));
    slow_ratios.push_back(cpu / (cost_of(send_slowly).cpu_us / static_cast<double>(slow_sends)));
    floor_ratios.push_back(cpu / (cost_of(floor_all).cpu_us / each_send));
  }
  return Report("inflight", rounds * exchanges)
      .cost(total, rounds * exchanges, rounds * exchanges)
      .count("in_flight", options.in_flight)
      .field("part_kept_waiting", total.waiting_us / total.wall_us)
      .at_least("part_of_possible", median(parts), 0.95)
      .field("part_of_possible_best", quantile(parts, 1))
      .at_most("cpu_ratio_to_blocking", median(ratios), 1.4)
      .field("cpu_ratio_p10", quantile(ratios, 0.1))
      .field("cpu_ratio_p90", quantile(ratios, 0.9))
      .field("cpu_ratio_to_blocking_slow", median(slow_ratios))
      .field("cpu_ratio_to_floor", median(floor_ratios))
      .print();
}

}  // namespace bench
