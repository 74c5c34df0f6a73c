#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/acknowledgements.hpp>
#include <dmq/engine/consume_lanes.hpp>
#include <dmq/engine/consume_orders.hpp>
#include <dmq/engine/lease_book.hpp>
#include <dmq/engine/poller.hpp>
#include <dmq/sqs/poll.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Decides what a running consumer does: when it polls, which message a worker gets, whose lease is extended, what is
/// deleted or given back, and what is forgotten when things go wrong. It does no I/O: events come in with the time, the
/// take functions give what is to be done, and next_deadline() says when to ask again. At most one poll, one delete and
/// one change of visibilities are in flight. Not thread-safe.
///
/// A lane is a group's order. Its first message is handled, then deleted, and only then the next is its first. When a
/// message fails, it goes back for a time, and what was taken behind it is kept a little longer than that: either it
/// comes back here, and the lane goes on with it, or the rest lapses by itself and is forgotten. So nothing is handled
/// out of order, whoever gets the failed message next.
class ConsumeMachine {
 public:
  using Outcome = Result<std::vector<Result<void>>>;

  /// `settings` hold by check_run() and outlive it. `clock` gives the time to the leases that handlers see.
  ConsumeMachine(const ConsumeSettings& settings, std::function<Ticks()> clock, std::uint64_t seed, bool keeps_notices)
      : settings_(settings),
        clock_(std::move(clock)),
        random_(seed),
        keeps_notices_(keeps_notices),
        poller_(settings),
        lanes_(settings.run.pipelined),
        leases_(settings) {}

  /// The next poll, if there is to be one.
  std::optional<PollOrder> take_poll(Instant now);
  /// `listening_since`: nothing of the answer had arrived before that.
  void on_polled(std::vector<sqs::Arrival>&& arrivals, Ticks listening_since, Instant now);
  /// `sent` is when the first byte of the request went out, if it did.
  void on_poll_failed(const Error& error, std::optional<Instant> sent, Instant now);
  /// Whether the poll in flight is to be broken off.
  bool poll_is_unwanted() const noexcept {
    return stopping_ && poller_.in_flight() && !recovering_ && settings_.run.stop_poll == StopPoll::abort;
  }

  /// A message for a handler, if there is one: it is running from now on.
  std::optional<Claim> take_work(Instant now);
  /// Whether take_work() may have something.
  bool has_work() const noexcept { return lanes_.has_listed() && !stopping_; }
  /// The handler of a claim is over, after `took`. A claim that was abandoned is ignored.
  void on_handled(std::uint64_t claim, const Handled& handled, Duration took, Instant now);

  /// Up to ten messages that are to be deleted, in one request.
  std::vector<DeleteOrder> take_deletes(Instant now);
  void on_deleted(const std::vector<DeleteOrder>& orders, const Outcome& outcome, Instant now);
  /// Up to ten changes of visibility, in one request.
  std::vector<ChangeOrder> take_changes(Instant now);
  /// How a request for changes went: when it went out, if it did, and whether an earlier sending of it may still land.
  struct Sending {
    std::optional<Instant> at{};
    bool may_land_again = false;
  };
  void on_changed(const std::vector<ChangeOrder>& orders, const Outcome& outcome, const Sending& sending, Instant now);

  void on_timer(Instant now);
  /// When something is to be done, should nothing else happen; at once when it is finished.
  Ticks next_deadline();

  /// No more polls until they are wanted again; what is held goes on.
  void set_paused(bool paused) noexcept { paused_ = paused; }
  /// What waits goes back, what runs may end by the stop deadline, and then it is finished().
  void stop(Instant now);
  /// The same, because of an error that trying again does not mend.
  void fail(Error error, Instant now);
  bool is_stopping() const noexcept { return stopping_; }
  bool is_finished() const;

  std::size_t held() const noexcept { return lanes_.size(); }
  std::size_t running() const noexcept { return running_; }
  std::vector<Notice> take_notices() noexcept { return std::exchange(notices_, {}); }
  const RunReport& report() const noexcept { return report_; }

 private:
  using State = Held::State;

  static constexpr std::size_t most_in_a_request = 10;
  static constexpr Duration longest_landing = std::chrono::seconds(35);  ///< Of a lost request.

  /// When requests of one kind may go out: one at a time, and after failures with pauses.
  struct Gate {
    bool in_flight = false;
    int failures = 0;
    Ticks not_before = Ticks::min();

