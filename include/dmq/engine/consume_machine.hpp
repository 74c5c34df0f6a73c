#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <dmq/engine/holdings.hpp>
#include <dmq/engine/poller.hpp>
#include <dmq/engine/request_gate.hpp>
#include <dmq/engine/run_log.hpp>
#include <dmq/sqs/poll.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Decides what a running consumer asks of its queue, and when: it polls while there is room, batches what its holdings
/// want deleted or changed, waits after failures, and comes to an end when it is stopped. It does no I/O: events come
/// in with the time, the take functions give what is to be done, and next_deadline() says when to ask again. At most
/// one poll, one delete and one change of visibilities are in flight. Not thread-safe.
class ConsumeMachine {
 public:
  using Outcome = BatchOutcome;
  using Sending = Holdings::Sending;

  /// `settings` hold by check_run() and outlive it. `clock` gives the time to the leases that handlers see.
  ConsumeMachine(const ConsumeSettings& settings, std::function<Ticks()> clock, std::uint64_t seed, bool keeps_notices)
      : settings_(settings),
        clock_(std::move(clock)),
        random_(seed),
        log_(keeps_notices),
        poller_(settings),
        holdings_(settings, clock_, random_, log_),
        delete_gate_(gate_cap(settings)),
        change_gate_(gate_cap(settings)) {}
  ConsumeMachine(const ConsumeMachine&) = delete;
  ConsumeMachine& operator=(const ConsumeMachine&) = delete;

  /// The next poll, if there is to be one.
  std::optional<PollOrder> take_poll(Instant now);
  /// `listening_since`: nothing of the answer had arrived before that.
  void on_polled(std::vector<sqs::Arrival>&& arrivals, Ticks listening_since, Instant now);
  /// `sent` is when the first byte of the request went out, if it did.
  void on_poll_failed(const Error& error, std::optional<Instant> sent, Instant now);
  /// Whether the poll in flight is to be broken off.
  bool poll_is_unwanted() const noexcept {
    return is_stopping() && poller_.in_flight() && !recovering_ && settings_.run.stop_poll == StopPoll::abort;
  }

  /// A message for a handler, if there is one: it is running from now on.
  std::optional<Claim> take_work(Instant now) { return holdings_.take_work(now); }
  /// Whether take_work() may have something.
  bool has_work() const noexcept { return holdings_.has_work(); }
  /// The handler of a claim is over, after `took`. A claim that was abandoned is ignored.
  void on_handled(std::uint64_t claim, const Handled& handled, Duration took, Instant now) {
    holdings_.on_handled(claim, handled, took, now);
  }

  /// Up to ten messages that are to be deleted, in one request.
  std::vector<DeleteOrder> take_deletes(Instant now);
  void on_deleted(const std::vector<DeleteOrder>& orders, const Outcome& outcome, Instant now);
  /// Up to ten changes of visibility, in one request.
  std::vector<ChangeOrder> take_changes(Instant now);
  void on_changed(const std::vector<ChangeOrder>& orders, const Outcome& outcome, const Sending& sending, Instant now);

  void on_timer(Instant now);
  /// When something is to be done, should nothing else happen; at once when it is finished.
  Ticks next_deadline();

  /// No more polls until they are wanted again; what is held goes on.
  void set_paused(bool paused) noexcept { paused_ = paused; }
  /// What waits goes back, what runs may end by the stop deadline, and then it is finished.
  void stop(Instant now);
  /// The same, because of an error that trying again does not mend.
  void fail(Error error, Instant now);
  bool is_stopping() const noexcept { return holdings_.is_stopping(); }
  bool is_finished() const;

  std::size_t held() const noexcept { return holdings_.size(); }
  std::size_t running() const noexcept { return holdings_.running(); }
  std::vector<Notice> take_notices() noexcept { return std::exchange(log_.notices, {}); }
  const RunReport& report() const noexcept { return log_.report; }

 private:
  static Duration gate_cap(const ConsumeSettings& settings) {
    return std::max<Duration>(settings.visibility / 10, std::chrono::seconds(1));
  }
  bool wants_recovery(Ticks now) const noexcept {
    return is_stopping() && settings_.run.stop_poll == StopPoll::abort && recoveries_left_ > 0 && !log_.report.error &&
           poller_.lost_answer(now);
  }

  const ConsumeSettings& settings_;
  std::function<Ticks()> clock_;
  Random random_;
  RunLog log_;
  Poller poller_;
  Holdings holdings_;
  RequestGate delete_gate_;
  RequestGate change_gate_;

  bool paused_ = false;
  bool recovering_ = false;  ///< The poll in flight asks for what the one that was broken off may have claimed.
  int recoveries_left_ = 2;
  bool gave_up_ = false;
  Ticks stop_deadline_ = Ticks::max();
};

