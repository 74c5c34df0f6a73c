#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <support/producers.hpp>

using dmq::Delivery;
using dmq::Disposition;
using dmq::ErrorKind;
using dmq::Lease;
using dmq::SystemClock;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A cloud with messages m0, m1, ... in turn in each of the groups g0, g1, ...
struct Filled : support::Cloud<SystemClock> {
  Filled(int messages, int groups) {
    auto producer = support::direct_producer(transport);
    for (int i = 0; i < messages; ++i)
      REQUIRE(producer.submit({.body = std::to_string(i), .group = "g" + std::to_string(i % groups)}, [](auto&&) {}));
    REQUIRE(producer.close(seconds(60)).accepted == static_cast<std::uint64_t>(messages));
  }
};

/// What handlers were given, in order.
class Log {
 public:
  /// How many there are with this one.
  std::size_t add(const Delivery& delivery) {
    const std::lock_guard lock(mutex_);
    bodies_[delivery.group].push_back(std::stoi(delivery.body));
    return ++count_;
  }
  std::map<std::string, std::vector<int>> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<int>> bodies_;
  std::size_t count_ = 0;
};

}  // namespace

TEST_CASE("run handles every message once and in order in its group, and deletes it") {
  Filled cloud(100, 7);
  auto consumer = support::consumer(cloud.transport);
  std::stop_source stop;
  Log log;
  const dmq::RunReport report = consumer.run(
      [&](const Delivery& delivery) {
        if (log.add(delivery) == 100) stop.request_stop();
      },
      stop.get_token());
  CHECK_FALSE(report.error);
  CHECK(report.handled == 100);
  CHECK(report.received == 100);
  for (const auto& [group, bodies] : log.bodies()) CHECK(std::is_sorted(bodies.begin(), bodies.end()));
  CHECK(log.bodies().size() == 7);
  CHECK(cloud.messages().empty());
}

TEST_CASE("a handler that throws gets its message again before any later one of its group") {
  Filled cloud(10, 2);
  auto consumer = support::consumer(cloud.transport);
  std::stop_source stop;
  Log log;
  std::atomic<bool> failed = false;
  const dmq::RunReport report = consumer.run(
      [&](const Delivery& delivery) {
        const std::size_t count = log.add(delivery);
        if (delivery.body == "4" && !failed.exchange(true)) throw std::runtime_error("not now");
        if (count == 11) stop.request_stop();
      },
      stop.get_token());
  CHECK(report.handled == 10);
  CHECK(report.retried == 1);
  CHECK(log.bodies()["g0"] == std::vector<int>{0, 2, 4, 4, 6, 8});
  CHECK(log.bodies()["g1"] == std::vector<int>{1, 3, 5, 7, 9});
}