    bool is_open(Ticks now) const noexcept { return !in_flight && now >= not_before; }
  };

  bool is_fifo() const { return settings_.queue_type() == QueueType::fifo; }
  std::size_t max_held() const noexcept {
    return settings_.run.max_held > 0 ? settings_.run.max_held : settings_.run.workers * 10;
  }
  std::size_t room() const noexcept {
    if (!holds(Rule::no_poll_without_room)) return most_in_a_request;
    return max_held() - std::min(max_held(), lanes_.size());
  }
  bool wants_recovery(Ticks now) const noexcept {
    return stopping_ && settings_.run.stop_poll == StopPoll::abort && recoveries_left_ > 0 && !report_.error &&
           poller_.lost_answer(now);
  }

  void arrive(sqs::Arrival&& arrival, Ticks since);
  void come_again(Held& held, sqs::Arrival&& arrival, Ticks since);
  void return_to_lane(ConsumeLane& lane, const Held& held, Ticks now);
  void remove(Held& held);
  void lose(Held& held, Ticks now);
  void drop_waiting(ConsumeLane& lane, Ticks now);
  void make_room(Ticks now);
  void plan_change(Held& held, Ticks visible_at, bool stays_ours);
  void cancel_change(Held& held);
  bool is_planned(const Held& held) const;
  bool is_superseded(const ChangeOrder& order);
  void send_back(Held& held, const Disposition& disposition, Ticks now);
  Duration back_off(const Held& held, const Disposition& disposition);
  void finish(Held& held, bool discarded);
  void settle_delete(const DeleteOrder& order, const Result<void>& result, Instant now);
  void settle_change(const ChangeOrder& order, const Result<void>& result, const Sending& sending, Instant now);
  static void suspect(Held& held, const ChangeOrder& order, Ticks now);
  void close_gate(Gate& gate, const Outcome& outcome, Ticks now);
  void give_up();
  void note(Notice notice) {
    if (keeps_notices_) notices_.push_back(std::move(notice));
  }

  const ConsumeSettings& settings_;
  std::function<Ticks()> clock_;
  Random random_;
  bool keeps_notices_;
  Poller poller_;
  ConsumeLanes lanes_;
  LeaseBook leases_;
  Acknowledgements acknowledgements_;

  std::deque<std::uint64_t> to_delete_;
  std::deque<ChangeOrder> to_change_;  ///< But for extensions, which are made when they are due.
  Gate delete_gate_;
  Gate change_gate_;

  std::size_t running_ = 0;
  bool paused_ = false;
  bool stopping_ = false;
  bool recovering_ = false;  ///< The poll in flight asks for what the one that was broken off may have claimed.
  int recoveries_left_ = 2;
  bool gave_up_ = false;
  Ticks stop_deadline_ = Ticks::max();
  RunReport report_;
  std::vector<Notice> notices_;
};

/// Errors that end a run: trying again does not mend them, and they are about no single message.
inline bool ends_run(const Error& error) {
  return error.kind == ErrorKind::authentication || error.kind == ErrorKind::authorization ||
         error.kind == ErrorKind::configuration;
}

/// Trying again does not help. A cancel that we did not ask for is a request that has no answer.
inline bool is_final(const Error& error) {
  return error.kind != ErrorKind::cancelled && retry::classify(error) == retry::Fault::permanent;
}

/// Too many messages are in flight (standard queues): that passes.
inline bool is_over_limit(const Error& error) {
  return error.service_code.ends_with("OverLimit");
}

inline std::optional<PollOrder> ConsumeMachine::take_poll(Instant now) {
  if (stopping_) {
    if (!wants_recovery(now.ticks)) return std::nullopt;
    std::optional<PollOrder> order = poller_.take(most_in_a_request, now);
    if (!order) return std::nullopt;
    recovering_ = true;
    --recoveries_left_;
    order->wait = std::chrono::seconds(0);
    return order;
  }
  if (paused_ && !poller_.lost_answer(now.ticks)) return std::nullopt;
  return poller_.take(room(), now);
}

