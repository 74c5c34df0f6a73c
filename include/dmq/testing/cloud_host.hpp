#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>

#include <dmq/core/clock.hpp>
#include <dmq/http/transport.hpp>
#include <dmq/testing/local_cloud.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Whether a service hears of it when the caller of a long poll goes away. If not, the poll may still take messages.
enum class Disconnects { noticed, unnoticed };

/// Runs a LocalCloud for many threads at once, on the time of `C`. All members may be called from any thread.
template <Clock C>
class CloudHost {
 public:
  explicit CloudHost(LocalCloud cloud, C clock = C{}, Disconnects disconnects = Disconnects::noticed)
      : cloud_(std::move(cloud)), clock_(std::move(clock)), disconnects_(disconnects) {}

  /// Answers, for a long poll when its answer has come: until then the caller's thread waits. Fails, unknown, with
  /// timeout after `request.timeout`, with cancelled when a stop is requested.
  Result<http::Response> handle(const http::Request& request, std::stop_token stop);

  /// Calls `use(LocalCloud&)` under the lock, for a look inside or a change.
  template <class Use>
  auto with(Use use) {
    std::unique_lock lock(mutex_);
    struct Deliver {
      CloudHost& host;
      ~Deliver() { host.deliver(); }
    } const afterwards{*this};
    return use(cloud_);
  }

 private:
  /// A thread that waits for the answer to its long poll. It stands on that thread's stack.
  struct Waiter {
    std::condition_variable_any changed{};
    std::optional<http::Response> answer{};
    Ticks wake{};         ///< When it looks by itself.
    bool called = false;  ///< It has to look again, though it has no answer.

    void call() {
      called = true;
      changed.notify_one();
    }
  };

  Result<http::Response> wait_for(PollId id, Ticks limit, const std::stop_token& stop,
                                  std::unique_lock<std::mutex>& lock);
  Error abandon(PollId id, ErrorKind kind, std::string message);
  void leave(PollId id);
  void deliver();

  std::mutex mutex_;
  LocalCloud cloud_;
  C clock_;
  Disconnects disconnects_;
  std::map<PollId, Waiter*> waiting_;
  Waiter* minder_ = nullptr;  ///< The only one that looks at the cloud's next deadline; one of those that wait.
};

template <Clock C>
Result<http::Response> CloudHost<C>::handle(const http::Request& request, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const Instant now = instant(clock_);
  Handled handled = cloud_.handle(request, now);
  if (const PollId* const poll = std::get_if<PollId>(&handled))
    return wait_for(*poll, now.ticks + request.timeout, stop, lock);
  deliver();
  return std::get<http::Response>(std::move(handled));
}

template <Clock C>
Result<http::Response> CloudHost<C>::wait_for(PollId id, Ticks limit, const std::stop_token& stop,
                                              std::unique_lock<std::mutex>& lock) {
  Waiter waiter;
  waiting_.emplace(id, &waiter);
  deliver();
  for (;;) {
    if (waiter.answer) {
      leave(id);
      return *std::move(waiter.answer);
    }
    if (stop.stop_requested()) return abandon(id, ErrorKind::cancelled, "the stop token fired during a long poll");
    if (clock_.ticks() >= limit) return abandon(id, ErrorKind::timeout, "the request's time limit ran out");
    if (minder_ == nullptr) minder_ = &waiter;
    waiter.wake = minder_ == &waiter ? std::min(limit, cloud_.next_deadline().value_or(limit)) : limit;
    waiter.called = false;
    if (!wait_until(clock_, waiter.changed, lock, stop, waiter.wake,
                    [&] { return waiter.answer.has_value() || waiter.called; }))
      deliver();
  }
}

template <Clock C>
Error CloudHost<C>::abandon(PollId id, ErrorKind kind, std::string message) {
  if (disconnects_ == Disconnects::noticed) cloud_.cancel(id);
  leave(id);
  return {.kind = kind, .delivery = DeliveryState::unknown, .message = std::move(message)};
}

/// Who minded the deadline hands that over to the one that has waited longest.
template <Clock C>
void CloudHost<C>::leave(PollId id) {
  const auto waiter = waiting_.find(id);
  const bool minded = waiter->second == minder_;
  waiting_.erase(waiter);
  if (!minded) return;
  minder_ = waiting_.empty() ? nullptr : waiting_.begin()->second;
  if (minder_ != nullptr) minder_->call();
}

/// Brings due answers to the threads that wait for them. No other one wakes, but for the minder when the deadline has
/// come nearer.
template <Clock C>
void CloudHost<C>::deliver() {
  for (Answered& answered : cloud_.advance(instant(clock_))) {
    const auto waiter = waiting_.find(answered.id);
    if (waiter == waiting_.end()) continue;
    waiter->second->answer = std::move(answered.response);
    waiter->second->changed.notify_one();
  }
  if (minder_ == nullptr || minder_->answer) return;
  if (const auto next = cloud_.next_deadline(); next && *next < minder_->wake) minder_->call();
}

/// What a test puts between a client and the cloud.
struct CloudHooks {
  /// Sees each request first; what it returns is the answer, and the cloud never sees the request.
  std::function<std::optional<Result<http::Response>>(const http::Request&)> before{};
  /// Sees each answer last and may replace it: a lost reply is an Error in its place.
  std::function<Result<http::Response>(const http::Request&, Result<http::Response>)> after{};
};

/// An HttpTransport to a cloud in the same process. Copies share the host and have the same hooks, which are called
/// from every sender's thread.
template <Clock C>
class CloudTransport {
 public:
  explicit CloudTransport(std::shared_ptr<CloudHost<C>> host, CloudHooks hooks = {})
      : host_(std::move(host)), hooks_(std::move(hooks)) {}

  Result<http::Response> send(const http::Request& request, std::stop_token stop) {
    if (stop.stop_requested()) return Error{.kind = ErrorKind::cancelled, .message = "stopped before the request"};
    if (hooks_.before)
      if (auto answer = hooks_.before(request)) return *std::move(answer);
    Result<http::Response> answer = host_->handle(request, std::move(stop));
    return hooks_.after ? hooks_.after(request, std::move(answer)) : answer;
  }

  CloudHost<C>& host() const noexcept { return *host_; }

 private:
  std::shared_ptr<CloudHost<C>> host_;
  CloudHooks hooks_;
};

static_assert(http::HttpTransport<CloudTransport<SystemClock>>);

}  // namespace dmq::inline DMQ_ABI::testing
