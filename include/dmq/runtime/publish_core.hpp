#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/engine/prepare.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/runtime/channel.hpp>
#include <dmq/runtime/publish_callers.hpp>
#include <dmq/runtime/publish_io.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// The one owner of a producer's state: its channel, its machine, and who waits. Callers of publish drive their own
/// requests; what is submitted is carried by an I/O thread, which the first submit starts and close ends. In each group
/// only the first in its lane has a request in flight, whoever drives it. Thread-safe.
template <Route RouteType, class ChannelType>
class PublishCore : public std::enable_shared_from_this<PublishCore<RouteType, ChannelType>> {
 public:
  using Publication = engine::Publication;

  template <class... ChannelArguments>
  PublishCore(RouteType route, PublishSettings settings, ChannelArguments&&... channel)
      : channel_(std::forward<ChannelArguments>(channel)...),
        route_(std::move(route)),
        settings_(std::move(settings)),
        state_(settings_, route_.max_batch()),
        callers_(state_, channel_, route_, settings_) {}

  /// Takes every publication to an end. Those that are refused before the network never enter their lane.
  void publish(std::span<Publication> publications, const std::stop_token& stop) {
    for (Publication& publication : publications) prepare(publication);
    if (is_io_thread()) return refuse_in_callback(publications);
    callers_.publish(publications, stop);
  }

  /// See Producer::submit.
  Result<void, PublishError> submit(Message message, std::function<void(PublishResult)> done) {
    if (!done) return PublishError{invalid_argument("submit() needs a callback"), std::move(message)};
    engine::Submissions one;
    engine::Submission& submission = one.emplace_back(std::move(message), std::move(done));
    prepare(submission);
    if (submission.fate == Publication::Fate::failed) return refused(submission);
    std::unique_lock lock(state_.mutex);
    if (std::optional<Error> refusal = admit(submission, lock)) {
      submission.fail(*std::move(refusal));
      return refused(submission);
    }
    if (!io_) io_ = std::make_unique<Io>(this->shared_from_this(), state_, channel_, route_, settings_);
    if (state_.machine.submit(std::move(one), channel_.now())) state_.tell_of_ready();
    return {};
  }

  void resume(const std::string& group, bool may_overtake) {
    const std::lock_guard lock(state_.mutex);
    state_.machine.resume(group, may_overtake);
    state_.tell_all();
  }

  void resume_all() {
    const std::lock_guard lock(state_.mutex);
    state_.machine.resume_all();
  }

  Result<void> flush(Duration limit) {
    if (is_io_thread()) return invalid_argument("flush() can't be called in a callback, for which it would wait");
    std::unique_lock lock(state_.mutex);
    const std::uint64_t epoch = state_.machine.next_epoch();
    if (wait_for(lock, limit, [&] { return state_.machine.idle(epoch); })) return {};
    return Error{.kind = ErrorKind::timeout,
                 .message = "not all that was submitted was reported within the time limit"};
  }

  Ledger close(Duration grace) {
    std::unique_lock lock(state_.mutex);
    state_.machine.close();
    state_.changed.notify_all();
    if (!io_) return state_.machine.ledger();
    const bool in_callback = io_->is_this_thread();
    const bool idle = !in_callback && (io_->wake(), wait_for(lock, grace, [&] { return state_.machine.idle(); }));
    if (!idle) {
      state_.machine.end_queued({.kind = ErrorKind::closed, .message = "the producer was closed before it was sent"});
      io_->abort();
    }
    io_->finish(lock);
    return state_.machine.ledger();
  }

 private:
  using Io = PublishIo<RouteType, ChannelType, PublishCore>;

  void prepare(Publication& publication) {
    engine::prepare(publication, route_, settings_, [this] { return new_id(); });
  }

  Result<std::string> new_id() {
    const std::lock_guard lock(ids_mutex_);
    try {
      return settings_.new_id();
    } catch (...) {
      return configuration_error("no deduplication id could be made: " + current_exception_text());
    }
  }

  static PublishError refused(engine::Submission& submission) {
    return {std::move(submission.error), std::move(submission.entry.message)};
  }

  /// Why a submission can't be taken in; waits for room first. Under the lock.
  std::optional<Error> admit(const engine::Submission& submission, std::unique_lock<std::mutex>& lock) {
    const std::string& group = submission.entry.message.group;
    const std::size_t bytes = message_bytes(submission.entry.message);
    if (!state_.machine.has_room(bytes) && settings_.submit.when_full == WhenFull::wait && !is_io_thread_locked())
      wait_for(lock, settings_.deadline,
               [&] { return state_.machine.has_room(bytes) || state_.machine.refusal(group).has_value(); });
    if (std::optional<Error> refusal = state_.machine.refusal(group)) return refusal;
    if (state_.machine.has_room(bytes)) return std::nullopt;
    return Error{.kind = ErrorKind::full, .message = "the producer holds as much as max_messages or max_bytes allow"};
  }

  template <class Done>
  bool wait_for(std::unique_lock<std::mutex>& lock, Duration limit, Done done) {
    const Ticks now = channel_.clock().ticks();
    const Ticks deadline = limit < Ticks::max() - now ? now + limit : Ticks::max();
    return wait_until(channel_.clock(), state_.changed, lock, {}, deadline, std::move(done));
  }

  bool is_io_thread() {
    const std::lock_guard lock(state_.mutex);
    return is_io_thread_locked();
  }
  bool is_io_thread_locked() const { return io_ && io_->is_this_thread(); }

  static void refuse_in_callback(std::span<Publication> publications) {
    for (Publication& publication : publications)
      if (publication.fate == Publication::Fate::open)
        publication.fail(
            invalid_argument("publish() can't be called in a callback, whose thread it would block: use "
                             "submit()"));
  }

  ChannelType channel_;
  RouteType route_;
  PublishSettings settings_;
  std::mutex ids_mutex_;
  PublishState state_;
  PublishCallers<RouteType, ChannelType> callers_;
  std::unique_ptr<Io> io_;  ///< From the first submit on.
};

}  // namespace dmq::inline DMQ_ABI::runtime
