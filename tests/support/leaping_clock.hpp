#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>

#include <dmq/core/clock.hpp>

namespace support {

/// A clock on which time passes only by sleeping, and at once: for tests on one thread. Copies are one clock.
class LeapingClock {
 public:
  dmq::WallTime now() const { return now_->wall; }
  dmq::Ticks ticks() const { return now_->ticks; }
  bool sleep_for(dmq::Duration duration, const std::stop_token& stop) const {
    if (stop.stop_requested()) return false;
    advance(duration);
    return true;
  }
  template <class Done>
  bool wait_until(std::condition_variable_any&, std::unique_lock<std::mutex>&, const std::stop_token&,
                  dmq::Ticks deadline, Done done) const {
    if (done()) return true;
    advance(deadline - now_->ticks);
    return done();
  }
  void advance(dmq::Duration by) const { *now_ = *now_ + by; }

 private:
  std::shared_ptr<dmq::Instant> now_ = std::make_shared<dmq::Instant>(
      dmq::Instant{dmq::WallTime(std::chrono::seconds(1'767'225'600)), dmq::Ticks(std::chrono::hours(1))});
};

static_assert(dmq::Clock<LeapingClock>);

}  // namespace support
