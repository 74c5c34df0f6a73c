#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <bench/canned.hpp>
#include <bench/exchanges.hpp>
#include <bench/measure.hpp>
#include <bench/options.hpp>
#include <bench/report.hpp>
#include <dmq/dmq.hpp>

/// consume: Consumer::run with a handler that does nothing, on a queue of local_cloud that is filled before.
namespace bench {

namespace detail {

/// The queue, the key and the region that local_cloud has when it is not told otherwise.
inline dmq::QueueOptions local_cloud_options(const std::string& origin) {
  dmq::QueueOptions options;
  options.queue_url = origin + "/000000000000/dmq.fifo";
  options.region = "us-east-1";
  options.endpoint = origin;
  options.credentials = {.access_key_id = "AKIALOCALCLOUD000000",
                         .secret_access_key = dmq::Secret("local-cloud-secret-key")};
  return options;
}

/// libcurl's, with the requests counted that a run sends.
class CountingTransport : public dmq::http::CurlTransport {
 public:
  explicit CountingTransport(std::shared_ptr<std::size_t> requests) : requests_(std::move(requests)) {}

  class Async : public dmq::http::CurlAsync {
   public:
    explicit Async(std::shared_ptr<std::size_t> requests) : requests_(std::move(requests)) {}
    void start(std::uint64_t id, dmq::http::Request&& request) {
      ++*requests_;
      dmq::http::CurlAsync::start(id, std::move(request));
    }

   private:
    std::shared_ptr<std::size_t> requests_;
  };
  Async open_async() const { return Async(requests_); }

 private:
  std::shared_ptr<std::size_t> requests_;
};

inline void fill(const dmq::QueueOptions& options, std::size_t messages, std::size_t groups) {
  auto producer = dmq::make_producer(options).value();
  for (std::size_t sent = 0; sent < messages;) {
    std::vector<dmq::Message> batch;
    for (; sent < messages && batch.size() < 10; ++sent) batch.push_back(plain_message(sent % groups));
    for (dmq::PublishResult& result : producer.publish_batch(std::move(batch))) must(std::move(result));
  }
}

/// Of the whole process: a run has threads. Allocations are counted by thread, and `elsewhere` are the workers'.
template <class Work>
Cost process_cost_of(Work work, const std::atomic<std::size_t>& elsewhere) {
  const double cpu_before = clock_us(CLOCK_PROCESS_CPUTIME_ID);
  Cost cost = cost_of(std::move(work));
  cost.cpu_us = clock_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_before;
  cost.allocations += static_cast<double>(elsewhere.load());
  return cost;
}

}  // namespace detail

/// Until the last message is handled, and its delete and all others are confirmed.
inline int run_consume(const Options& options) {
  dmq::QueueOptions queue = detail::local_cloud_options(options.url);
  queue.consume.run.workers = options.workers;
  detail::fill(queue, options.n, options.groups);
  const auto requests = std::make_shared<std::size_t>(0);
  auto consumer = dmq::make_consumer(queue, detail::CountingTransport(requests)).value();
  std::stop_source done;
  std::atomic<std::size_t> left = options.n;
  std::atomic<std::size_t> worker_allocations = 0;
  dmq::RunReport report;
  const Cost cost = detail::process_cost_of(
      [&] {
        const auto handler = [&](const dmq::Delivery&) {
          static thread_local std::size_t counted = 0;
          worker_allocations += allocations - std::exchange(counted, allocations);
          if (left.fetch_sub(1) == 1) done.request_stop();
        };
        report = consumer.run(handler, done.get_token());
      },
      worker_allocations);
  if (report.error) return std::fprintf(stderr, "%s\n", report.error->describe().c_str()), 2;
  if (report.handled < options.n || report.lost > 0)
    return std::fprintf(stderr, "of %zu messages %llu were handled, and %llu lost\n", options.n,
                        static_cast<unsigned long long>(report.handled), static_cast<unsigned long long>(report.lost)),
           2;
  return Report("consume", options.n)
      .cost(cost, *requests, report.handled)
      .count("groups", options.groups)
      .count("workers", options.workers)
      .count("requests", *requests)
      .print();
}

}  // namespace bench
