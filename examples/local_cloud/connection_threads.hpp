#pragma once

#include <httplib.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <system_error>
#include <utility>
#include <vector>

/// The threads of an HTTP server, one for each connection that is open. They start when no other is free, up to `most`;
/// then connections wait for one. A thread that had nothing to do for ten seconds ends.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  /// Of each thread. Only what is touched takes memory: with all of a connection that waits, about 45 kB.
  static constexpr std::size_t stack_bytes = 256U * 1024;
  static constexpr std::chrono::seconds patience{10};

  explicit ConnectionThreads(std::size_t most) : most_(most) {}

  void enqueue(std::function<void()> job) override {
    const std::vector<pthread_t> ended = [&] {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
      if (jobs_.size() <= idle_)
        work_.notify_one();
      else if (running_ < most_)
        start();
      return std::exchange(ended_, {});
    }();
    for (const pthread_t thread : ended) pthread_join(thread, nullptr);
  }

  /// Returns when all jobs are done.
  void shutdown() override {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    work_.notify_all();
    all_ended_.wait(lock, [this] { return running_ == 0; });
    for (const pthread_t thread : ended_) pthread_join(thread, nullptr);
  }

 private:
  /// std::thread has no say in the size of its stack.
  void start() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread{};
    const auto run = [](void* self) -> void* {
      static_cast<ConnectionThreads*>(self)->work();
      return nullptr;
    };
    const int failure = pthread_create(&thread, &attributes, run, this);
    pthread_attr_destroy(&attributes);
    if (failure == 0)
      ++running_;
    else if (running_ == 0)  // Else the job waits for one of those that run.
      throw std::system_error(failure, std::generic_category(), "cannot start a thread");
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      work_.wait_for(lock, patience, [this] { return !jobs_.empty() || stopping_; });
      --idle_;
      if (jobs_.empty()) break;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
    ended_.push_back(pthread_self());
    if (--running_ == 0) all_ended_.notify_all();
  }

  const std::size_t most_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable all_ended_;
  std::deque<std::function<void()>> jobs_;
  std::size_t idle_ = 0;
  std::size_t running_ = 0;
  std::vector<pthread_t> ended_;  ///< To be joined.
  bool stopping_ = false;
};
