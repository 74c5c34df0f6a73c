#pragma once

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stop_token>
#include <thread>

/// Turns SIGINT and SIGTERM into a stop request; a second one ends the program at once. Make it before any other
/// thread: the signals are blocked in all of them and a thread of its own waits for one, since a signal handler may not
/// request a stop.
class StopOnSignal {
 public:
  StopOnSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    waiter_ = std::thread([this] {
      int signal = 0;
      sigwait(&signals_, &signal);
      source_.request_stop();
      if (ended_) return;
      sigwait(&signals_, &signal);
      if (!ended_) std::_Exit(128 + signal);
    });
  }
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  ~StopOnSignal() {
    ended_ = true;
    pthread_kill(waiter_.native_handle(), SIGTERM);
    waiter_.join();
  }

  std::stop_token token() const { return source_.get_token(); }
  void stop() { source_.request_stop(); }

 private:
  sigset_t signals_{};
  std::stop_source source_;
  std::atomic<bool> ended_ = false;
  std::thread waiter_;
};
