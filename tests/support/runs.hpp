#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <support/producers.hpp>

/// What tests of Consumer::run share.
namespace support {

/// A cloud with messages 0, 1, ... in turn in each of the groups g0, g1, ...
struct Filled : Cloud<dmq::SystemClock> {
  explicit Filled(int messages, int groups = 1, dmq::testing::CloudHooks hooks = {})
      : Cloud<dmq::SystemClock>(dmq::SystemClock(), std::move(hooks)) {
    auto producer = direct_producer(dmq::testing::CloudTransport<dmq::SystemClock>(host));
    for (int i = 0; i < messages; ++i)
      producer.submit({.body = std::to_string(i), .group = "g" + std::to_string(i % groups)}, [](auto&&) {}).value();
    producer.close(std::chrono::seconds(60));
  }

  std::uint64_t calls(std::string_view operation) const {
    return host->with([&](auto& cloud) { return cloud.calls(operation); });
  }
};

/// Settings whose back-offs do not keep a test waiting.
inline dmq::ConsumeSettings run_settings(dmq::RunSettings run = {}, std::string url = queue_url) {
  run.retry_base = run.retry_cap = dmq::Duration::zero();
  return {.queue_url = std::move(url), .new_id = dmq::crypto::RandomIds(), .run = run};
}

template <class Transport, class Clock = dmq::SystemClock, class Observer = dmq::NoObserver>
auto runner(Transport transport, dmq::ConsumeSettings settings = run_settings(), Observer observer = {},
            Clock clock = {}) {
  return dmq::Consumer(std::move(transport), dmq::sqs::Wire("http://localhost", parse), signer(), std::move(settings),
                       std::move(clock), std::move(observer));
}

/// What handlers were given, in order.
class HandledLog {
 public:
  /// How many there are with this one.
  std::size_t add(const dmq::Delivery& delivery) {
    const std::lock_guard lock(mutex_);
    bodies_[delivery.group].push_back(std::stoi(delivery.body));
    return ++count_;
  }
  std::map<std::string, std::vector<int>> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<int>> bodies_;
  std::size_t count_ = 0;
};

}  // namespace support
