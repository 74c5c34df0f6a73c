#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/engine/rule.hpp>

#include "outcome.hpp"

namespace sim {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  bool story = false;
  unsigned threads = 1;
  std::optional<dmq::engine::Rule> broken{};
};

template <class Profile>
bool shows(const typename Profile::Schedule& schedule, const std::string& invariant) {
  for (const auto& violation : typename Profile::World(schedule).play().violations)
    if (violation.invariant == invariant) return true;
  return false;
}

/// Leaves out, one by one, whatever the violation does not need.
template <class Profile, class List>
bool shrink(typename Profile::Schedule& schedule, List Profile::Schedule::* list, const std::string& invariant) {
  bool shrunk = false;
  for (std::size_t i = (schedule.*list).size(); i-- > 0;) {
    auto smaller = schedule;
    (smaller.*list).erase((smaller.*list).begin() + static_cast<std::ptrdiff_t>(i));
    if (!shows<Profile>(smaller, invariant)) continue;
    schedule = std::move(smaller);
    shrunk = true;
  }
  return shrunk;
}

template <class Profile>
void tell(std::uint64_t seed, const std::string& invariant) {
  typename Profile::Schedule schedule = Profile::draw(seed);
  for (bool shrunk = true; shrunk;) {
    shrunk = shrink<Profile>(schedule, &Profile::Schedule::happenings, invariant);
    shrunk = shrink<Profile>(schedule, &Profile::Schedule::faults, invariant) || shrunk;
    shrunk = shrink<Profile>(schedule, &Profile::Schedule::submissions, invariant) || shrunk;
  }
  std::printf("seed %llu, shrunk to %zu messages, %zu faults, %zu events:\n", static_cast<unsigned long long>(seed),
              schedule.submissions.size(), schedule.faults.size(), schedule.happenings.size());
  for (const auto& violation :
       typename Profile::World(schedule, [](const std::string& line) { std::printf("  %s\n", line.c_str()); })
           .play()
           .violations)
    std::printf("  VIOLATION %s: %s\n", violation.invariant.c_str(), violation.what.c_str());
}

template <class Profile>
class Campaign {
 public:
  explicit Campaign(const Arguments& arguments) : arguments_(arguments), next_(arguments.first) {}

  int run() {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < arguments_.threads; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    return report();
  }

 private:
  void work() {
    for (std::uint64_t seed = next_++; seed <= arguments_.last && !is_caught(); seed = next_++) {
      const typename Profile::Schedule schedule = Profile::draw(seed);
      const Outcome outcome = typename Profile::World(schedule).play();
      const std::lock_guard lock(mutex_);
      ++schedules_;
      for (std::size_t i = 0; i < faults_.size(); ++i) faults_[i] += outcome.faults[i];
      for (std::size_t i = 0; i < events_.size(); ++i) events_[i] += outcome.events[i];
      messages_ += outcome.messages;
      done_ += outcome.done;
      violations_ += outcome.violations.size();
      if (!outcome.violations.empty() && (!worst_ || seed < worst_->first))
        worst_.emplace(seed, outcome.violations.front().invariant);
    }
  }

  /// One violation is enough of a rule that is broken.
  bool is_caught() {
    const std::lock_guard lock(mutex_);
    return arguments_.broken && worst_;
  }

  /// Whether it was the broken rule that the violation showed.
  static bool passes_unbroken(std::uint64_t seed) {
    const std::optional<dmq::engine::Rule> broken = std::exchange(dmq::engine::broken_rule, std::nullopt);
    const bool passes = typename Profile::World(Profile::draw(seed)).play().violations.empty();
    dmq::engine::broken_rule = broken;
    return passes;
  }

  int report() {
    std::uint64_t struck = 0;
    bool never = false;
    const auto line = [&](std::string_view name, std::uint64_t count) {
      std::printf("%-14s %llu\n", std::string(name).c_str(), static_cast<unsigned long long>(count));
      struck += count;
      never = never || count == 0;
    };
    for (std::size_t i = 0; i < faults_.size(); ++i) line(dmq::testing::network_faults[i], faults_[i]);
    for (std::size_t i = 0; i < events_.size(); ++i) line(Profile::events[i], events_[i]);
    if (schedules_ > 0)
      std::printf("a schedule has %.1f messages, %.1f of them %s, and %.1f faults on average\n",
                  static_cast<double>(messages_) / static_cast<double>(schedules_),
                  static_cast<double>(done_) / static_cast<double>(schedules_), Profile::done,
                  static_cast<double>(struck) / static_cast<double>(schedules_));
    if (worst_) tell<Profile>(worst_->first, worst_->second);
    if (worst_ && arguments_.broken && passes_unbroken(worst_->first))
      std::printf("caught by %s; with the rule the schedule passes\n", worst_->second.c_str());
    const bool failed = violations_ > 0 || (never && schedules_ >= 1000);
    if (never && schedules_ >= 1000) std::printf("a kind of fault never struck\n");
    std::printf("%llu schedules, %llu violations\n", static_cast<unsigned long long>(schedules_),
                static_cast<unsigned long long>(violations_));
    return failed ? 1 : 0;
  }

  const Arguments& arguments_;
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  std::array<std::uint64_t, dmq::testing::network_faults.size()> faults_{};
  std::array<std::uint64_t, Profile::events.size()> events_{};
  std::uint64_t schedules_ = 0;
  std::uint64_t violations_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t done_ = 0;
  std::optional<std::pair<std::uint64_t, std::string>> worst_;
};

/// Plays one schedule and tells its story.
template <class Profile>
int story(std::uint64_t seed) {
  const typename Profile::Schedule schedule = Profile::draw(seed);
  const auto outcome =
      typename Profile::World(schedule, [](const std::string& line) { std::printf("%s\n", line.c_str()); }).play();
  for (const auto& violation : outcome.violations)
    std::printf("VIOLATION %s: %s\n", violation.invariant.c_str(), violation.what.c_str());
  std::printf("1 schedules, %zu violations\n", outcome.violations.size());
  return outcome.violations.empty() ? 0 : 1;
}

}  // namespace sim
