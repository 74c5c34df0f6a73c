#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <list>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>
#include <dmq/http/async_transport.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Makes an AsyncHttpTransport of a blocking one: each exchange runs on one of a few threads, which start as they are
/// needed. A request waits for a free one under its own time limit; when that runs out it completes with timeout,
/// not_sent. What the transport throws becomes network, unknown.
///
/// Cancelling a request under way fires its stop token; its completion comes when send() has returned. Destruction
/// fires all of them and waits for the threads.
///
/// `Transport` may be a reference, to a transport that outlives the pool.
template <http::HttpTransport Transport>
class BlockingPool {
 public:
  /// `threads`: how many requests may be under way at once, at least 1.
  explicit BlockingPool(Transport transport, std::size_t threads = 8)
      : transport_(std::forward<Transport>(transport)), limit_(std::max<std::size_t>(threads, 1)) {
    threads_.reserve(limit_);
  }
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;
  ~BlockingPool();

  void start(std::uint64_t id, http::Request&& request);
  void poll(std::vector<http::Completion>& out, Duration at_most);
  void cancel(std::uint64_t id);
  void wake() noexcept;

 private:
  struct Job {
    http::Completion completion{};
    Ticks deadline{};
    std::stop_source stop{};
  };
  // A job moves from list to list, and its address stays. Under the mutex, all of them.
  using Jobs = std::list<Job>;

  static typename Jobs::iterator find(Jobs& jobs, std::uint64_t id);
  void add_thread();
  void work();
  void exchange(Job& job);
  void finish(Jobs& from, typename Jobs::iterator job, Error error);
  Ticks expire(Ticks now);
  Error no_thread_in_time() const;
  void hand_over(std::vector<http::Completion>& out);

  Transport transport_;
  const std::size_t limit_;
  const SystemClock clock_{};
  std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::condition_variable_any changed_;
  Jobs waiting_;
  Jobs running_;
  Jobs done_;
  bool woken_ = false;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

/// The asynchronous side of a transport, which has to outlive it: its own where it has one, else a BlockingPool of
/// eight threads.
template <http::HttpTransport Transport>
http::AsyncHttpTransport auto open_async(Transport& transport) {
  if constexpr (http::OpensAsync<Transport>)
    return transport.open_async();
  else
    return BlockingPool<Transport&>(transport);
}

template <http::HttpTransport Transport>
BlockingPool<Transport>::~BlockingPool() {
  std::vector<std::stop_source> stops;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    for (const Job& job : running_) stops.push_back(job.stop);
  }
  work_to_do_.notify_all();
  // Outside the lock: what a stop calls is not ours.
  for (std::stop_source& stop : stops) stop.request_stop();
  for (std::thread& thread : threads_) thread.join();
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::start(std::uint64_t id, http::Request&& request) {
  Jobs added(1);
  Job& job = added.front();
  job.completion.id = id;
  // Bounded, so that a limit of "for ever" can be added to a time.
  job.deadline = clock_.ticks() + std::clamp<Duration>(request.timeout, Duration::zero(), std::chrono::hours(24 * 24));
  const std::lock_guard lock(mutex_);
  job.completion.request = std::move(request);
  waiting_.splice(waiting_.end(), added);
  if (running_.size() + waiting_.size() > threads_.size() && threads_.size() < limit_) add_thread();
  work_to_do_.notify_one();
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::add_thread() {
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::exception&) {
    // Those that are there do it. Without any, nothing will.
    if (threads_.empty())
      finish(waiting_, std::prev(waiting_.end()),
             {.kind = ErrorKind::network, .message = "the system gives no thread to send the request on"});
  }
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::cancel(std::uint64_t id) {
  std::unique_lock lock(mutex_);
  if (const auto job = find(waiting_, id); job != waiting_.end())
    return finish(waiting_, job, {.kind = ErrorKind::cancelled, .message = "the request was stopped by its caller"});
  const auto job = find(running_, id);
  if (job == running_.end()) return;
  std::stop_source stop = job->stop;
  lock.unlock();
  stop.request_stop();
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::wake() noexcept {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::poll(std::vector<http::Completion>& out, Duration at_most) {
  std::unique_lock lock(mutex_);
  const auto has_news = [this] { return woken_ || !done_.empty(); };
  Ticks now = clock_.ticks();
  const Ticks end = now + std::clamp<Duration>(at_most, Duration::zero(), std::chrono::hours(1));
  for (;; now = clock_.ticks()) {
    const Ticks next_expiry = expire(now);
    if (has_news() || now >= end) break;
    wait_until(clock_, changed_, lock, {}, std::min(end, next_expiry), has_news);
  }
  woken_ = false;
  hand_over(out);
}

/// Ends what waited for too long. When the next one does.
template <http::HttpTransport Transport>
Ticks BlockingPool<Transport>::expire(Ticks now) {
  Ticks next = Ticks::max();
  for (auto job = waiting_.begin(); job != waiting_.end();) {
    const auto current = job++;
    if (current->deadline > now)
      next = std::min(next, current->deadline);
    else
      finish(waiting_, current, no_thread_in_time());
  }
  return next;
}

template <http::HttpTransport Transport>
Error BlockingPool<Transport>::no_thread_in_time() const {
  return {.kind = ErrorKind::timeout,
          .message = "the time limit of the request ran out before one of " + std::to_string(limit_) +
                     " threads was free; raise it, or give the BlockingPool more threads"};
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::finish(Jobs& from, typename Jobs::iterator job, Error error) {
  job->completion.result = std::move(error);
  done_.splice(done_.end(), from, job);
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::hand_over(std::vector<http::Completion>& out) {
  for (; !done_.empty(); done_.pop_front()) out.push_back(std::move(done_.front().completion));
}

template <http::HttpTransport Transport>
auto BlockingPool<Transport>::find(Jobs& jobs, std::uint64_t id) -> typename Jobs::iterator {
  return std::find_if(jobs.begin(), jobs.end(), [id](const Job& job) { return job.completion.id == id; });
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_to_do_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (closing_) return;
    const auto job = waiting_.begin();
    running_.splice(running_.end(), waiting_, job);
    lock.unlock();
    exchange(*job);
    lock.lock();
    done_.splice(done_.end(), running_, job);
    changed_.notify_all();
  }
}

template <http::HttpTransport Transport>
void BlockingPool<Transport>::exchange(Job& job) {
  http::Request& request = job.completion.request;
  // The transport gets what is left of the limit; the request comes back as it was.
  const Duration limit = request.timeout;
  request.timeout = job.deadline - clock_.ticks();
  try {
    job.completion.result = request.timeout > Duration::zero() ? transport_.send(request, job.stop.get_token())
                                                               : Result<http::Response>(no_thread_in_time());
  } catch (...) {
    job.completion.result = Error{.kind = ErrorKind::network,
                                  .delivery = DeliveryState::unknown,
                                  .message = "the transport threw: " + current_exception_text()};
  }
  request.timeout = limit;
}

}  // namespace dmq::inline DMQ_ABI::runtime
