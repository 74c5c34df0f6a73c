#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include <dmq/runtime/publish_state.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Tells programs what became of their submissions, on the thread that calls report(). Callbacks run outside every
/// lock and may call back in; what one throws goes to `threw`, and the others are told.
class Reporter {
 public:
  using Threw = std::function<void(const Error&)>;

  Reporter(PublishState& state, Threw threw) : state_(state), threw_(std::move(threw)) {}

  /// Until nothing is left, also of what callbacks have brought about.
  void report() {
    for (;;) {
      engine::Submissions ended = take();
      if (ended.empty()) return;
      state_.changed.notify_all();  // There is room.
      for (engine::Submission& submission : ended) tell(submission);
      {
        const std::lock_guard lock(state_.mutex);
        state_.machine.reported(ended);
      }
      state_.changed.notify_all();
    }
  }

 private:
  engine::Submissions take() {
    const std::lock_guard lock(state_.mutex);
    return state_.machine.take_ended();
  }

  void tell(engine::Submission& submission) noexcept {
    try {
      {
        const std::lock_guard lock(state_.mutex);
        state_.machine.telling(submission);
      }
      const std::function<void(PublishResult)> done = std::exchange(submission.done, {});
      done(engine::to_result(std::move(submission)));
    } catch (...) {
      threw_({.kind = ErrorKind::invalid_argument, .message = current_exception_text()});
    }
  }

  PublishState& state_;
  Threw threw_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
