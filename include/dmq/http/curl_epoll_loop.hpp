#pragma once

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <vector>

#include <dmq/http/curl.hpp>
#include <dmq/http/curl_socket.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) noexcept : number_(number) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

/// A multi and what carries it on: epoll, so that a turn costs what happened and not what is open. All but wake() are
/// for one thread.
class CurlEpollLoop {
 public:
  CurlEpollLoop();

  CURLM* multi() const noexcept { return multi_.get(); }
  /// False when no file descriptors or no memory were left.
  bool is_usable() const noexcept { return usable_; }

  /// Before a handle's first exchange: its connections tell of their sockets, which then stay in the epoll set between
  /// two exchanges. That saves each two system calls.
  void attend(CURL* easy) noexcept;

  /// Waits until there is something to do, and does it. True when wake() was called.
  bool turn(Duration at_most);

  void wake() noexcept { static_cast<void>(eventfd_write(wake_up_.get(), 1)); }

 private:
  using Clock = std::chrono::steady_clock;
  /// Of a socket, by its number.
  struct Watch {
    bool attended = false;     ///< Its end will be told.
    std::uint32_t events = 0;  ///< In the epoll set.
    std::uint32_t wanted = 0;  ///< By libcurl.
  };

  static int on_open(void* self, curl_socket_t socket, curlsocktype) noexcept;
  static int on_close(void* self, curl_socket_t socket) noexcept;
  static int on_socket(CURL*, curl_socket_t socket, int interest, void* self, void* known) noexcept;
  static int on_timer(CURLM*, long milliseconds, void* self) noexcept;
  bool watch(int operation, int descriptor, std::uint32_t events) noexcept;
  Watch* attended(int descriptor) noexcept;
  void want(int descriptor, Watch& socket, std::uint32_t events) noexcept;
  int wait_milliseconds(Duration at_most) const noexcept;
  void act(curl_socket_t socket, int ready) noexcept;
  bool is_due() const noexcept { return timer_ && Clock::now() >= *timer_; }

  FileDescriptor epoll_;
  FileDescriptor wake_up_;
  std::vector<Watch> watches_;
  std::optional<Clock::time_point> timer_;  ///< When libcurl wants to be called, whatever the sockets do.
  bool usable_ = false;
  CurlMultiHandle multi_;  ///< Closes sockets when it ends, and tells on_socket().
};

inline CurlEpollLoop::CurlEpollLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_up_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      multi_(curl_is_ready() ? curl_multi_init() : nullptr) {
  usable_ = multi_ != nullptr && watch(EPOLL_CTL_ADD, wake_up_.get(), EPOLLIN);
  if (multi_ == nullptr) return;
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &CurlEpollLoop::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &CurlEpollLoop::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
}

inline bool CurlEpollLoop::turn(Duration at_most) {
  std::array<epoll_event, 128> events;
  const int limit = static_cast<int>(events.size());
  const int count = epoll_wait(epoll_.get(), events.data(), limit, wait_milliseconds(at_most));
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_up_.get()) {
      eventfd_t calls = 0;
      static_cast<void>(eventfd_read(wake_up_.get(), &calls));
      woken = true;
      continue;
    }
    if (Watch* const socket = attended(event.data.fd); socket != nullptr && socket->wanted == 0) {
      // Nobody waits for it: its server has closed it.
      watch(EPOLL_CTL_DEL, event.data.fd, 0);
      socket->events = 0;
      continue;
    }
    // An error shows when it is read.
    const int readable = (event.events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0;
    act(event.data.fd, readable | ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0));
  }
  if (is_due()) {
    timer_.reset();
    act(CURL_SOCKET_TIMEOUT, 0);
  }
  return woken;
}

inline int CurlEpollLoop::wait_milliseconds(Duration at_most) const noexcept {
  constexpr Duration longest = std::chrono::hours(1);
  Duration wait = std::clamp(at_most, Duration::zero(), longest);
  if (timer_) wait = std::clamp<Duration>(*timer_ - Clock::now(), Duration::zero(), wait);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

inline void CurlEpollLoop::act(curl_socket_t socket, int ready) noexcept {
  int running = 0;
  curl_multi_socket_action(multi_.get(), socket, ready, &running);
}

inline int CurlEpollLoop::on_socket(CURL*, curl_socket_t socket, int interest, void* self, void* known) noexcept {
  auto& loop = *static_cast<CurlEpollLoop*>(self);
  const bool is_over = interest == CURL_POLL_REMOVE;
  const std::uint32_t events =
      is_over ? 0U
              : ((interest & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((interest & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (Watch* const attended = loop.attended(socket)) {
    loop.want(socket, *attended, events);
    return 0;
  }
  if (is_over) {
    loop.watch(EPOLL_CTL_DEL, socket, 0);
    return 0;
  }
  if (known == nullptr) curl_multi_assign(loop.multi_.get(), socket, self);
  // The second try is for a socket that was closed behind our back and its number given out again. Should that fail
  // too, the time limits of the requests end them.
  if (!loop.watch(known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, events))
    loop.watch(known == nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, events);
  return 0;
}

inline void CurlEpollLoop::attend(CURL* easy) noexcept {
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &CurlEpollLoop::on_open);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, static_cast<void*>(this));
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlEpollLoop::on_close);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, static_cast<void*>(this));
}

inline int CurlEpollLoop::on_open(void* self, curl_socket_t socket, curlsocktype) noexcept {
  auto& watches = static_cast<CurlEpollLoop*>(self)->watches_;
  const auto place = static_cast<std::size_t>(socket);
  try {
    if (watches.size() <= place) watches.resize(2 * place + 1);
    watches[place] = {.attended = true};
  } catch (const std::bad_alloc&) {
    // Then it leaves the epoll set after each exchange.
  }
  bound_silence(socket);
  return CURL_SOCKOPT_OK;
}

inline int CurlEpollLoop::on_close(void* self, curl_socket_t socket) noexcept {
  auto& loop = *static_cast<CurlEpollLoop*>(self);
  if (Watch* const closed = loop.attended(socket)) {
    // A forked process may hold the connection open, and with it its place in the epoll set.
    if (closed->events != 0) loop.watch(EPOLL_CTL_DEL, socket, 0);
    *closed = {};
  }
  return close(socket);
}

inline CurlEpollLoop::Watch* CurlEpollLoop::attended(int descriptor) noexcept {
  const auto place = static_cast<std::size_t>(descriptor);
  return place < watches_.size() && watches_[place].attended ? &watches_[place] : nullptr;
}

/// What is not wanted any more stays as it is: it will be, with the next exchange.
inline void CurlEpollLoop::want(int descriptor, Watch& socket, std::uint32_t events) noexcept {
  socket.wanted = events;
  if (events == 0 || events == socket.events) return;
  if (watch(socket.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, events)) socket.events = events;
}

inline int CurlEpollLoop::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  auto& timer = static_cast<CurlEpollLoop*>(self)->timer_;
  timer.reset();
  if (milliseconds >= 0) timer = Clock::now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

inline bool CurlEpollLoop::watch(int operation, int descriptor, std::uint32_t events) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.fd = descriptor;
  return epoll_ctl(epoll_.get(), operation, descriptor, &event) == 0;
}

}  // namespace dmq::inline DMQ_ABI::http::detail
