#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <bench/floor.hpp>
#include <bench/measure.hpp>
#include <bench/options.hpp>
#include <bench/recorder.hpp>
#include <bench/report.hpp>
#include <dmq/dmq.hpp>

/// send, sendbatch, gateway, recvdel: calls of the library, against the floor with the same bytes. In one process and
/// in turns, for separate runs differ by more than what is to be seen.
namespace bench {

/// One call, made by the library and by the floor.
struct Exchanges {
  std::size_t requests = 1;  ///< Of one call.
  std::size_t messages = 1;
  double budget = 0;                               ///< The library's CPU time as a multiple of the floor's.
  std::function<void(std::size_t calls)> ready{};  ///< Makes what the program itself would bring to its calls.
  std::function<void()> call{};
  std::function<void()> floor{};
};

namespace detail {

template <class T, class E>
T must(dmq::Result<T, E> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().describe().c_str());
  std::exit(2);
}

inline dmq::Message plain_message(std::size_t number = 0) {
  return {.body = message_body(), .group = "group-" + std::to_string(number)};
}

/// publish() of one message.
template <class ProducerType>
Exchanges publishing(ProducerType producer, const dmq::http::Request& same, bool is_signed, double budget) {
  struct State {
    ProducerType producer;
    FloorRequest request;
    FloorLoop loop{};
    std::vector<dmq::Message> messages{};
  };
  auto state = std::make_shared<State>(std::move(producer), FloorRequest(same));
  return {.budget = budget,
          .ready = [state](std::size_t calls) { state->messages.assign(calls, plain_message()); },
          .call =
              [state] {
                dmq::Message message = std::move(state->messages.back());
                state->messages.pop_back();
                must(state->producer.publish(std::move(message)));
              },
          .floor = [state, is_signed] { state->loop.send(state->request, 1, is_signed); }};
}

inline Exchanges send(const std::string& url) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  must(dmq::make_producer(queue_options(url), Recorder(recording)).value().publish(plain_message()));
  return publishing(dmq::make_producer(queue_options(url)).value(), recording->back(), true, 1.10);
}

inline Exchanges gateway(const std::string& url) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  must(dmq::make_producer(gateway_options(url), Recorder(recording)).value().publish(plain_message()));
  return publishing(dmq::make_producer(gateway_options(url)).value(), recording->back(), false, 1.05);
}

inline std::vector<dmq::Message> ten_messages() {
  std::vector<dmq::Message> messages;
  for (std::size_t i = 0; i < 10; ++i) messages.push_back(plain_message(i));
  return messages;
}

inline Exchanges send_batch(const std::string& url) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  dmq::make_producer(queue_options(url), Recorder(recording)).value().publish_batch(ten_messages());
  struct State {
    dmq::QueueProducer<> producer;
    FloorRequest request;
    FloorLoop loop{};
    std::vector<std::vector<dmq::Message>> batches{};
  };
  auto state = std::make_shared<State>(dmq::make_producer(queue_options(url)).value(), FloorRequest(recording->back()));
  return {.messages = 10,
          .budget = 1.20,
          .ready = [state](std::size_t calls) { state->batches.assign(calls, ten_messages()); },
          .call =
              [state] {
                auto results = state->producer.publish_batch(std::move(state->batches.back()));
                state->batches.pop_back();
                for (dmq::PublishResult& result : results) must(std::move(result));
              },
          .floor = [state] { state->loop.send(state->request, 10, true); }};
}

template <class ConsumerType>
void receive_and_delete(ConsumerType& consumer) {
  const std::vector<dmq::Delivery> deliveries =
      must(consumer.receive({.max_messages = 10, .wait = std::chrono::seconds(0)}));
  for (const dmq::Result<void>& deleted : consumer.acknowledge(deliveries)) deleted.value();
}

inline Exchanges receive_delete(const std::string& url) {
  const auto recording = std::make_shared<std::vector<dmq::http::Request>>();
  auto recorded = dmq::make_consumer(queue_options(url), Recorder(recording)).value();
  receive_and_delete(recorded);
  struct State {
    dmq::QueueConsumer<> consumer;
    FloorRequest receive;
    FloorRequest remove;
    FloorLoop loop{};
  };
  auto state = std::make_shared<State>(dmq::make_consumer(queue_options(url)).value(), FloorRequest(recording->at(0)),
                                       FloorRequest(recording->at(1)));
  return {.requests = 2,
          .messages = 10,
          .budget = 1.20,
          .ready = [](std::size_t) {},
          .call = [state] { receive_and_delete(state->consumer); },
          .floor =
              [state] {
                state->loop.send(state->receive, 10, true);
                state->loop.send(state->remove, 0, true);
              }};
}

inline Cost round_of(const Exchanges& exchanges, std::size_t calls, bool floor) {
  if (!floor) exchanges.ready(calls);
  const std::function<void()>& call = floor ? exchanges.floor : exchanges.call;
  return cost_of([&] {
    for (std::size_t i = 0; i < calls; ++i) call();
  });
}

}  // namespace detail

/// By the operation's name; without a call when there is none of that name.
inline Exchanges exchanges_of(std::string_view operation, const std::string& url) {
  if (operation == "send") return detail::send(url);
  if (operation == "gateway") return detail::gateway(url);
  if (operation == "sendbatch") return detail::send_batch(url);
  if (operation == "recvdel") return detail::receive_delete(url);
  return {};
}

/// Rounds of 200 requests, of the floor and of the library in turns; the ratios are those of each pair of rounds.
inline int run_exchanges(std::string_view operation, const Exchanges& exchanges, const Options& options) {
  const std::size_t calls = std::max<std::size_t>(1, 200 / exchanges.requests);
  const std::size_t rounds = std::max<std::size_t>(5, options.n / (calls * exchanges.requests));
  const std::size_t total = rounds * calls;
  std::vector<double> ratios;
  Cost ours;
  Cost floor;
  for (const bool is_floor : {true, false}) detail::round_of(exchanges, calls, is_floor);
  for (std::size_t round = 0; round < rounds; ++round) {
    const bool floor_first = round % 2 == 0;
    const Cost first = detail::round_of(exchanges, calls, floor_first);
    const Cost second = detail::round_of(exchanges, calls, !floor_first);
    ours += floor_first ? second : first;
    floor += floor_first ? first : second;
    ratios.push_back(floor_first ? second.cpu_us / first.cpu_us : first.cpu_us / second.cpu_us);
  }
  const auto requests = static_cast<double>(total * exchanges.requests);
  Report report(operation, total * exchanges.requests);
  report.cost(ours, total * exchanges.requests, total * exchanges.messages)
      .field("floor_cpu_us_per_request", floor.cpu_us / requests)
      .field("floor_allocations_per_request", floor.allocations / requests)
      .at_most("cpu_ratio", median(ratios), exchanges.budget)
      .field("cpu_ratio_p10", quantile(ratios, 0.1))
      .field("cpu_ratio_p90", quantile(ratios, 0.9));
  if (operation == "send")
    report.at_most("allocations_beyond_floor", (ours.allocations - floor.allocations) / requests, 12);
  return report.print();
}

/// The floor alone.
inline int run_floor(std::string_view operation, const Exchanges& exchanges, const Options& options) {
  const std::size_t calls = std::max<std::size_t>(1, options.n / exchanges.requests);
  detail::round_of(exchanges, 100, true);
  return Report(operation, calls * exchanges.requests)
      .cost(detail::round_of(exchanges, calls, true), calls * exchanges.requests, calls * exchanges.messages)
      .print();
}

}  // namespace bench
