// Plays schedules of faults against the publishing engine and checks what submit() promises:
//
//     dmq_sim [--profile publish] --seeds A..B [--threads N] [--break RULE]
//     dmq_sim --seed X [--break RULE]      plays one schedule and tells its story
//     dmq_sim --break list                 names the rules that can be broken
//
// A broken rule ends the run at its first violation, and the same schedule is played with the rule, which has to pass.
//
// Prints how often each kind of fault struck, the first violation with the shortest schedule that shows it, and last
// "S schedules, V violations". Exits 1 when there was a violation, or when a kind of fault never struck in 1,000
// schedules or more; 2 for a wrong command line.
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "publish_profile.hpp"

namespace {

struct Arguments {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  bool story = false;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::optional<dmq::engine::Rule> broken{};
};

[[noreturn]] void usage(const std::string& why) {
  std::fprintf(stderr,
               "dmq_sim: %s\nusage: dmq_sim --seeds A..B | --seed X [--profile publish] [--threads N] [--break RULE]\n",
               why.c_str());
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) usage("not a number: " + std::string(text));
  return value;
}

dmq::engine::Rule rule(std::string_view name) {
  for (const auto& [rule, known] : dmq::engine::publish_rules)
    if (known == name) return rule;
  if (name != "list") usage("no such rule: " + std::string(name));
  for (const auto& [rule, known] : dmq::engine::publish_rules) std::printf("%s\n", std::string(known).c_str());
  std::exit(0);
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = values[i];
    if (i + 1 == count) usage("a value is missing behind " + std::string(name));
    const std::string_view value = values[i + 1];
    if (name == "--seed") {
      arguments.first = arguments.last = number(value);
      arguments.story = true;
    } else if (name == "--seeds") {
      const std::size_t dots = value.find("..");
      if (dots == std::string_view::npos) usage("seeds are given as A..B");
      arguments.first = number(value.substr(0, dots));
      arguments.last = number(value.substr(dots + 2));
    } else if (name == "--profile") {
      if (value != "publish") usage("no such profile: " + std::string(value));
    } else if (name == "--threads") {
      arguments.threads = static_cast<unsigned>(std::max<std::uint64_t>(1, number(value)));
    } else if (name == "--break") {
      arguments.broken = rule(value);
    } else {
      usage("unknown option " + std::string(name));
    }
  }
  if (arguments.last < arguments.first) usage("no seeds are given");
  return arguments;
}

bool shows(const sim::Schedule& schedule, const std::string& invariant) {
  for (const auto& violation : sim::World(schedule).play().violations)
    if (violation.invariant == invariant) return true;
  return false;
}

/// Leaves out, one by one, whatever the violation does not need.
template <class List>
bool shrink(sim::Schedule& schedule, List sim::Schedule::* list, const std::string& invariant) {
  bool shrunk = false;
  for (std::size_t i = (schedule.*list).size(); i-- > 0;) {
    sim::Schedule smaller = schedule;
    (smaller.*list).erase((smaller.*list).begin() + static_cast<std::ptrdiff_t>(i));
    if (!shows(smaller, invariant)) continue;
    schedule = std::move(smaller);
    shrunk = true;
  }
  return shrunk;
}

void tell(std::uint64_t seed, const std::string& invariant) {
  sim::Schedule schedule = sim::draw(seed);
  for (bool shrunk = true; shrunk;) {
    shrunk = shrink(schedule, &sim::Schedule::happenings, invariant);
    shrunk = shrink(schedule, &sim::Schedule::faults, invariant) || shrunk;
    shrunk = shrink(schedule, &sim::Schedule::submissions, invariant) || shrunk;
  }
  std::printf("seed %llu, shrunk to %zu messages, %zu faults, %zu events:\n", static_cast<unsigned long long>(seed),
              schedule.submissions.size(), schedule.faults.size(), schedule.happenings.size());
  for (const auto& violation :
       sim::World(schedule, [](const std::string& line) { std::printf("  %s\n", line.c_str()); }).play().violations)
    std::printf("  VIOLATION %s: %s\n", violation.invariant.c_str(), violation.what.c_str());
}

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
      const sim::Schedule schedule = sim::draw(seed);
      const sim::Outcome outcome = sim::World(schedule).play();
      const std::lock_guard lock(mutex_);
      ++schedules_;
      for (std::size_t i = 0; i < faults_.size(); ++i) faults_[i] += outcome.faults[i];
      for (std::size_t i = 0; i < events_.size(); ++i) events_[i] += outcome.events[i];
      messages_ += outcome.messages;
      accepted_ += outcome.accepted;
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
    const bool passes = sim::World(sim::draw(seed)).play().violations.empty();
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
    for (std::size_t i = 0; i < events_.size(); ++i) line(sim::event_names[i], events_[i]);
    if (schedules_ > 0)
      std::printf("a schedule has %.1f messages, %.1f of them accepted, and %.1f faults on average\n",
                  static_cast<double>(messages_) / static_cast<double>(schedules_),
                  static_cast<double>(accepted_) / static_cast<double>(schedules_),
                  static_cast<double>(struck) / static_cast<double>(schedules_));
    if (worst_) tell(worst_->first, worst_->second);
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
  std::array<std::uint64_t, sim::event_names.size()> events_{};
  std::uint64_t schedules_ = 0;
  std::uint64_t violations_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t accepted_ = 0;
  std::optional<std::pair<std::uint64_t, std::string>> worst_;
};

int story(std::uint64_t seed) {
  const sim::Schedule schedule = sim::draw(seed);
  const auto outcome = sim::World(schedule, [](const std::string& line) { std::printf("%s\n", line.c_str()); }).play();
  for (const auto& violation : outcome.violations)
    std::printf("VIOLATION %s: %s\n", violation.invariant.c_str(), violation.what.c_str());
  std::printf("1 schedules, %zu violations\n", outcome.violations.size());
  return outcome.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = parse(count, values);
  dmq::engine::broken_rule = arguments.broken;
  return arguments.story ? story(arguments.first) : Campaign(arguments).run();
}
