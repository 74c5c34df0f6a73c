#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include <dmq/engine/publish_machine.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What a producer's threads share. `changed` tells callers who wait: for their turn, for room, for the end.
struct PublishState {
  PublishState(const PublishSettings& settings, std::size_t max_batch) : machine(settings, max_batch) {}

  std::mutex mutex{};
  std::condition_variable_any changed{};
  engine::PublishMachine machine;
  bool loop_sleeps = false;           ///< Whoever brings it work has to wake it.
  bool loop_takes_more = false;       ///< A message that can leave is work for it.
  std::function<void()> wake_loop{};  ///< By the loop, while there is one.

  /// There may be work for the loop. Under the lock.
  void tell_loop() {
    if (std::exchange(loop_sleeps, false)) wake_loop();
  }
  /// There is a message that can leave. Under the lock.
  void tell_of_ready() {
    if (loop_takes_more) tell_loop();
  }
  /// And news for those who wait.
  void tell_all() {
    changed.notify_all();
    tell_loop();
  }
};

}  // namespace dmq::inline DMQ_ABI::runtime