inline void ConsumeMachine::on_polled(std::vector<sqs::Arrival>&& arrivals, Ticks listening_since, Instant now) {
  poller_.on_answer();
  recovering_ = false;
  report_.received += arrivals.size();
  note({.kind = EventKind::received, .count = arrivals.size()});
  for (sqs::Arrival& arrival : arrivals) arrive(std::move(arrival), listening_since);
  if (stopping_)
    for (ConsumeLane* lane : lanes_.all()) drop_waiting(*lane, now.ticks);
}

inline void ConsumeMachine::on_poll_failed(const Error& error, std::optional<Instant> sent, Instant now) {
  const bool was_recovering = std::exchange(recovering_, false);
  if (sqs::is_stale_attempt(error)) return poller_.on_stale_attempt(now, random_);
  if (stopping_ && !was_recovering && error.kind == ErrorKind::cancelled) return poller_.on_cancelled(sent);
  const retry::Fault fault = is_over_limit(error) ? retry::Fault::throttled : retry::classify(error);
  const Duration pause = poller_.on_failure(error, fault, sent, now, random_);
  note({.kind = EventKind::poll_failed, .level = Level::warning, .duration = pause, .error = error});
  if (is_final(error) && !is_over_limit(error) && !was_recovering) fail(error, now);
}

inline void ConsumeMachine::arrive(sqs::Arrival&& arrival, Ticks since) {
  sqs::ReceivedMessage& message = arrival.message;
  ConsumeLane& lane = lanes_.lane(is_fifo() ? message.group : message.message_id);
  if (Held* const earlier = lane.find(message.message_id); earlier != nullptr)
    return come_again(*earlier, std::move(arrival), since);
  Held& held = lanes_.add(lane, to_delivery(std::move(message), since), Lease(clock_));
  held.damage = std::move(arrival.damage);
  leases_.open(held, since);
  return_to_lane(lane, held, since);
  if (acknowledgements_.contains(held.delivery->message_id) && holds(Rule::finished_is_remembered)) {
    held.state = State::finished;
    leases_.update(held);
    to_delete_.push_back(held.id);
  }
  lanes_.consider(lane);
}

/// A message of which we hold an earlier claim: that goes on, under the newer handle.
inline void ConsumeMachine::come_again(Held& held, sqs::Arrival&& arrival, Ticks since) {
  cancel_change(held);
  held.receipt_handle = arrival.message.receipt_handle;
  held.receive_count = arrival.message.receive_count;
  if (held.state == State::waiting) {
    *held.delivery = to_delivery(std::move(arrival.message), since);
    held.damage = std::move(arrival.damage);
  }
  leases_.open(held, since);
  return_to_lane(*held.lane, held, since);
  if (held.state == State::finished && std::find(to_delete_.begin(), to_delete_.end(), held.id) == to_delete_.end())
    to_delete_.push_back(held.id);
  lanes_.consider(*held.lane);
}

/// A lane that waits for its failed message goes on when that is back, or when one from behind it comes: then the queue
/// has done with it.
inline void ConsumeMachine::return_to_lane(ConsumeLane& lane, const Held& held, Ticks now) {
  if (!lane.awaited || held.delivery->fence() < lane.awaited->fence) return;
  lane.awaited.reset();
  for (Held* behind : lane.held) {
    if (behind == &held || behind->state != State::waiting) continue;
    cancel_change(*behind);
    behind->extend_at = now;
    leases_.update(*behind);
  }
}

inline std::optional<Claim> ConsumeMachine::take_work(Instant now) {
  while (!stopping_) {
    ConsumeLane* const lane = lanes_.take_listed();
    if (lane == nullptr) return std::nullopt;
    Held* const held = lanes_.next_of(*lane);
    if (held == nullptr) {
      lanes_.drop_empty(*lane);
    } else if (held->leased_until <= now.ticks && holds(Rule::lease_is_checked)) {
      lose(*held, now.ticks);
    } else if (leases_.is_too_short(*held, now.ticks)) {
      // It is considered again when it is extended.
      held->extend_at = std::min(held->extend_at, now.ticks);
      leases_.update(*held);
    } else if (held->damage && holds(Rule::damage_stops_the_lane)) {
      note({.kind = EventKind::handled, .level = Level::warning, .subject = subject_of(*held), .error = held->damage});
      send_back(*held, Disposition::retry(), now.ticks);
    } else {
      held->state = State::running;
      held->delivery->leased_until = held->leased_until;
      leases_.run(*held, now.ticks);
      ++running_;
      return Claim{held->id, held->delivery, held->lease};
    }
  }
  return std::nullopt;
}

