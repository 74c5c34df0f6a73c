#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/random.hpp>
#include <dmq/testing/auditor.hpp>
#include <dmq/testing/network_fault.hpp>
#include <dmq/testing/rsa_key.hpp>
#include <dmq/testing/simulation.hpp>

namespace sim {

/// What came of a schedule.
struct Outcome {
  std::vector<dmq::testing::Violation> violations{};
  std::array<std::uint64_t, dmq::testing::network_faults.size()> faults{};  ///< How often each struck,
  std::vector<std::uint64_t> events{};                                      ///< and each event of the profile.
  std::uint64_t messages = 0;
  std::uint64_t done = 0;
};

/// The one key all schedules sign their tokens with: making one takes a tenth of a second.
inline const dmq::testing::RsaKey& signing_key() {
  static const dmq::testing::RsaKey key = dmq::testing::RsaKey::generate();
  return key;
}

/// A moment of a time that begins now.
inline dmq::Duration draw_moment(dmq::Random& random, dmq::Duration most) {
  return dmq::Duration(static_cast<dmq::Duration::rep>(random.uniform() * static_cast<double>(most.count())));
}

/// So many of them, in order.
inline std::vector<dmq::Duration> draw_moments(dmq::Random& random, std::size_t count, dmq::Duration most) {
  std::vector<dmq::Duration> moments;
  for (std::size_t i = 0; i < count; ++i) moments.push_back(draw_moment(random, most));
  std::sort(moments.begin(), moments.end());
  return moments;
}

/// Has a world tell its story, each line with the time since its beginning.
inline void tell_with_time(dmq::testing::Simulation& world, std::function<void(const std::string&)> trace) {
  world.trace = [&world, trace = std::move(trace)](const std::string& line) {
    const auto elapsed = world.now().ticks - dmq::testing::SimulatedClock::start.ticks;
    trace(std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(elapsed).count()) + " ms " + line);
  };
}

}  // namespace sim
