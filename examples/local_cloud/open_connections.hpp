#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

/// How many of `wanted` connections the limit of open files allows, which is raised as far as may be.
inline std::size_t allowed_connections(std::size_t wanted) {
  constexpr rlim_t others = 64;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, wanted + others));
  setrlimit(RLIMIT_NOFILE, &limit);
  return std::min<std::size_t>(wanted, limit.rlim_cur > others ? limit.rlim_cur - others : 1);
}

/// The connections of a server that are open. A thread watches them, so that a long poll hears of it when its client
/// hangs up. A client that closes its sending side counts as gone.
class OpenConnections {
 public:
  struct Entry {
    std::uint64_t id = 0;
    std::stop_token gone{};  ///< The client hung up, or the server stops.
    std::size_t open = 0;    ///< Connections with this one.
  };

  OpenConnections() {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = stop_id}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_event_, &event);
    watcher_ = std::thread([this] { watch(); });
  }
  OpenConnections(const OpenConnections&) = delete;
  OpenConnections& operator=(const OpenConnections&) = delete;
  ~OpenConnections() {
    stop();
    watcher_.join();
    close(epoll_);
    close(stop_event_);
  }

  Entry add(int socket) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t id = ++last_id_;
    std::stop_source& source = sources_[id];
    if (stopped_) source.request_stop();
    epoll_event event{.events = EPOLLRDHUP | EPOLLET, .data = {.u64 = id}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
    return {id, source.get_token(), sources_.size()};
  }

  /// Before the socket is closed.
  void remove(const Entry& entry, int socket) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
    const std::lock_guard lock(mutex_);
    sources_.erase(entry.id);
  }

  /// Stops all, also those to come.
  void stop() {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    eventfd_write(stop_event_, 1);
    for (auto& [id, source] : sources_) source.request_stop();
  }

  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  /// Readable, for poll, from stop() on.
  int stop_event() const noexcept { return stop_event_; }

 private:
  static constexpr std::uint64_t stop_id = 0;

  void watch() {
    std::array<epoll_event, 64> events{};
    while (!stopped()) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) hung_up(events[static_cast<std::size_t>(i)].data.u64);
    }
  }

  void hung_up(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (const auto source = sources_.find(id); source != sources_.end()) source->second.request_stop();
  }

  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  int stop_event_ = eventfd(0, EFD_CLOEXEC);
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::stop_source> sources_;
  std::uint64_t last_id_ = stop_id;
  bool stopped_ = false;
  std::thread watcher_;
};
