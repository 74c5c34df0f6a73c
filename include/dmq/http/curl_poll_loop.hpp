#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>

#include <dmq/http/curl.hpp>
#include <dmq/http/curl_socket.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

/// A multi and what carries it on: libcurl's own waiting, which looks at every socket each time. For machines without
/// epoll. All but wake() are for one thread.
class CurlPollLoop {
 public:
  CurlPollLoop() : multi_(curl_is_ready() ? curl_multi_init() : nullptr) {}

  CURLM* multi() const noexcept { return multi_.get(); }
  /// Without file descriptors left, a multi comes without its wake-up.
  bool is_usable() const noexcept { return multi_ != nullptr && curl_multi_wakeup(multi_.get()) == CURLM_OK; }

  /// Before a handle's first exchange.
  void attend(CURL* easy) noexcept { curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &CurlPollLoop::on_open); }

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
  static int on_open(void*, curl_socket_t socket, curlsocktype) noexcept {
    bound_silence(socket);
    return CURL_SOCKOPT_OK;
  }

  std::atomic<bool> woken_ = false;
  CurlMultiHandle multi_;
};

}  // namespace dmq::inline DMQ_ABI::http::detail
