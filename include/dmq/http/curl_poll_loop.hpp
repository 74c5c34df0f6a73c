#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include <dmq/http/curl.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

/// A multi and what carries it on: libcurl's own waiting, which looks at every socket each time. For machines without
/// epoll. All but wake() are for one thread.
class CurlPollLoop {
 public:
  CurlPollLoop() : multi_(curl_is_ready() ? curl_multi_init() : nullptr) {}

  CURLM* multi() const noexcept { return multi_.get(); }
  /// Without file descriptors left, a multi comes without its wake-up.
  bool is_usable() const noexcept { return multi_ != nullptr && curl_multi_wakeup(multi_.get()) == CURLM_OK; }

  /// Waits until there is something to do, and does it. True when wake() was called.
  bool turn(Duration at_most) {
    constexpr Duration longest = std::chrono::hours(1);
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::clamp(at_most, Duration::zero(), longest));
    curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
    // Before the work, so that a wake-up during it is there for the next turn.
    const bool woken = woken_.exchange(false);
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    return woken;
  }

  void wake() noexcept {
    woken_ = true;
    if (multi_ != nullptr) curl_multi_wakeup(multi_.get());
  }

 private:
  std::atomic<bool> woken_ = false;
  CurlMultiHandle multi_;
};

}  // namespace dmq::inline DMQ_ABI::http::detail
