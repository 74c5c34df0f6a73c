#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/runtime/consume_state.hpp>
#include <dmq/runtime/handler.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// The threads of a run on which handlers are called. They share what they need with the run, so that a handler which
/// does not return may outlive it.
class Workers {
 public:
  /// Throws what std::thread throws, and then has none.
  Workers(const std::shared_ptr<ConsumeState>& state, const Handling& handling, std::size_t count) : state_(state) {
    const auto shared = std::make_shared<const Handling>(handling);
    try {
      for (std::size_t i = 0; i < count; ++i) {
        auto busy = std::make_shared<bool>(false);
        workers_.push_back({{}, busy});
        workers_.back().thread = std::thread([state, shared, busy] { work(*state, *shared, *busy); });
      }
    } catch (...) {
      end();
      throw;
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() { end(); }

  /// Waits for all but those that are in a handler, which go on by themselves.
  void end() {
    std::unique_lock lock(state_->mutex);
    state_->ended = true;
    state_->wake_loop = {};
    state_->work.notify_all();
    for (Worker& worker : std::exchange(workers_, {})) {
      const bool busy = *worker.busy;
      lock.unlock();
      if (busy && worker.thread.joinable())
        worker.thread.detach();
      else if (worker.thread.joinable())
        worker.thread.join();
      lock.lock();
    }
  }

 private:
  using Claims = std::vector<engine::Claim>;

  struct Worker {
    std::thread thread;
    std::shared_ptr<bool> busy;  ///< Under the lock of the state.
  };

  static void work(ConsumeState& state, const Handling& handling, bool& busy) {
    std::unique_lock lock(state.mutex);
    while (!state.ended) {
      const Claims claims = take(state, handling.at_once);
      if (claims.empty()) {
        state.work.wait(lock, [&] { return state.ended || state.machine.has_work(); });
        continue;
      }
      busy = true;
      lock.unlock();
      const Ticks began = state.now().ticks;
      std::vector<engine::Handled> handled(claims.size());
      handling.call(claims, handled);
      lock.lock();
      busy = false;
      const Instant now = state.now();
      for (std::size_t i = 0; i < claims.size(); ++i)
        state.machine.on_handled(claims[i].id, handled[i], now.ticks - began, now);
      state.rouse_loop();
    }
  }

  static Claims take(ConsumeState& state, std::size_t most) {
    const Instant now = state.now();
    Claims claims;
    while (claims.size() < most) {
      std::optional<engine::Claim> claim = state.machine.take_work(now);
      if (!claim) break;
      claims.push_back(*std::move(claim));
    }
    // A damaged message goes back, a handler has to be told earlier than its message would have lapsed.
    if (state.machine.next_deadline() < state.loop_wakes_at) state.rouse_loop();
    return claims;
  }

  std::shared_ptr<ConsumeState> state_;
  std::vector<Worker> workers_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
