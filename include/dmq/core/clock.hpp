#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <utility>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI {

using Duration = std::chrono::nanoseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

/// Names the time base of Ticks: time since boot, sleep of the machine included.
struct BootTime {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<BootTime, Duration>;
  static constexpr bool is_steady = true;
};
using Ticks = BootTime::time_point;

/// One moment on both clocks. Ticks order events and measure waits; wall time goes into signatures and logs.
struct Instant {
  WallTime wall{};
  Ticks ticks{};

  friend constexpr bool operator==(const Instant&, const Instant&) = default;
  friend constexpr Instant operator+(Instant at, Duration by) { return {at.wall + by, at.ticks + by}; }
};

/// What the library asks of a clock. Calls may come from any thread.
/// - `now()`: wall time, UTC.
/// - `ticks()`: time since boot; never goes back, and goes on while the machine sleeps.
/// - `sleep_for(duration, stop)`: true when the whole duration passed, false as soon as a stop was requested.
/// A clock that does not follow real time also has `wait_until`, with the arguments of dmq::wait_until below.
template <class C>
concept Clock = requires(const C& clock, Duration duration, std::stop_token stop) {
  { clock.now() } -> std::convertible_to<WallTime>;
  { clock.ticks() } -> std::convertible_to<Ticks>;
  { clock.sleep_for(duration, stop) } -> std::same_as<bool>;
};

template <Clock C>
Instant instant(const C& clock) {
  return {clock.now(), clock.ticks()};
}

/// Waits on `changed` until `done()` holds (true), the deadline passes or a stop is requested (both: what done() says).
template <Clock C, class Done>
bool wait_until(const C& clock, std::condition_variable_any& changed, std::unique_lock<std::mutex>& lock,
                const std::stop_token& stop, Ticks deadline, Done done) {
  if constexpr (requires { clock.wait_until(changed, lock, stop, deadline, done); }) {
    return clock.wait_until(changed, lock, stop, deadline, done);
  } else {
    while (!done()) {
      const Ticks now = clock.ticks();
      if (now >= deadline || stop.stop_requested()) return false;
      // A minute at a time: the condition variable's clock stands still while the machine sleeps, ticks go on; and
      // waits of centuries overflow inside the standard library.
      const Duration wait = std::min<Duration>(deadline - now, std::chrono::minutes(1));
      changed.wait_for(lock, stop, wait, done);
    }
    return true;
  }
}

/// The clocks of the operating system. Stateless.
class SystemClock {
 public:
  WallTime now() const noexcept { return std::chrono::system_clock::now(); }

  Ticks ticks() const noexcept {
#ifdef CLOCK_BOOTTIME
    timespec time{};
    if (clock_gettime(CLOCK_BOOTTIME, &time) == 0)
      return Ticks(std::chrono::seconds(time.tv_sec) + Duration(time.tv_nsec));
#endif
    return Ticks(std::chrono::steady_clock::now().time_since_epoch());
  }

  bool sleep_for(Duration duration, std::stop_token stop) const {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    const Ticks start = ticks();
    const Ticks deadline = duration < Ticks::max() - start ? start + duration : Ticks::max();
    wait_until(*this, never, lock, stop, deadline, [] { return false; });
    return !stop.stop_requested();
  }
};

static_assert(Clock<SystemClock>);

}  // namespace dmq::inline DMQ_ABI