inline void ConsumeMachine::on_handled(std::uint64_t claim, const Handled& handled, Duration took, Instant now) {
  Held* const held = lanes_.find(claim);
  if (held == nullptr || gave_up_) return;
  --running_;
  note({.kind = EventKind::handled,
        .level = handled.error ? Level::warning : Level::debug,
        .subject = subject_of(*held),
        .duration = took,
        .error = handled.error});
  // The process may have stood still, and this may be the first to see it.
  if (held->leased_until <= now.ticks) lose(*held, now.ticks);
  const Disposition::Kind kind = handled.disposition.kind;
  if (kind == Disposition::Kind::done || kind == Disposition::Kind::discard)
    finish(*held, kind == Disposition::Kind::discard);
  else
    send_back(*held, handled.disposition, now.ticks);
}

inline void ConsumeMachine::finish(Held& held, bool discarded) {
  held.state = State::finished;
  held.discarded = discarded;
  leases_.update(held);
  if (const auto forgotten = acknowledgements_.insert(held.delivery->message_id))
    note({.kind = EventKind::forgotten, .level = Level::warning, .subject = {.message_id = *forgotten}});
  to_delete_.push_back(held.id);
  lanes_.consider(*held.lane);
}

/// It failed: it goes back for a time, and what is held behind it is kept a little longer than that.
inline void ConsumeMachine::send_back(Held& held, const Disposition& disposition, Ticks now) {
  ++report_.retried;
  ConsumeLane& lane = *held.lane;
  const Ticks back_at = now + back_off(held, disposition);
  const ConsumeLane::Awaited awaited{held.delivery->message_id, held.delivery->fence(), back_at};
  const bool lost = held.lost || held.leased_until <= now;
  held.state = State::waiting;
  if (!lost) plan_change(held, back_at, false);
  remove(held);
  if (stopping_ || (lost && holds(Rule::loss_drops_the_tail))) return drop_waiting(lane, now);
  bool has_tail = false;
  const Duration longer = holds(Rule::tail_outlasts_the_back_off) ? settings_.run.grace : Duration::zero();
  for (Held* behind : std::vector<Held*>(lane.held)) {
    if (behind->state != State::waiting) continue;
    has_tail = true;
    behind->extend_at = Held::never;
    plan_change(*behind, std::min(back_at + longer, behind->hard_cap), true);
  }
  if (has_tail) lane.awaited = awaited;
  if (!holds(Rule::tail_waits_for_its_head)) lanes_.consider(lane);
  lanes_.drop_empty(lane);
}

inline Duration ConsumeMachine::back_off(const Held& held, const Disposition& disposition) {
  using std::chrono::seconds;
  if (disposition.kind == Disposition::Kind::release) return Duration::zero();
  Duration pause = std::clamp<seconds>(disposition.delay.value_or(seconds(0)), seconds(0), max_visibility);
  if (!disposition.delay) {
    const int doublings = std::clamp(held.receive_count - 1, 0, 30);
    const double whole =
        std::min(static_cast<double>(settings_.run.retry_base.count()) * static_cast<double>(1LL << doublings),
                 static_cast<double>(settings_.run.retry_cap.count()));
    pause = Duration(static_cast<Duration::rep>(whole * (0.5 + random_.uniform() / 2)));
  }
  const Duration most = held.hard_cap - clock_() - settings_.run.grace;
  return std::clamp(pause, Duration::zero(), std::max(most, Duration::zero()));
}

/// Its visibility is to end at that time. What does not stay ours is removed by the caller.
inline void ConsumeMachine::plan_change(Held& held, Ticks visible_at, bool stays_ours) {
  cancel_change(held);
  held.changing = true;
  leases_.update(held);
  to_change_.push_back({.held = stays_ours ? held.id : 0,
                        .subject = subject_of(held),
                        .receipt_handle = held.receipt_handle,
                        .visible_at = visible_at,
                        .lease_until = held.leased_until});
}

inline void ConsumeMachine::cancel_change(Held& held) {
  std::erase_if(to_change_, [&](const ChangeOrder& order) { return order.held == held.id; });
  held.changing = false;
  leases_.update(held);
}

inline bool ConsumeMachine::is_planned(const Held& held) const {
  return std::any_of(to_change_.begin(), to_change_.end(),
                     [&](const ChangeOrder& order) { return order.held == held.id; });
}

