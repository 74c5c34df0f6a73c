#pragma once

#include <algorithm>
#include <array>
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
#include <dmq/engine/publish_call.hpp>
#include <dmq/engine/publish_machine.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/runtime/caller_driver.hpp>
#include <dmq/runtime/channel.hpp>
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
        state_(settings_, route_.max_batch()) {}

  /// Takes every publication to an end. Those that are refused before the network never enter their lane.
  void publish(std::span<Publication> publications, const std::stop_token& stop) {
    for (Publication& publication : publications) prepare(publication);
    if (is_io_thread()) return refuse_in_callback(publications);
    Membership membership(*this, publications);
    membership.enter();
    Call call{.publications = publications, .stop = stop, .deadline = channel_.now().ticks + settings_.deadline};
    while (gather(call)) send(call);
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
    state_.machine.submit(std::move(one), channel_.now());
    wake_loop(std::move(lock));
    return {};
  }

  void resume(const std::string& group, bool may_overtake) {
    std::unique_lock lock(state_.mutex);
    state_.machine.resume(group, may_overtake);
    state_.changed.notify_all();
    wake_loop(std::move(lock));
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

  /// One caller's publications; `batch` holds those of the request that is next.
  struct Call {
    std::span<Publication> publications;
    const std::stop_token& stop;
    Ticks deadline;
    std::size_t first_open = 0;
    std::array<Publication*, 10> batch{};
    std::size_t batch_size = 0;
    Ticks opens_at = Ticks::max();  ///< When the first of the groups opens that were passed over as closed.

    std::span<Publication* const> sent() const { return std::span(batch).first(batch_size); }
  };

  /// Holds a caller's tickets, and gives them back whatever happens.
  class Membership {
   public:
    Membership(PublishCore& core, std::span<Publication> publications) : core_(core), publications_(publications) {}
    void enter() {
      const std::lock_guard lock(core_.state_.mutex);
      for (Publication& publication : publications_) {
        if (publication.fate != Publication::Fate::open) continue;
        if (auto refusal = core_.state_.machine.lane_refusal(publication.entry.message.group)) {
          publication.fail(*std::move(refusal));
        } else {
          core_.state_.machine.enter(publication);
        }
      }
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;
    ~Membership() {
      std::unique_lock lock(core_.state_.mutex);
      for (Publication& publication : publications_) {
        core_.state_.machine.leave(publication);
        if (publication.entered) core_.state_.machine.count(publication);
      }
      core_.changed(std::move(lock));
    }

   private:
    PublishCore& core_;
    std::span<Publication> publications_;
  };

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
    const Ticks now = channel_.now().ticks;
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

  /// Lanes have changed: tells those who wait in them.
  void changed(std::unique_lock<std::mutex> lock) {
    state_.changed.notify_all();
    wake_loop(std::move(lock));
  }
  void wake_loop(std::unique_lock<std::mutex> lock) {
    if (io_ && std::exchange(state_.loop_sleeps, false)) io_->wake();
    lock.unlock();
  }

  /// Waits until some of the call's open publications are first in their lanes and puts them into its batch. False
  /// when none is open any more; those that can't wait longer are ended.
  bool gather(Call& call) {
    std::unique_lock lock(state_.mutex);
    const auto over = [&] { return call.stop.stop_requested() || channel_.now().ticks >= call.deadline; };
    while (has_open(call) && pick(call) == 0 && !over())
      wait_until(channel_.clock(), state_.changed, lock, call.stop, std::min(call.deadline, call.opens_at),
                 [&] { return !has_open(call) || pick(call) > 0; });
    if (!has_open(call)) return false;
    if (!over()) {
      for (Publication* publication : call.sent()) publication->in_flight = true;
      return true;
    }
    const bool stopped = call.stop.stop_requested();
    for (Publication& publication : call.publications.subspan(call.first_open))
      if (publication.fate == Publication::Fate::open)
        state_.machine.end_unsent(publication, {.kind = stopped ? ErrorKind::cancelled : ErrorKind::timeout,
                                                .message = stopped ? "stopped by the caller before it was sent"
                                                                   : "its turn did not come within the time limit"});
    return false;
  }

  static bool has_open(Call& call) {
    while (call.first_open < call.publications.size() &&
           call.publications[call.first_open].fate != Publication::Fate::open)
      ++call.first_open;
    return call.first_open < call.publications.size();
  }

  /// At most max_batch entries and 1 MiB; from each lane one, or a run of up to in_group_batch.
  std::size_t pick(Call& call) {
    constexpr std::size_t window = 1000;  // How far to look ahead for other groups.
    const std::size_t most = std::min(route_.max_batch(), call.batch.size());
    std::size_t bytes = 0;
    call.batch_size = 0;
    call.opens_at = Ticks::max();
    const Ticks now = channel_.now().ticks;
    const auto open = call.publications.subspan(call.first_open);
    for (Publication& publication : open.first(std::min(open.size(), window))) {
      if (publication.fate != Publication::Fate::open || !may_join(call, publication)) continue;
      if (const Ticks opens_at = state_.machine.opens_at(publication); opens_at > now) {
        call.opens_at = std::min(call.opens_at, opens_at);
        continue;
      }
      bytes += message_bytes(publication.entry.message);
      if (call.batch_size > 0 && (bytes > max_message_bytes || publication.alone)) break;
      call.batch[call.batch_size++] = &publication;
      if (call.batch_size == most || publication.alone) break;
    }
    return call.batch_size;
  }

  bool may_join(const Call& call, const Publication& publication) const {
    if (state_.machine.is_first(publication)) return true;
    const auto run = std::count_if(call.sent().begin(), call.sent().end(), [&](const Publication* other) {
      return engine::detail::same_lane(*other, publication);
    });
    if (run == 0 || static_cast<std::size_t>(run) >= settings_.in_group_batch) return false;
    const engine::Lanes::Ticket previous = state_.machine.previous(publication);
    return std::any_of(call.sent().begin(), call.sent().end(),
                       [&](const Publication* other) { return other->ticket == previous; });
  }

  /// One request to its end; then whatever it carried has ended, or is to be sent alone.
  void send(Call& call) {
    engine::Terms terms{.retry = settings_.retry,
                        .repeat = settings_.deduplication == Deduplication::none
                                      ? retry::Repeat::never
                                      : retry::Repeat::within_deduplication_window,
                        .request_timeout = settings_.request_timeout,
                        .deadline = call.deadline};
    for (const Publication* publication : call.sent())
      if (publication->worst == DeliveryState::unknown) terms.first_byte = publication->first_byte;
    engine::PublishCall<RouteType> request(
        route_, call.sent(),
        settings_.deduplication == Deduplication::none ? http::Resend::forbidden : http::Resend::allowed);
    CallerDriver driver(channel_, request, std::move(terms), call.stop);
    const Result<void> outcome = driver.run();
    settle(call, outcome, driver.exchange());
  }

  /// What the request did, to its own messages and to those of the caller that were to come behind them.
  void settle(Call& call, const Result<void>& outcome, const engine::Exchange& exchange) {
    std::unique_lock lock(state_.mutex);
    state_.machine.settle(call.sent(), outcome, exchange, channel_.now());
    for (const Publication* publication : call.sent()) {
      if (publication->fate != Publication::Fate::failed) continue;
      hold_back(call, *publication);
      if (engine::is_about_no_message(publication->error.kind)) give_up(call, publication->error);
    }
    changed(std::move(lock));
  }

  /// What stopped one request would stop all others, too.
  void give_up(Call& call, Error error) {
    error.delivery = DeliveryState::not_sent;
    error.attempts = 0;
    for (Publication& publication : call.publications)
      if (publication.fate == Publication::Fate::open) state_.machine.end_unsent(publication, error);
  }

  /// What the caller queued behind a failed message of the same group comes back to it.
  void hold_back(const Call& call, const Publication& failed) {
    for (Publication& publication : call.publications)
      if (&publication > &failed && publication.fate == Publication::Fate::open &&
          engine::detail::same_lane(publication, failed))
        state_.machine.end_unsent(publication, engine::corked_error(publication.entry.message.group));
  }

  ChannelType channel_;
  RouteType route_;
  PublishSettings settings_;
  std::mutex ids_mutex_;
  PublishState state_;
  std::unique_ptr<Io> io_;  ///< From the first submit on.
};

}  // namespace dmq::inline DMQ_ABI::runtime
