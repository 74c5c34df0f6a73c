#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>
#include <dmq/http/curl.hpp>
#include <dmq/http/curl_async.hpp>
#include <dmq/http/curl_exchange.hpp>
#include <dmq/http/curl_options.hpp>
#include <dmq/http/request_rules.hpp>
#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::http {

namespace detail {

/// A lane: an easy handle with its own multi, and so its own connections. Used by one thread at a time.
class CurlLane {
 public:
  explicit CurlLane(const CurlOptions& options) : exchange_(options), multi_(curl_multi_init()) {}

  /// Without file descriptors left, a multi comes without its wake-up, and a stop would go unnoticed.
  bool is_usable() const noexcept { return multi_ != nullptr && curl_multi_wakeup(multi_.get()) == CURLM_OK; }

  Result<Response> send(const Request& request, Duration timeout, const std::stop_token& stop);

 private:
  bool run(const std::stop_token& stop);
  CURLcode result() const;

  CurlExchange exchange_;
  CurlMultiHandle multi_;
};

/// Lanes, made when they are needed, lent to one sender each. The last one back is the first to go out again: it has
/// the warmest connection. Callable from any thread.
class CurlLanes {
 public:
  explicit CurlLanes(CurlOptions options) : options_(std::move(options)) {}

  /// A lane that goes back by itself.
  class Loan {
   public:
    Loan(CurlLanes& owner, std::unique_ptr<CurlLane> lane) noexcept : owner_(&owner), lane_(std::move(lane)) {}
    Loan(Loan&&) noexcept = default;
    Loan& operator=(Loan&&) = delete;
    ~Loan() {
      if (lane_ != nullptr) owner_->take_back(std::move(lane_));
    }
    CurlLane* operator->() const noexcept { return lane_.get(); }

   private:
    CurlLanes* owner_;
    std::unique_ptr<CurlLane> lane_;
  };

  /// Waits while all are out; what that took is taken off `timeout`. Errors: timeout, cancelled, network (the machine
  /// has no room for another lane); not_sent.
  Result<Loan> lend(Duration& timeout, const std::stop_token& stop);

  const CurlOptions& options() const noexcept { return options_; }

 private:
  bool available() const noexcept {
    return !idle_.empty() || made_ < std::max<std::size_t>(options_.max_connections, 1);
  }
  Result<Loan> make(std::unique_lock<std::mutex> lock);
  void take_back(std::unique_ptr<CurlLane> lane) noexcept;
  Error none_lent(const std::stop_token& stop) const;

  const CurlOptions options_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::unique_ptr<CurlLane>> idle_;
  std::size_t made_ = 0;
};

}  // namespace detail

/// The HttpTransport over libcurl: keeps connections alive, runs each request on its caller's thread, and has no thread
/// of its own. A request beyond `max_connections` waits for one to end, within its own time limit.
///
/// Errors besides those of every HttpTransport: protocol (the answer is not HTTP, or its header is over 64 KiB),
/// configuration (libcurl does not take the options). TLS is 1.2 or newer and always verified. On machines with
/// libcurl 7.87, ignore SIGPIPE: its TLS writes raise it.
///
/// send() may be called from any thread; moving and destroying may not run beside it. Moved from, it takes only
/// destruction and assignment.
class CurlTransport {
 public:
  explicit CurlTransport(CurlOptions options = {}) : lanes_(std::make_unique<detail::CurlLanes>(std::move(options))) {}

  /// Blocks until the answer is complete, the request's time limit runs out, or the stop token fires.
  Result<Response> send(const Request& request, std::stop_token stop = {}) {
    if (Result<void> checked = check_headers(request.headers); !checked) return std::move(checked).error();
    // Bounded, so that a limit of "for ever" can be added to a time.
    Duration timeout = std::min<Duration>(request.timeout, std::chrono::hours(24 * 24));
    Result<detail::CurlLanes::Loan> lane = lanes_->lend(timeout, stop);
    if (!lane) return std::move(lane).error();
    return (*lane)->send(request, timeout, stop);
  }

