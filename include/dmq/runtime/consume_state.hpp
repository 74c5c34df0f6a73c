#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include <dmq/engine/consume_machine.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What the loop of a run and its workers share; all but the settings and the clock is used under the lock.
struct ConsumeState {
  ConsumeState(ConsumeSettings s, std::function<Instant()> clock, std::uint64_t seed, bool keeps_notices)
      : settings(std::move(s)),
        now(std::move(clock)),
        machine(settings, [this_now = now] { return this_now().ticks; }, seed, keeps_notices) {}
  ConsumeState(const ConsumeState&) = delete;
  ConsumeState& operator=(const ConsumeState&) = delete;

  const ConsumeSettings settings;
  const std::function<Instant()> now;
  std::mutex mutex;
  std::condition_variable work;  ///< There may be some, or the end has come.
  engine::ConsumeMachine machine;
  bool loop_sleeps = false;           ///< Whoever brings work then has to wake it.
  Ticks loop_wakes_at{};              ///< By itself.
  std::function<void()> wake_loop{};  ///< Empty when there is none any more.
  bool ended = false;                 ///< For the workers.

  void rouse_loop() {
    if (std::exchange(loop_sleeps, false) && wake_loop) wake_loop();
  }
};

}  // namespace dmq::inline DMQ_ABI::runtime
