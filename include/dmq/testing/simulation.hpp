#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/random.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The time of a simulation: a Clock that stands still while anything happens. Copies are one clock. For one thread.
class SimulatedClock {
 public:
  /// 2026-01-01T00:00:00Z, one hour after boot.
  static constexpr Instant start{WallTime(std::chrono::seconds(1'767'225'600)), Ticks(std::chrono::hours(1))};

  WallTime now() const noexcept { return now_->wall; }
  Ticks ticks() const noexcept { return now_->ticks; }
  /// Nobody can sleep on the only thread there is: it takes no time.
  bool sleep_for(Duration, std::stop_token stop) const noexcept { return !stop.stop_requested(); }

 private:
  friend class Simulation;
  std::shared_ptr<Instant> now_ = std::make_shared<Instant>(start);
};

static_assert(Clock<SimulatedClock>);

/// Something of a simulation that acts by itself when its time comes, like a producer's loop.
class SimulatedPart {
 public:
  SimulatedPart() = default;
  SimulatedPart(const SimulatedPart&) = delete;
  SimulatedPart& operator=(const SimulatedPart&) = delete;
  virtual ~SimulatedPart() = default;
  /// Acts on what has happened until now.
  virtual void turn() = 0;
  /// When to be called should nothing else happen; Ticks::max() for never.
  virtual Ticks next_deadline() = 0;
};

/// A world on one thread and a virtual clock, whose every step follows from its seed: things that happen at their
/// times, and parts that act. To simulate one's own code, give it clock() for its time, at() for what happens to it,
/// and random() for every choice; what should act by itself is a SimulatedPart.
///
///     Simulation world(seed);
///     LocalCloud cloud = ...;                        // models take the time as an argument
///     SimulatedNetwork network(world, cloud, ...);   // with the faults of the schedule
///     SimulatedProducer producer(world, network, ...);
///     world.after(1s, [&] { producer.submit(...); });
///     world.run(Ticks::max());                       // until nothing is left to happen
class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {}

  SimulatedClock clock() const noexcept { return clock_; }
  Instant now() const noexcept { return *clock_.now_; }
  Random& random() noexcept { return random_; }
  /// Between both, which are included, evenly spread.
  Duration between(Duration least, Duration most) noexcept {
    return least +
           Duration(static_cast<Duration::rep>(random_.uniform() * static_cast<double>((most - least).count())));
  }

  void after(Duration delay, std::function<void()> what) {
    events_.push({now().ticks + delay, ++last_, std::move(what)});
  }

  void add(SimulatedPart& part) { parts_.push_back(&part); }
  void remove(SimulatedPart& part) { std::erase(parts_, &part); }

  /// Goes on until nothing more can happen (true), or the time is over, or time stands still since the parts never come
  /// to rest.
  bool run(Ticks end) {
    constexpr int most_rounds = 100'000;
    for (int rounds = 0; rounds < most_rounds; ++rounds) {
      std::size_t part_index = 0;  // A part may add others.
      while (part_index < parts_.size()) parts_[part_index++]->turn();
      Ticks next = events_.empty() ? Ticks::max() : events_.top().at;
      for (SimulatedPart* part : parts_) next = std::min(next, part->next_deadline());
      if (next == Ticks::max()) return true;
      if (next > end) return false;
      if (next > now().ticks) {
        *clock_.now_ = now() + (next - now().ticks);
        rounds = 0;
      }
      happen();
    }
    return false;
  }

  /// Where the story of a run is told, a line an event; nobody listens by default.
  std::function<void(const std::string&)> trace{};
  void tell(const std::function<std::string()>& line) const {
    if (trace) trace(line());
  }

 private:
  struct Happening {
    Ticks at{};
    std::uint64_t order = 0;  ///< What is due at one time comes in the order in which it was planned.
    std::function<void()> what{};

    bool operator<(const Happening& other) const { return std::pair(at, order) > std::pair(other.at, other.order); }
  };

  /// Everything that is due.
  void happen() {
    // Only what was planned before: an event may plan others for the same time.
    const std::uint64_t last = last_;
    while (!events_.empty() && events_.top().at <= now().ticks && events_.top().order <= last) {
      const std::function<void()> what = events_.top().what;
      events_.pop();
      what();
    }
  }

  SimulatedClock clock_;
  Random random_;
  std::priority_queue<Happening> events_;
  std::uint64_t last_ = 0;
  std::vector<SimulatedPart*> parts_;
};

}  // namespace dmq::inline DMQ_ABI::testing