  /// Many exchanges on one thread, with the same options and connections of its own.
  CurlAsync open_async() const { return CurlAsync(lanes_->options()); }

 private:
  std::unique_ptr<detail::CurlLanes> lanes_;
};

static_assert(OpensAsync<CurlTransport>);

namespace detail {

inline Result<Response> CurlLane::send(const Request& request, Duration timeout, const std::stop_token& stop) {
  if (Result<void> prepared = exchange_.prepare(request, timeout); !prepared) return std::move(prepared).error();
  curl_multi_add_handle(multi_.get(), exchange_.handle());
  const bool finished = run(stop);
  const CURLcode code = finished ? result() : CURLE_ABORTED_BY_CALLBACK;
  curl_multi_remove_handle(multi_.get(), exchange_.handle());
  if (!finished) return exchange_.cancelled();
  return exchange_.finish(code);
}

/// False when the stop ended it.
inline bool CurlLane::run(const std::stop_token& stop) {
  // libcurl's own timers end the wait in time; this bounds it should one be lost.
  constexpr int longest_wait_ms = 30'000;
  const std::stop_callback wake(stop, [multi = multi_.get()]() noexcept { curl_multi_wakeup(multi); });
  int running = 0;
  while (!stop.stop_requested()) {
    if (curl_multi_perform(multi_.get(), &running) != CURLM_OK || running == 0) return true;
    if (curl_multi_poll(multi_.get(), nullptr, 0, longest_wait_ms, nullptr) != CURLM_OK) return true;
  }
  return false;
}

inline CURLcode CurlLane::result() const {
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);
  return message != nullptr ? message->data.result : CURLE_FAILED_INIT;
}

inline Result<CurlLanes::Loan> CurlLanes::lend(Duration& timeout, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  if (timeout > Duration::zero() && !available()) {
    const SystemClock clock;
    const Ticks before = clock.ticks();
    wait_until(clock, changed_, lock, stop, before + timeout, [this] { return available(); });
    timeout -= clock.ticks() - before;
  }
  if (timeout <= Duration::zero() || !available()) {
    // This sender may have been woken for a lane that it leaves to another.
    if (available()) changed_.notify_one();
    return none_lent(stop);
  }
  if (idle_.empty()) return make(std::move(lock));
  Loan loan(*this, std::move(idle_.back()));
  idle_.pop_back();
  return loan;
}

inline Error CurlLanes::none_lent(const std::stop_token& stop) const {
  if (stop.stop_requested()) return stopped_by_caller(DeliveryState::not_sent);
  return {.kind = ErrorKind::timeout,
          .message = "the time limit of the request ran out before one of " + std::to_string(options_.max_connections) +
                     " connections was free; raise it, or CurlOptions::max_connections"};
}

/// Outside the lock: a lane takes a tenth of a millisecond to make, and other senders need not wait for that.
inline Result<CurlLanes::Loan> CurlLanes::make(std::unique_lock<std::mutex> lock) {
  idle_.reserve(made_ + 1);
  ++made_;
  lock.unlock();
  std::unique_ptr<CurlLane> lane;
  try {
    lane = std::make_unique<CurlLane>(options_);
  } catch (const std::bad_alloc&) {
  }
  if (lane != nullptr && lane->is_usable()) return Loan(*this, std::move(lane));
  lock.lock();
  --made_;
  changed_.notify_one();
  return Error{.kind = ErrorKind::network,
               .message =
                   "no memory or no file descriptors are left for another connection; raise the limits of the "
                   "process, or lower CurlOptions::max_connections"};
}

inline void CurlLanes::take_back(std::unique_ptr<CurlLane> lane) noexcept {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(lane));
  changed_.notify_one();
}

}  // namespace detail

}  // namespace dmq::inline DMQ_ABI::http
