#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// An HttpTransport that answers from a script: the n-th request to arrive gets the n-th reply. Every request is
/// kept. A gate holds requests back, so that a test can look at a moment when they are in flight. Copies are one
/// transport. All members may be called from any thread. Time limits are not kept: there is no clock.
class ScriptedTransport {
 public:
  using Responder = std::function<Result<http::Response>(const http::Request&)>;

  ScriptedTransport& reply(http::Response response) {
    return reply([response = std::move(response)](const http::Request&) { return Result<http::Response>(response); });
  }
  ScriptedTransport& reply(Error error) {
    return reply([error = std::move(error)](const http::Request&) { return Result<http::Response>(error); });
  }
  /// Called on the sender's thread, outside locks.
  ScriptedTransport& reply(Responder responder) {
    const std::lock_guard lock(state_->mutex);
    state_->script.push_back(std::move(responder));
    return *this;
  }
  /// Answers every request that the script has no reply for; without it they fail (protocol, unknown).
  ScriptedTransport& otherwise(Responder responder) {
    const std::lock_guard lock(state_->mutex);
    state_->otherwise = std::move(responder);
    return *this;
  }

  /// A request that waits at the gate ends with cancelled, unknown when its stop token fires.
  Result<http::Response> send(const http::Request& request, std::stop_token stop);

  /// Closes the gate: requests arrive and wait.
  void block() { set_allowance(0); }
  /// Blocks until at least `count` requests have arrived, counted from the beginning.
  void block_until(std::size_t count) const {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [&] { return state_->requests.size() >= count; });
  }
  /// Opens the gate for good, or for the next `count` requests.
  void release() { set_allowance(std::nullopt); }
  void release(std::size_t count) { set_allowance(count); }

  /// In the order of their arrival.
  std::vector<http::Request> requests() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requests;
  }
  std::size_t count() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requests.size();
  }

 private:
  struct State {
    std::mutex mutex{};
    std::condition_variable_any changed{};
    std::vector<Responder> script{};
    Responder otherwise{};
    std::vector<http::Request> requests{};
    std::optional<std::size_t> allowance{};  ///< How many more may pass the gate; nothing: it is open.

    bool passes() {
      if (allowance == std::size_t{0}) return false;
      if (allowance) --*allowance;
      return true;
    }
  };

  void set_allowance(std::optional<std::size_t> allowance) {
    const std::lock_guard lock(state_->mutex);
    state_->allowance = allowance;
    state_->changed.notify_all();
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline Result<http::Response> ScriptedTransport::send(const http::Request& request, std::stop_token stop) {
  std::unique_lock lock(state_->mutex);
  const std::size_t index = state_->requests.size();
  state_->requests.push_back(request);
  state_->changed.notify_all();
  if (!state_->changed.wait(lock, stop, [&] { return state_->passes(); }))
    return Error{.kind = ErrorKind::cancelled, .delivery = DeliveryState::unknown, .message = "stopped at the gate"};
  const Responder responder = index < state_->script.size() ? state_->script[index] : state_->otherwise;
  lock.unlock();
  if (responder) return responder(request);
  return Error{.kind = ErrorKind::protocol,
               .delivery = DeliveryState::unknown,
               .message = "no reply is scripted for request " + std::to_string(index + 1)};
}

static_assert(http::HttpTransport<ScriptedTransport>);

}  // namespace dmq::inline DMQ_ABI::testing
