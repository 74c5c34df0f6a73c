#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
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
  Result<http::Response> wait_for(PollId id, Ticks limit, const std::stop_token& stop,
                                  std::unique_lock<std::mutex>& lock);
  Error abandon(PollId id, ErrorKind kind, std::string message);
  void deliver();

  std::mutex mutex_;
  std::condition_variable_any changed_;
  LocalCloud cloud_;
  C clock_;
  Disconnects disconnects_;
  std::map<PollId, std::optional<http::Response>> waiting_;  ///< Those with a thread, and their answers.
  std::uint64_t deliveries_ = 0;
};

template <Clock C>
Result<http::Response> CloudHost<C>::handle(const http::Request& request, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const Instant now = instant(clock_);
  Handled handled = cloud_.handle(request, now);
  const PollId* const poll = std::get_if<PollId>(&handled);
  if (poll != nullptr) waiting_[*poll];
  deliver();
  if (poll != nullptr) return wait_for(*poll, now.ticks + request.timeout, stop, lock);
  return std::get<http::Response>(std::move(handled));
}

template <Clock C>
Result<http::Response> CloudHost<C>::wait_for(PollId id, Ticks limit, const std::stop_token& stop,
                                              std::unique_lock<std::mutex>& lock) {
  for (;;) {
    std::optional<http::Response>& answer = waiting_.at(id);
    if (answer) {
      http::Response response = *std::move(answer);
      waiting_.erase(id);
      return response;
    }
    if (stop.stop_requested()) return abandon(id, ErrorKind::cancelled, "the stop token fired during a long poll");
    if (clock_.ticks() >= limit) return abandon(id, ErrorKind::timeout, "the request's time limit ran out");
    const Ticks wake = std::min(limit, cloud_.next_deadline().value_or(limit));
    const std::uint64_t seen = deliveries_;
    if (!wait_until(clock_, changed_, lock, stop, wake, [&] { return answer.has_value() || deliveries_ != seen; }))
      deliver();
  }
}

template <Clock C>
Error CloudHost<C>::abandon(PollId id, ErrorKind kind, std::string message) {
  waiting_.erase(id);
  if (disconnects_ == Disconnects::noticed) cloud_.cancel(id);
  return {.kind = kind, .delivery = DeliveryState::unknown, .message = std::move(message)};
}

/// Brings due answers to the threads that wait for them. All threads that wait look again: what they wait for, the
/// next deadline, may be another.
template <Clock C>
void CloudHost<C>::deliver() {
  for (Answered& answered : cloud_.advance(instant(clock_)))
    if (const auto waiter = waiting_.find(answered.id); waiter != waiting_.end())
      waiter->second = std::move(answered.response);
  ++deliveries_;
  if (!waiting_.empty()) changed_.notify_all();
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
