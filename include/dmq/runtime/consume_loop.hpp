#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <dmq/runtime/consume_errands.hpp>
#include <dmq/runtime/consume_state.hpp>
#include <dmq/runtime/flights.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Carries out what the machine of a run wants of the queue: polls, deletes, changes of visibility, side by side over
/// an asynchronous transport. Everything happens inside turn(), on one thread; wake() may come from any. It waits
/// nowhere but in the transport's poll(), so that a simulated transport and clock make it a simulation.
template <class ChannelType, http::AsyncHttpTransport Async>
class ConsumeLoop {
 public:
  using Aside = typename Flights<ChannelType, Async>::Aside;

  ConsumeLoop(ConsumeState& state, ChannelType& channel, const sqs::Wire& wire, Async& transport, Aside aside)
      : state_(state),
        channel_(channel),
        wire_(wire),
        settings_(state.settings),
        transport_(transport),
        flights_(channel, transport, std::move(aside)) {}

  /// One round: asks for what is wanted, waits for at most `at_most` for something to happen, takes what has come.
  void turn(Duration at_most) {
    advance();
    wait(at_most);
    advance();
  }

  /// When turn() has something to do, should nothing else happen.
  Ticks next_deadline() {
    const std::lock_guard lock(state_.mutex);
    return deadline();
  }

  /// From any thread; after bringing work.
  void wake() noexcept { transport_.wake(); }

  /// Ends everything soon; turn() has to be called until idle(). What comes of it is told to nobody.
  void abort() {
    aborted_ = true;
    flights_.abort();
  }
  /// Whether no request is under way.
  bool idle() const noexcept { return flights_.empty(); }

 private:
  using Outcome = engine::ConsumeMachine::Outcome;

  /// A lease is counted from when we began to listen for the answer that brought it: no longer than this before.
  static constexpr Duration longest_listening = std::chrono::seconds(1);

  void advance() {
    flights_.advance();
    bool unwanted = false;
    {
      const std::lock_guard lock(state_.mutex);
      state_.machine.on_timer(channel_.now());
      unwanted = poll_ != nullptr && state_.machine.poll_is_unwanted();
    }
    if (unwanted) flights_.cancel(*poll_);
    if (!aborted_) begin();
    flights_.authorize();
    tell();
  }

  void begin() {
    std::unique_lock lock(state_.mutex);
    const Instant now = channel_.now();
    auto deletes = state_.machine.take_deletes(now);
    auto changes = state_.machine.take_changes(now);
    auto poll = take_poll(now);
    const bool has_work = state_.machine.has_work();
    lock.unlock();
    if (has_work) state_.work.notify_all();
    if (poll) begin_poll(*std::move(poll), now);
    if (!deletes.empty()) begin_deletes(std::move(deletes), now);
    if (!changes.empty()) begin_changes(std::move(changes), now);
  }

  /// The program's new_id may throw.
  std::optional<engine::PollOrder> take_poll(Instant now) {
    try {
      return state_.machine.take_poll(now);
    } catch (...) {
      state_.machine.fail(invalid_argument("new_id threw: " + current_exception_text()), now);
      return std::nullopt;
    }
  }

  /// What comes of an attempt the machine decides, so each is made once.
  engine::Terms terms(Duration limit, Instant now) const {
    return {.retry = {.max_attempts = 1}, .request_timeout = limit, .deadline = now.ticks + limit};
  }
  /// A request that hangs must not cost the leases of all others.
  Duration short_limit() const {
    return std::min<Duration>(settings_.request_timeout, std::max<Duration>(settings_.visibility / 5, min_limit));
  }

  void begin_poll(engine::PollOrder order, Instant now) {
    auto ended = [this](Result<std::vector<sqs::Arrival>>&& outcome, const engine::Exchange& exchange) {
      poll_ = nullptr;
      if (aborted_) return;
      const std::lock_guard lock(state_.mutex);
      const Instant then = channel_.now();
      if (outcome)
        state_.machine.on_polled(*std::move(outcome),
                                 std::min(flights_.listening_since(), then.ticks - longest_listening), then);
      else
        state_.machine.on_poll_failed(outcome.error(), sent(outcome.error(), exchange), then);
    };
    const Duration limit = settings_.request_timeout - settings_.run.wait + order.wait;
    auto errand = std::make_unique<PollErrand<decltype(ended)>>(wire_, settings_, std::move(order), std::move(ended));
    poll_ = errand.get();
    flights_.begin(std::move(errand), terms(limit, now));
  }