/// Too many messages are in flight (standard queues): that passes.
inline bool is_over_limit(const Error& error) {
  return error.service_code.ends_with("OverLimit");
}

inline std::optional<PollOrder> ConsumeMachine::take_poll(Instant now) {
  if (is_stopping()) {
    if (!wants_recovery(now.ticks)) return std::nullopt;
    std::optional<PollOrder> order = poller_.take(Holdings::most_in_a_request, now);
    if (!order) return std::nullopt;
    recovering_ = true;
    --recoveries_left_;
    order->wait = std::chrono::seconds(0);
    return order;
  }
  if (paused_ && !poller_.lost_answer(now.ticks)) return std::nullopt;
  return poller_.take(holdings_.room(), now);
}

inline void ConsumeMachine::on_polled(std::vector<sqs::Arrival>&& arrivals, Ticks listening_since, Instant now) {
  poller_.on_answer();
  recovering_ = false;
  log_.report.received += arrivals.size();
  log_.note({.kind = EventKind::received, .count = arrivals.size()});
  holdings_.arrive(std::move(arrivals), listening_since, now.ticks);
}

inline void ConsumeMachine::on_poll_failed(const Error& error, std::optional<Instant> sent, Instant now) {
  const bool was_recovering = std::exchange(recovering_, false);
  if (sqs::is_stale_attempt(error)) return poller_.on_stale_attempt(now, random_);
  if (is_stopping() && !was_recovering && error.kind == ErrorKind::cancelled) return poller_.on_cancelled(sent);
  const retry::Fault fault = is_over_limit(error) ? retry::Fault::throttled : retry::classify(error);
  const Duration pause = poller_.on_failure(error, fault, sent, now, random_);
  log_.note({.kind = EventKind::poll_failed, .level = Level::warning, .duration = pause, .error = error});
  if (is_final(error) && !is_over_limit(error) && !was_recovering) fail(error, now);
}

inline std::vector<DeleteOrder> ConsumeMachine::take_deletes(Instant now) {
  if (!delete_gate_.is_open(now.ticks)) return {};
  std::vector<DeleteOrder> orders = holdings_.take_deletes();
  if (!orders.empty()) delete_gate_.on_send();
  return orders;
}

inline void ConsumeMachine::on_deleted(const std::vector<DeleteOrder>& orders, const Outcome& outcome, Instant now) {
  delete_gate_.on_end(outcome, now.ticks, random_);
  for (std::size_t i = 0; i < orders.size(); ++i)
    if (auto error = holdings_.settle_delete(orders[i], result_of(outcome, i), now)) fail(*std::move(error), now);
}

inline std::vector<ChangeOrder> ConsumeMachine::take_changes(Instant now) {
  if (!change_gate_.is_open(now.ticks)) return {};
  std::vector<ChangeOrder> orders = holdings_.take_changes(now);
  if (!orders.empty()) change_gate_.on_send();
  return orders;
}

inline void ConsumeMachine::on_changed(const std::vector<ChangeOrder>& orders, const Outcome& outcome,
                                       const Sending& sending, Instant now) {
  change_gate_.on_end(outcome, now.ticks, random_);
  for (std::size_t i = 0; i < orders.size(); ++i)
    if (auto error = holdings_.settle_change(orders[i], result_of(outcome, i), sending, now))
      fail(*std::move(error), now);
}

inline void ConsumeMachine::on_timer(Instant now) {
  holdings_.on_timer(now.ticks);
  if (!is_stopping() || now.ticks < stop_deadline_) return;
  gave_up_ = true;
  holdings_.give_up();
}

inline Ticks ConsumeMachine::next_deadline() {
  if (is_finished()) return Ticks::min();
  Ticks next = std::min(holdings_.next_deadline(), stop_deadline_);
  const bool wants_poll =
      is_stopping() ? wants_recovery(clock_()) : (!paused_ && holdings_.room() > 0) || poller_.lost_answer(clock_());
  if (!poller_.in_flight() && wants_poll) next = std::min(next, poller_.opens_at());
  if (holdings_.has_deletes()) next = std::min(next, delete_gate_.opens_at());
  return std::min(next, std::max(holdings_.next_change(), change_gate_.opens_at()));
}

inline void ConsumeMachine::stop(Instant now) {
  if (stop_deadline_ == Ticks::max()) stop_deadline_ = now.ticks + settings_.run.stop_deadline;
  holdings_.stop(now.ticks);
}

inline void ConsumeMachine::fail(Error error, Instant now) {
  if (!log_.report.error) log_.report.error = std::move(error);
  stop(now);
}

inline bool ConsumeMachine::is_finished() const {
  if (!is_stopping()) return false;
  if (gave_up_) return true;
  return holdings_.empty() && !delete_gate_.in_flight() && !change_gate_.in_flight() && !poller_.in_flight() &&
         !wants_recovery(clock_());
}

}  // namespace dmq::inline DMQ_ABI::engine
