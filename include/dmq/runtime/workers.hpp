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
  Workers(const std::shared_ptr<ConsumeState>& state, const Handle& handle, std::size_t count) : state_(state) {
    const auto shared_handle = std::make_shared<const Handle>(handle);
    try {
      for (std::size_t i = 0; i < count; ++i) {
        auto busy = std::make_shared<bool>(false);
        workers_.push_back({{}, busy});
        workers_.back().thread = std::thread([state, shared_handle, busy] { work(*state, *shared_handle, *busy); });
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
  struct Worker {
    std::thread thread;
    std::shared_ptr<bool> busy;  ///< Under the lock of the state.
  };

  static void work(ConsumeState& state, const Handle& handle, bool& busy) {
    std::unique_lock lock(state.mutex);
    while (!state.ended) {
      std::optional<engine::Claim> claim = state.machine.take_work(state.now());
      if (!claim) {
        state.work.wait(lock, [&] { return state.ended || state.machine.has_work(); });
        continue;
      }
      busy = true;
      lock.unlock();
      const Ticks began = state.now().ticks;
      const engine::Handled handled = handle(*claim);
      lock.lock();
      busy = false;
      const Instant now = state.now();
      state.machine.on_handled(claim->id, handled, now.ticks - began, now);
      if (std::exchange(state.loop_sleeps, false) && state.wake_loop) state.wake_loop();
      claim.reset();
    }
  }

  std::shared_ptr<ConsumeState> state_;
  std::vector<Worker> workers_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
