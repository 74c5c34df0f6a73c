#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <utility>
#include <vector>

#include <dmq/http/async_transport.hpp>
#include <dmq/http/transport.hpp>

namespace bench {

/// Where a transport has got to that answers nothing.
class Hold {
 public:
  /// Waits until so many requests have been started and the thread that carries them waits.
  void await_rest(std::size_t started) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return resting_ && !woken_ && started_ >= started; });
  }

 private:
  friend class HeldAsync;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t started_ = 0;
  bool resting_ = false;
  bool woken_ = false;
};

/// An AsyncHttpTransport that keeps what it is given, until it is cancelled.
class HeldAsync {
 public:
  explicit HeldAsync(std::shared_ptr<Hold> hold) : hold_(std::move(hold)) {}

  void start(std::uint64_t id, dmq::http::Request&& request) {
    held_.push_back({.id = id, .result = cancelled(), .request = std::move(request)});
    const std::lock_guard lock(hold_->mutex_);
    ++hold_->started_;
  }
  void cancel(std::uint64_t id) {
    const auto it = std::find_if(held_.begin(), held_.end(), [id](const auto& held) { return held.id == id; });
    if (it == held_.end()) return;
    ended_.push_back(std::move(*it));
    held_.erase(it);
  }
  void poll(std::vector<dmq::http::Completion>& out, dmq::Duration at_most) {
    if (ended_.empty() && at_most > dmq::Duration::zero()) rest(at_most);
    std::move(ended_.begin(), ended_.end(), std::back_inserter(out));
    ended_.clear();
  }
  void wake() noexcept {
    {
      const std::lock_guard lock(hold_->mutex_);
      hold_->woken_ = true;
    }
    hold_->changed_.notify_all();
  }

 private:
  static dmq::Error cancelled() {
    return {.kind = dmq::ErrorKind::cancelled, .delivery = dmq::DeliveryState::unknown, .message = "cancelled"};
  }
  void rest(dmq::Duration at_most) {
    std::unique_lock lock(hold_->mutex_);
    hold_->resting_ = true;
    hold_->changed_.notify_all();
    hold_->changed_.wait_for(lock, std::min<dmq::Duration>(at_most, std::chrono::hours(1)),
                             [&] { return hold_->woken_; });
    hold_->resting_ = hold_->woken_ = false;
  }

  std::shared_ptr<Hold> hold_;
  std::vector<dmq::http::Completion> held_;
  std::vector<dmq::http::Completion> ended_;
};

/// Its blocking side.
class HeldTransport {
 public:
  explicit HeldTransport(std::shared_ptr<Hold> hold) : hold_(std::move(hold)) {}
  dmq::Result<dmq::http::Response> send(const dmq::http::Request&, std::stop_token) {
    return dmq::Error{.kind = dmq::ErrorKind::network, .message = "this transport only holds"};
  }
  HeldAsync open_async() const { return HeldAsync(hold_); }

 private:
  std::shared_ptr<Hold> hold_;
};

static_assert(dmq::http::OpensAsync<HeldTransport>);

}  // namespace bench