/// What was given back has come again since, under another handle.
inline bool ConsumeMachine::is_superseded(const ChangeOrder& order) {
  const std::string& id = order.subject.message_id;
  const ConsumeLane* const lane = lanes_.find_lane(is_fifo() ? order.subject.group : id);
  if (lane != nullptr && lane->find(id) != nullptr) return true;
  return std::any_of(to_change_.begin(), to_change_.end(), [&](const ChangeOrder& other) {
    return other.subject.message_id == id && other.subject.receive_count > order.subject.receive_count;
  });
}

/// Its lane may be empty then.
inline void ConsumeMachine::remove(Held& held) {
  leases_.close(held);
  lanes_.remove(held);
}

/// What waits in a lane goes back: visible again at once.
inline void ConsumeMachine::drop_waiting(ConsumeLane& lane, Ticks now) {
  lane.awaited.reset();
  for (Held* held : std::vector<Held*>(lane.held)) {
    if (held->state != State::waiting) continue;
    cancel_change(*held);
    const bool ours = held->leased_until > now;
    if (ours && (!stopping_ || holds(Rule::released_at_the_end))) plan_change(*held, now, false);
    if (ours && stopping_) report_.released.push_back(to_unfinished(*held));
    remove(*held);
  }
  lanes_.drop_empty(lane);
}

/// The lease of a message is over, or will be before anything can be done about it.
inline void ConsumeMachine::lose(Held& held, Ticks now) {
  if (held.lost) return;
  ConsumeLane& lane = *held.lane;
  // A tail whose head did not come back was meant to lapse.
  if (held.state != State::waiting || !lane.awaited) {
    ++report_.lost;
    note({.kind = EventKind::lease_lost, .level = Level::warning, .subject = subject_of(held)});
  }
  held.lost = true;
  held.lease.lose();
  leases_.update(held);
  if (held.state == State::waiting) {
    cancel_change(held);
    remove(held);
  }
  if (holds(Rule::loss_drops_the_tail)) return drop_waiting(lane, now);
  lanes_.consider(lane);
  lanes_.drop_empty(lane);
}

/// Without room there is no poll, which alone could bring a failed message back: a tail that waits for one makes room
/// when that is due, or when nothing else would.
inline void ConsumeMachine::make_room(Ticks now) {
  if (room() > 0 || stopping_) return;
  ConsumeLane* const lane = lanes_.first_awaiting();
  if (lane == nullptr) return;
  const bool stands_still = running_ == 0 && !lanes_.has_listed();
  if (stands_still || lane->awaited->back_at <= now) drop_waiting(*lane, now);
}

inline std::vector<DeleteOrder> ConsumeMachine::take_deletes(Instant now) {
  std::vector<DeleteOrder> orders;
  if (!delete_gate_.is_open(now.ticks)) return orders;
  while (!to_delete_.empty() && orders.size() < most_in_a_request) {
    if (const Held* const held = lanes_.find(to_delete_.front())) orders.push_back({held->id, held->receipt_handle});
    to_delete_.pop_front();
  }
  delete_gate_.in_flight = !orders.empty();
  return orders;
}

inline void ConsumeMachine::on_deleted(const std::vector<DeleteOrder>& orders, const Outcome& outcome, Instant now) {
  close_gate(delete_gate_, outcome, now.ticks);
  for (std::size_t i = 0; i < orders.size(); ++i)
    settle_delete(orders[i], outcome ? (*outcome)[i] : Result<void>(outcome.error()), now);
}

inline void ConsumeMachine::settle_delete(const DeleteOrder& order, const Result<void>& result, Instant now) {
  Held* const held = lanes_.find(order.held);
  if (held == nullptr) return;
  ConsumeLane& lane = *held->lane;
  const bool is_newest = order.receipt_handle == held->receipt_handle;
  if (result && is_newest) {
    // A standard queue confirms the delete of a message that others have received meanwhile, and keeps it.
    if (is_fifo() || (!held->lost && held->leased_until > now.ticks))
      acknowledgements_.erase(held->delivery->message_id);
    ++(held->discarded ? report_.discarded : report_.handled);
    note({.kind = held->discarded ? EventKind::discarded : EventKind::acknowledged,
          .level = held->discarded ? Level::info : Level::debug,
          .subject = subject_of(*held)});
    remove(*held);
    lanes_.consider(lane);
    return lanes_.drop_empty(lane);
  }
  // It has come again meanwhile, or it may yet work.
  if (!is_newest || !is_final(result.error())) {
    if (std::find(to_delete_.begin(), to_delete_.end(), held->id) == to_delete_.end()) to_delete_.push_back(held->id);
    return;
  }
  const Error& error = result.error();
  if (ends_run(error)) {
    report_.unconfirmed.push_back(to_unfinished(*held));
    fail(error, now);
  } else {
    lose(*held, now.ticks);
  }
  remove(*held);
  if (holds(Rule::loss_drops_the_tail)) return drop_waiting(lane, now.ticks);
  lanes_.consider(lane);
  lanes_.drop_empty(lane);
}

