#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include <dmq/core/observer.hpp>
#include <dmq/run_report.hpp>
#include <dmq/runtime/blocking_pool.hpp>
#include <dmq/runtime/consume_loop.hpp>
#include <dmq/runtime/workers.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What a consumer's other members say to its run, from any thread.
class RunControl {
 public:
  /// False when there is a run already.
  bool begin() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(running_, true);
  }
  void set_wake(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
  }
  void end() {
    const std::lock_guard lock(mutex_);
    wake_ = {};
    running_ = false;
  }
  void set_paused(bool paused) {
    const std::lock_guard lock(mutex_);
    paused_ = paused;
    if (wake_) wake_();
  }
  bool is_paused() const {
    const std::lock_guard lock(mutex_);
    return paused_;
  }

 private:
  mutable std::mutex mutex_;
  bool running_ = false;
  bool paused_ = false;
  std::function<void()> wake_;
};

/// A run, on the caller's thread and its workers', until it is stopped or can't go on.
template <class ChannelType>
class ConsumeRun {
 public:
  ConsumeRun(std::shared_ptr<ChannelType> channel, const sqs::Wire& wire, const ConsumeSettings& settings,
             std::shared_ptr<RunControl> control, std::uint64_t seed)
      : channel_(std::move(channel)),
        control_(std::move(control)),
        state_(std::make_shared<ConsumeState>(
            settings, [channel = channel_] { return channel->now(); }, seed, ChannelType::is_observed)),
        transport_(open_async(channel_->transport())),
        loop_(*state_, *channel_, wire, transport_,
              [this](std::function<void()> fetch) { fetcher_ = std::jthread(std::move(fetch)); }) {
    state_->wake_loop = [this] { loop_.wake(); };
    control_->set_wake(state_->wake_loop);
  }
  ~ConsumeRun() { control_->end(); }
  ConsumeRun(const ConsumeRun&) = delete;
  ConsumeRun& operator=(const ConsumeRun&) = delete;

  RunReport run(const Handling& handling, const std::stop_token& stop) {
    std::optional<Workers> workers;
    try {
      workers.emplace(state_, handling, state_->settings.run.workers);
    } catch (...) {
      return {.error = Error{.kind = ErrorKind::configuration,
                             .message = "the system does not give threads for " +
                                        std::to_string(state_->settings.run.workers) +
                                        " workers: " + current_exception_text()}};
    }
    {
      const std::stop_callback on_stop(stop, [this] { loop_.wake(); });
      while (goes_on(stop)) loop_.turn(Duration::max());
    }
    loop_.abort();
    while (!loop_.idle()) loop_.turn(Duration::max());
    workers->end();
    const std::lock_guard lock(state_->mutex);
    return state_->machine.report();
  }

 private:
  bool goes_on(const std::stop_token& stop) {
    const std::lock_guard lock(state_->mutex);
    state_->machine.set_paused(control_->is_paused());
    if (stop.stop_requested()) state_->machine.stop(channel_->now());
    return !state_->machine.is_finished();
  }

  using Async = decltype(open_async(std::declval<typename ChannelType::transport_type&>()));

  std::shared_ptr<ChannelType> channel_;
  std::shared_ptr<RunControl> control_;
  std::shared_ptr<ConsumeState> state_;
  Async transport_;
  ConsumeLoop<ChannelType, Async> loop_;
  std::jthread fetcher_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
