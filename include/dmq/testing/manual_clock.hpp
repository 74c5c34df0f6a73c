#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A Clock that stands still until a test moves it. Copies are one clock. All members may be called from any thread;
/// those that move time must not be called while holding a mutex that someone waits with.
class ManualClock {
 public:
  /// 2026-01-01T00:00:00Z, one hour after boot.
  static constexpr Instant default_start{WallTime(std::chrono::seconds(1'767'225'600)), Ticks(std::chrono::hours(1))};

  explicit ManualClock(Instant start = default_start) : state_(std::make_shared<State>()) { state_->now = start; }

  WallTime now() const { return read().wall; }
  Ticks ticks() const { return read().ticks; }
  bool sleep_for(Duration duration, std::stop_token stop) const;

  /// Moves both clocks forward and wakes whoever waited for that.
  void advance(Duration by) { set(read() + by); }
  /// Moves to `at`, whose ticks are not before the present ones.
  void set(Instant at);
  /// Moves wall time alone, in either direction, as when somebody sets the machine's clock.
  void jump_wall(Duration by);

  /// Blocks until at least `sleepers` threads wait for a later time.
  void block_until(std::size_t sleepers) const;
  /// Threads that wait for a later time.
  std::size_t sleepers() const;

  /// See dmq::wait_until.
  template <class Done>
  bool wait_until(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock, const std::stop_token& stop,
                  Ticks deadline, Done done) const;

 private:
  struct Sleeper {
    std::condition_variable_any* changed = nullptr;
    std::mutex* mutex = nullptr;
    Ticks deadline{};
    bool woken = false;
  };
  struct State {
    std::mutex mutex{};
    std::condition_variable arrived{};
    Instant now{};
    std::vector<Sleeper*> sleepers{};

    bool wake_due();
    std::size_t asleep() const;
  };

  Instant read() const {
    const std::lock_guard lock(state_->mutex);
    return state_->now;
  }
  void enter(Sleeper& sleeper) const;
  void leave(Sleeper& sleeper) const;

  std::shared_ptr<State> state_;
};

template <class Done>
bool ManualClock::wait_until(std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                             const std::stop_token& stop, Ticks deadline, Done done) const {
  Sleeper sleeper{&changed, lock.mutex(), deadline};
  enter(sleeper);
  changed.wait(lock, stop, [&] { return done() || ticks() >= deadline; });
  leave(sleeper);
  return done();
}

inline bool ManualClock::sleep_for(Duration duration, std::stop_token stop) const {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  const Ticks deadline = ticks() + duration;
  wait_until(never, lock, stop, deadline, [] { return false; });
  return ticks() >= deadline;
}

inline void ManualClock::set(Instant at) {
  std::unique_lock lock(state_->mutex);
  state_->now = at;
  while (!state_->wake_due()) {
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
}

inline void ManualClock::jump_wall(Duration by) {
  const std::lock_guard lock(state_->mutex);
  state_->now.wall += by;
}

inline void ManualClock::block_until(std::size_t sleepers) const {
  std::unique_lock lock(state_->mutex);
  state_->arrived.wait(lock, [&] { return state_->asleep() >= sleepers; });
}

inline std::size_t ManualClock::sleepers() const {
  const std::lock_guard lock(state_->mutex);
  return state_->asleep();
}

inline void ManualClock::enter(Sleeper& sleeper) const {
  const std::lock_guard lock(state_->mutex);
  sleeper.woken = sleeper.deadline <= state_->now.ticks;
  state_->sleepers.push_back(&sleeper);
  state_->arrived.notify_all();
}

inline void ManualClock::leave(Sleeper& sleeper) const {
  const std::lock_guard lock(state_->mutex);
  std::erase(state_->sleepers, &sleeper);
}

/// False when a sleeper's mutex was taken: it may be on its way into its wait, where a signal now would miss it. Only
/// a try_lock is safe, since sleepers lock their own mutex first and this one second.
inline bool ManualClock::State::wake_due() {
  bool all = true;
  for (Sleeper* sleeper : sleepers) {
    if (sleeper->woken || sleeper->deadline > now.ticks) continue;
    if (const std::unique_lock theirs(*sleeper->mutex, std::try_to_lock); theirs.owns_lock()) {
      sleeper->woken = true;
      sleeper->changed->notify_all();
    } else {
      all = false;
    }
  }
  return all;
}

inline std::size_t ManualClock::State::asleep() const {
  std::size_t count = 0;
  for (const Sleeper* sleeper : sleepers) count += sleeper->woken ? 0 : 1;
  return count;
}

static_assert(Clock<ManualClock>);

}  // namespace dmq::inline DMQ_ABI::testing