inline std::vector<ChangeOrder> ConsumeMachine::take_changes(Instant now) {
  std::vector<ChangeOrder> orders;
  if (!change_gate_.is_open(now.ticks)) return orders;
  while (!to_change_.empty() && orders.size() < most_in_a_request) {
    ChangeOrder order = std::move(to_change_.front());
    to_change_.pop_front();
    if (order.lease_until <= now.ticks || (order.held == 0 && is_superseded(order))) continue;
    const Duration left = std::max<Duration>(order.visible_at - now.ticks, Duration::zero());
    order.visibility = std::chrono::ceil<std::chrono::seconds>(left);
    // From now on it may be no longer than that.
    if (Held* const held = lanes_.find(order.held)) leases_.shorten(*held, now.ticks + order.visibility);
    orders.push_back(std::move(order));
  }
  for (const std::uint64_t id : leases_.due(now.ticks, most_in_a_request - orders.size(), !orders.empty())) {
    Held& held = *lanes_.find(id);
    const std::chrono::seconds visibility = leases_.extension(held, now.ticks);
    held.changing = visibility > std::chrono::seconds(0);
    if (!held.changing) held.extend_at = leases_.next_chance(held);
    leases_.update(held);
    if (!held.changing) continue;
    orders.push_back({.held = id,
                      .extends = true,
                      .subject = subject_of(held),
                      .receipt_handle = held.receipt_handle,
                      .lease_until = held.leased_until,
                      .visibility = visibility});
  }
  change_gate_.in_flight = !orders.empty();
  return orders;
}

inline void ConsumeMachine::on_changed(const std::vector<ChangeOrder>& orders, const Outcome& outcome,
                                       const Sending& sending, Instant now) {
  close_gate(change_gate_, outcome, now.ticks);
  for (std::size_t i = 0; i < orders.size(); ++i)
    settle_change(orders[i], outcome ? (*outcome)[i] : Result<void>(outcome.error()), sending, now);
}

inline void ConsumeMachine::settle_change(const ChangeOrder& order, const Result<void>& result, const Sending& sending,
                                          Instant now) {
  Held* held = lanes_.find(order.held);
  // It came again meanwhile, under a newer handle: this was about a lease of before.
  if (held != nullptr && held->receipt_handle != order.receipt_handle) held = nullptr;
  if (held != nullptr) held->changing = is_planned(*held);  // Its head failed while it was extended.
  if (result) {
    note({.kind = order.extends ? EventKind::extended : EventKind::released,
          .subject = order.subject,
          .duration = order.visibility});
    if (held == nullptr) return;
    const bool awaits = held->lane->awaited.has_value() && held->state == State::waiting;
    if (!order.extends && sending.may_land_again) suspect(*held, order, now.ticks);
    leases_.renew(*held, sending.at.value_or(now).ticks, order.visibility);
    if (awaits) {
      held->extend_at = Held::never;
    } else if (!order.extends) {
      held->extend_at = now.ticks;  // Its head came back while this was under way.
    }
    leases_.update(*held);
    return lanes_.consider(*held->lane);
  }
  const Error& error = result.error();
  if (ends_run(error)) return fail(error, now);
  if (is_final(error)) {
    if (held != nullptr && held->state != State::finished) return lose(*held, now.ticks);
    if (held != nullptr) held->extend_at = Held::never, leases_.update(*held);
    return;
  }
  // Another attempt, while there is a lease to change.
  const bool still_meant =
      held != nullptr ? held->lane->awaited && !held->changing : order.held == 0 && !is_superseded(order);
  if (held != nullptr && !order.extends) {
    if (error.delivery != DeliveryState::unknown) {
      leases_.restore(*held, order.lease_until);
    } else if (still_meant || now.ticks < held->suspect_until) {
      suspect(*held, order, now.ticks);
    }
  }
  if (!order.extends && still_meant) {
    to_change_.push_back(order);
    if (held != nullptr) {
      held->changing = true;
      to_change_.back().lease_until = held->leased_until;  // What was lost may have left it less.
    }
  } else if (held != nullptr) {
    held->extend_at = now.ticks;
  }
  if (held != nullptr) leases_.update(*held);
}

