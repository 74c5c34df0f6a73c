#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include <dmq/runtime/blocking_pool.hpp>
#include <dmq/runtime/publish_loop.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// A producer's I/O thread, with what it runs. The thread keeps the producer's core alive until it ends, which is when
/// the machine is closed and all is reported. Members are called under the lock of the state.
template <class RouteType, class ChannelType, class Core>
class PublishIo {
 public:
  PublishIo(std::shared_ptr<Core> core, PublishState& state, ChannelType& channel, const RouteType& route,
            const PublishSettings& settings)
      : state_(state),
        transport_(open_async(channel.transport())),
        loop_(state, channel, route, settings, transport_,
              [this](std::function<void()> fetch) { fetcher_ = std::jthread(std::move(fetch)); }),
        thread_([this, core = std::move(core)] { run(); }),
        thread_id_(thread_.get_id()) {}
  ~PublishIo() { loop_.abort(); }
  PublishIo(const PublishIo&) = delete;
  PublishIo& operator=(const PublishIo&) = delete;

  bool is_this_thread() const noexcept { return !finished_ && std::this_thread::get_id() == thread_id_; }
  void wake() noexcept { loop_.wake(); }

  /// Ends what is in flight.
  void abort() noexcept {
    abort_ = true;
    loop_.wake();
  }

  /// Waits for the thread's end, unless it is this one, which then ends by itself.
  void finish(std::unique_lock<std::mutex>& lock) {
    if (is_this_thread()) {
      if (thread_.joinable()) thread_.detach();
      return;
    }
    loop_.wake();
    std::thread thread = std::exchange(thread_, {});
    state_.changed.wait(lock, [&] { return finished_; });
    if (!thread.joinable()) return;
    lock.unlock();
    thread.join();
    lock.lock();
  }

 private:
  void run() {
    while (goes_on()) loop_.turn(Duration::max());
  }

  bool goes_on() {
    std::unique_lock lock(state_.mutex);
    if (abort_) {
      lock.unlock();
      loop_.abort();
      lock.lock();
    }
    if (!state_.machine.is_closed() || !state_.machine.idle() || !loop_.idle()) return true;
    finished_ = true;
    state_.changed.notify_all();
    return false;
  }

  using Async = decltype(open_async(std::declval<typename ChannelType::transport_type&>()));

  PublishState& state_;
  Async transport_;
  PublishLoop<RouteType, ChannelType, Async> loop_;
  std::jthread fetcher_;
  bool abort_ = false;
  bool finished_ = false;
  std::thread thread_;
  std::thread::id thread_id_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
