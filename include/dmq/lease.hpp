#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI {

/// What is to become of a message after its handler.
struct Disposition {
  enum class Kind {
    done,     ///< It is deleted.
    retry,    ///< It comes again after a back-off; nothing of its group passes it.
    release,  ///< It comes again at once, here or at another consumer.
    discard,  ///< It is deleted without having been handled, which is observed.
  };

  Kind kind = Kind::done;
  std::optional<std::chrono::seconds> delay{};  ///< Of a retry, 0 s to 12 h; else it doubles with each time received.

  static Disposition done() noexcept { return {}; }
  static Disposition retry(std::optional<std::chrono::seconds> delay = {}) noexcept { return {Kind::retry, delay}; }
  static Disposition release() noexcept { return {Kind::release, {}}; }
  static Disposition discard() noexcept { return {Kind::discard, {}}; }
};

/// How long a message is still ours. The consumer extends it again and again while the message is held, so that the
/// end moves; should that fail, the stop token fires before the lease is over. Thread-safe; copies are of one lease.
class Lease {
 public:
  explicit Lease(std::function<Ticks()> now) : state_(std::make_shared<State>(std::move(now))) {}

  /// Fires, on a thread of the consumer, which a callback must not hold up, some time before the lease is lost, however
  /// that comes about: what the handler does after that, another may be doing as well.
  std::stop_token stop_token() const { return state_->lost.get_token(); }
  bool lost() const noexcept { return state_->lost.stop_requested(); }

  /// By the consumer's clock: no later than the queue's own figure.
  Ticks until() const noexcept { return Ticks(Duration(state_->until.load(std::memory_order_relaxed))); }
  /// What is left of it, at least zero.
  Duration remaining() const { return std::max(until() - state_->now(), Duration::zero()); }

  /// For the consumer.
  void set_until(Ticks until) noexcept {
    state_->until.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void lose() { state_->lost.request_stop(); }

 private:
  struct State {
    explicit State(std::function<Ticks()> clock) : now(std::move(clock)) {}
    std::function<Ticks()> now;
    std::stop_source lost;
    std::atomic<Duration::rep> until = 0;
  };

  std::shared_ptr<State> state_;
};

}  // namespace dmq::inline DMQ_ABI