/// A change that makes the lease shorter may still land, after an extension, too.
inline void ConsumeMachine::suspect(Held& held, const ChangeOrder& order, Ticks now) {
  held.suspect_until = now + longest_landing;
  held.suspect_lease = order.visibility;
}

/// After the end of a request: the next may go out at once, or after failures in a row later and later.
inline void ConsumeMachine::close_gate(Gate& gate, const Outcome& outcome, Ticks now) {
  gate.in_flight = false;
  const Error* failure = outcome ? nullptr : &outcome.error();
  if (outcome)
    for (const Result<void>& result : *outcome)
      if (!result && !is_final(result.error())) failure = &result.error();
  if (failure == nullptr) {
    gate.failures = 0;
    return;
  }
  const retry::Policy policy{.cap = std::max<Duration>(settings_.visibility / 10, std::chrono::seconds(1))};
  gate.not_before =
      now + retry::backoff(policy, gate.failures, retry::classify(*failure), failure->retry_after, random_);
  gate.failures = std::min(gate.failures + 1, 30);
}

inline void ConsumeMachine::on_timer(Instant now) {
  while (const auto id = leases_.lapsed(now.ticks)) lose(*lanes_.find(*id), now.ticks);
  make_room(now.ticks);
  if (stopping_ && now.ticks >= stop_deadline_) give_up();
}

inline Ticks ConsumeMachine::next_deadline() {
  if (is_finished()) return Ticks::min();
  Ticks next = leases_.next_lapse();
  if (stopping_ && !gave_up_) next = std::min(next, stop_deadline_);
  const bool wants_poll = (!paused_ && room() > 0) || poller_.lost_answer(clock_());
  if (!poller_.in_flight() && !stopping_ && wants_poll) next = std::min(next, poller_.opens_at());
  if (room() == 0)
    if (const ConsumeLane* const lane = lanes_.first_awaiting()) next = std::min(next, lane->awaited->back_at);
  if (!poller_.in_flight() && wants_recovery(clock_())) next = std::min(next, poller_.opens_at());
  if (!delete_gate_.in_flight && !to_delete_.empty()) next = std::min(next, delete_gate_.not_before);
  if (!change_gate_.in_flight) {
    const Ticks planned = to_change_.empty() ? Ticks::max() : Ticks::min();
    const Ticks due = std::min(planned, leases_.next_extension());
    if (due != Ticks::max()) next = std::min(next, std::max(due, change_gate_.not_before));
  }
  return next;
}

inline void ConsumeMachine::stop(Instant now) {
  if (std::exchange(stopping_, true)) return;
  stop_deadline_ = now.ticks + settings_.run.stop_deadline;
  for (ConsumeLane* lane : lanes_.all()) drop_waiting(*lane, now.ticks);
}

inline void ConsumeMachine::fail(Error error, Instant now) {
  if (!report_.error) report_.error = std::move(error);
  stop(now);
}

/// The stop deadline has passed.
inline void ConsumeMachine::give_up() {
  if (std::exchange(gave_up_, true)) return;
  for (const auto& [id, held] : lanes_) {
    if (held->state == State::running) {
      report_.abandoned.push_back(to_unfinished(*held));
      held->lease.lose();  // Nobody extends it any more, and nobody could tell the handler later.
    }
    if (held->state == State::finished) report_.unconfirmed.push_back(to_unfinished(*held));
  }
}

inline bool ConsumeMachine::is_finished() const {
  if (!stopping_) return false;
  if (gave_up_) return true;
  return lanes_.size() == 0 && to_change_.empty() && !delete_gate_.in_flight && !change_gate_.in_flight &&
         !poller_.in_flight() && !wants_recovery(clock_());
}

}  // namespace dmq::inline DMQ_ABI::engine