  void begin_deletes(std::vector<engine::DeleteOrder> orders, Instant now) {
    std::vector<sqs::Handle> handles;
    for (const engine::DeleteOrder& order : orders) handles.push_back({.receipt_handle = order.receipt_handle});
    auto ended = [this, orders = std::move(orders)](Outcome&& outcome, const engine::Exchange&) {
      if (aborted_) return;
      const std::lock_guard lock(state_.mutex);
      state_.machine.on_deleted(orders, outcome, channel_.now());
    };
    flights_.begin(std::make_unique<HandlesErrand<sqs::DeleteMessageBatch, decltype(ended)>>(
                       wire_, settings_, std::move(handles), std::move(ended)),
                   terms(short_limit(), now));
  }

  void begin_changes(std::vector<engine::ChangeOrder> orders, Instant now) {
    std::vector<sqs::Handle> handles;
    for (const engine::ChangeOrder& order : orders)
      handles.push_back({.receipt_handle = order.receipt_handle, .visibility = order.visibility});
    auto ended = [this, orders = std::move(orders)](Outcome&& outcome, const engine::Exchange& exchange) {
      if (aborted_) return;
      const std::lock_guard lock(state_.mutex);
      // Success after something unknown: the transport has sent it twice.
      const bool resent = outcome && exchange.worst() == DeliveryState::unknown;
      state_.machine.on_changed(orders, outcome, {exchange.last_send(), resent}, channel_.now());
    };
    flights_.begin(std::make_unique<HandlesErrand<sqs::ChangeMessageVisibilityBatch, decltype(ended)>>(
                       wire_, settings_, std::move(handles), std::move(ended)),
                   terms(short_limit(), now));
  }

  static std::optional<Instant> sent(const Error& error, const engine::Exchange& exchange) {
    return error.delivery == DeliveryState::unknown ? exchange.last_send() : std::nullopt;
  }

  /// Under the lock.
  Ticks deadline() {
    if (aborted_) return flights_.next_deadline();
    return std::min(flights_.next_deadline(), state_.machine.next_deadline());
  }

  void wait(Duration at_most) {
    const Ticks now = channel_.clock().ticks();
    {
      const std::lock_guard lock(state_.mutex);
      const Ticks next = deadline();
      at_most = next <= now ? Duration::zero() : std::min(at_most, next - now);
      if (poll_ != nullptr) at_most = std::min(at_most, longest_listening);
      state_.loop_sleeps = at_most > Duration::zero();
      state_.loop_wakes_at = at_most < Ticks::max() - now ? now + at_most : Ticks::max();
    }
    flights_.land(at_most);
    const std::lock_guard lock(state_.mutex);
    state_.loop_sleeps = false;
  }

  void tell() {
    std::vector<engine::Notice> notices;
    {
      const std::lock_guard lock(state_.mutex);
      notices = state_.machine.take_notices();
    }
    for (const engine::Notice& notice : notices)
      channel_.observe({.kind = notice.kind,
                        .level = notice.level,
                        .operation = "run",
                        .duration = notice.duration,
                        .error = notice.error ? &*notice.error : nullptr,
                        .group = notice.subject.group,
                        .message_id = notice.subject.message_id,
                        .receive_count = notice.subject.receive_count,
                        .count = notice.count});
  }

  static constexpr Duration min_limit = std::chrono::seconds(2);

  ConsumeState& state_;
  ChannelType& channel_;
  const sqs::Wire& wire_;
  const ConsumeSettings& settings_;
  Async& transport_;
  Flights<ChannelType, Async> flights_;
  const Errand* poll_ = nullptr;  ///< The one in flight.
  bool aborted_ = false;
};

}  // namespace dmq::inline DMQ_ABI::runtime
