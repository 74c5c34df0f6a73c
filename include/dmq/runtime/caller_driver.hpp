#pragma once

#include <optional>
#include <stop_token>
#include <utility>

#include <dmq/runtime/operation.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Runs one operation to its end on the caller's thread, sleeping between attempts.
template <class ChannelType, Call CallType>
class CallerDriver {
 public:
  using Outcome = Result<typename CallType::result_type>;

  CallerDriver(ChannelType& channel, CallType& call, engine::Terms terms, std::stop_token stop)
      : channel_(channel),
        stop_(std::move(stop)),
        deadline_(terms.deadline),
        operation_(channel, call, std::move(terms)) {}

  Outcome run() {
    while (exchange().step() != Step::done) {
      try {
        step();
      } catch (...) {
        operation_.fail_by_exception();
      }
    }
    return operation_.finish();
  }

  const engine::Exchange& exchange() const noexcept { return operation_.exchange(); }

 private:
  using Step = engine::Exchange::Step;

  void step() {
    switch (exchange().step()) {
      case Step::acquire: return acquire();
      case Step::send: return send();
      case Step::wait: return wait();
      case Step::done: return;
    }
  }

  void acquire() {
    Result<typename ChannelType::Use> use = channel_.acquire(stop_, deadline_);
    if (use)
      operation_.on_value(*std::move(use));
    else
      operation_.fail(std::move(use).error());
  }

  void send() {
    if (const std::optional<http::Request> request = operation_.prepare())
      operation_.take(channel_.send(*request, stop_));
  }

  void wait() {
    if (channel_.clock().sleep_for(operation_.pause(), stop_))
      operation_.wake();
    else
      operation_.stop();
  }

  ChannelType& channel_;
  std::stop_token stop_;
  Ticks deadline_;
  Operation<ChannelType, CallType> operation_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
