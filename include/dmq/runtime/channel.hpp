#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <dmq/auth/authority.hpp>
#include <dmq/core/observer.hpp>
#include <dmq/engine/exchange.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What one client's exchanges share, whoever drives them: the transport, the authority with its cached value, the
/// retry budget, the clock and the observer. Thread-safe.
template <http::HttpTransport Transport, auth::Authority<Transport> Authority, Clock ClockType, Observer ObserverType>
class Channel {
 public:
  using transport_type = Transport;
  using observer_type = ObserverType;
  static constexpr bool is_observed = !std::is_same_v<ObserverType, NoObserver>;
  using Value = typename Authority::value_type;
  using Cache = auth::ValueCache<Value>;
  using Use = typename Cache::Use;

  Channel(Transport transport, Authority authority, ClockType clock, ObserverType observer, std::uint64_t seed)
      : transport_(std::move(transport)),
        authority_(std::move(authority)),
        clock_(std::move(clock)),
        observer_(std::move(observer)),
        cache_(authority_.refresh_policy(), seed) {
    retry_.random = Random(seed);
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  const ClockType& clock() const noexcept { return clock_; }
  Instant now() const { return instant(clock_); }

  /// A value to authorise with. Of the callers that find none, one fetches it and the others wait. Errors: those of
  /// the authority, cancelled, timeout; all not_sent.
  Result<Use> acquire(const std::stop_token& stop, Ticks deadline) {
    std::unique_lock lock(mutex_);
    for (;;) {
      typename Cache::Decision decision = cache_.acquire(now());
      if (Use* use = std::get_if<Use>(&decision)) return std::move(*use);
      if (Error* error = std::get_if<Error>(&decision)) return std::move(*error);
      if (std::holds_alternative<typename Cache::Lead>(decision)) {
        if (Result<void> led = lead(lock, stop); !led) return std::move(led).error();
        continue;
      }
      const std::uint64_t seen = told_;
      wait_until(clock_, value_changed_, lock, stop, deadline, [&] { return told_ != seen; });
      if (told_ != seen) continue;
      if (stop.stop_requested())
        return Error{.kind = ErrorKind::cancelled, .message = "stopped while another caller fetched a token"};
      return Error{.kind = ErrorKind::timeout, .message = "no token arrived within the time limit"};
    }
  }

  /// The same without waiting: on Lead the caller has to call lead(), on Wait to ask again when it is told; see
  /// on_told().
  typename Cache::Decision try_acquire() {
    const std::lock_guard lock(mutex_);
    return cache_.acquire(now());
  }

  /// Fetches a value, for everybody; blocks.
  void lead(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    (void)lead(lock, stop);
  }

  /// In place of lead(), when that can't be called: somebody else has to.
  void abandon() noexcept {
    const std::lock_guard lock(mutex_);
    cache_.on_abandoned();
  }

  /// Has `told` called, from any thread, at the end of every fetch. It must not throw.
  void on_told(std::function<void()> told) {
    const std::lock_guard lock(mutex_);
    on_told_ = std::move(told);
  }

  Transport& transport() noexcept { return transport_; }

  Result<void> authorize(http::Request& request, const Use& use) {
    return authority_.authorize(request, *use.value, now());
  }

  /// A success is none of the authority's business.
  auth::Verdict verdict(const http::Response& response) {
    if (response.status >= 200 && response.status < 300) return auth::Verdict::ok;
    return authority_.verdict(response, now());
  }

  void accepted(const Use& use) {
    const std::lock_guard lock(mutex_);
    cache_.accepted(use.generation);
  }

  /// In the answer to a request that was `sent` then.
  void refused(const Use& use, Ticks sent) {
    const std::lock_guard lock(mutex_);
    cache_.refused(use.generation, sent, now());
  }

  /// One request; what a transport throws becomes an error of unknown fate.
  Result<http::Response> send(const http::Request& request, std::stop_token stop) {
    try {
      return transport_.send(request, std::move(stop));
    } catch (...) {
      return Error{.kind = ErrorKind::network,
                   .delivery = DeliveryState::unknown,
                   .message = "the transport threw: " + current_exception_text()};
    }
  }

  /// Calls `change(retry state)` while no other thread does.
  template <class F>
  void with_retry_state(F change) {
    const std::lock_guard lock(mutex_);
    change(retry_);
  }

  void observe(Event event) const noexcept {
    if constexpr (!is_observed) return;
    event.at = clock_.now();
    observer_(event);
  }

 private:
  /// The end of a fetch, however it ends: nobody goes on waiting for it.
  struct FetchEnd {
    Channel& channel;
    std::unique_lock<std::mutex>& lock;
    bool settled = false;

    ~FetchEnd() {
      if (!lock.owns_lock()) lock.lock();
      if (!settled) channel.cache_.on_abandoned();
      ++channel.told_;
      channel.value_changed_.notify_all();
      if (channel.on_told_) channel.on_told_();
    }
  };

  Result<void> lead(std::unique_lock<std::mutex>& lock, const std::stop_token& stop) {
    FetchEnd end{*this, lock};
    lock.unlock();
    const Ticks started = clock_.ticks();
    Result<auth::Fetched<Value>> fetched = fetch(stop);
    const Duration took = clock_.ticks() - started;
    const bool abandoned = !fetched && fetched.error().kind == ErrorKind::cancelled && stop.stop_requested();
    Result<void> led;
    if (abandoned)
      led = Error{.kind = ErrorKind::cancelled, .message = "stopped by the caller while a token was fetched"};
    observe({.kind = fetched ? EventKind::value_fetched : EventKind::attempt_failed,
             .level = fetched ? Level::info : Level::warning,
             .operation = "token",
             .attempt = 1,
             .duration = took,
             .http_status = fetched ? 0 : fetched.error().http_status,
             .error = fetched ? nullptr : &fetched.error()});
    lock.lock();
    if (abandoned) return led;
    if (fetched)
      cache_.on_fetched(*std::move(fetched), now());
    else
      cache_.on_failed(std::move(fetched).error(), now());
    end.settled = true;
    return led;
  }

  Result<auth::Fetched<Value>> fetch(const std::stop_token& stop) {
    try {
      return authority_.fetch(transport_, now(), stop);
    } catch (...) {
      return Error{.kind = ErrorKind::network, .message = "fetching a token threw: " + current_exception_text()};
    }
  }

  Transport transport_;
  Authority authority_;
  ClockType clock_;
  [[no_unique_address]] ObserverType observer_;
  std::mutex mutex_;
  std::condition_variable_any value_changed_;
  Cache cache_;
  std::uint64_t told_ = 0;  ///< Counts the ends of fetches.
  std::function<void()> on_told_;
  engine::RetryState retry_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
