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
#include <dmq/engine/lease_changes.hpp>
#include <dmq/engine/request_gate.hpp>
#include <dmq/engine/run_log.hpp>
#include <dmq/retry/policy.hpp>
#include <dmq/sqs/poll.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What a consumer holds: whose turn it is, whose lease goes on, what is deleted or given back, and what is forgotten
/// when things go wrong. Requests are asked of it, and their outcomes told to it; when they go out is not its concern.
/// Not thread-safe.
///
/// A lane is a group's order. Its first message is handled, then deleted, and only then the next is its first. When a
/// message fails, it goes back for a time, and what was taken behind it is kept a little longer than that: either it
/// comes back here, and the lane goes on with it, or the rest lapses by itself and is forgotten. So nothing is handled
/// out of order, whoever gets the failed message next.
class Holdings {
 public:
  using Sending = LeaseChanges::Sending;

  static constexpr std::size_t most_in_a_request = LeaseChanges::most_in_a_request;

  Holdings(const ConsumeSettings& settings, std::function<Ticks()> clock, Random& random, RunLog& log)
      : settings_(settings),
        clock_(std::move(clock)),
        random_(random),
        log_(log),
        lanes_(settings.run.pipelined),
        leases_(settings),
        changes_(settings, lanes_, leases_, log) {}
  Holdings(const Holdings&) = delete;
  Holdings& operator=(const Holdings&) = delete;

  std::size_t size() const noexcept { return lanes_.size(); }
  std::size_t running() const noexcept { return running_; }
  /// How many more may be held.
  std::size_t room() const noexcept {
    if (!holds(Rule::no_poll_without_room)) return most_in_a_request;
    const std::size_t most = settings_.run.max_held > 0 ? settings_.run.max_held : settings_.run.workers * 10;
    return most - std::min(most, lanes_.size());
  }
  bool is_stopping() const noexcept { return stopping_; }
  /// Whether nothing is held, or to be given back.
  bool empty() const noexcept { return lanes_.size() == 0 && changes_.empty(); }

  /// Messages came, not before `since`. When all is stopped they go back at once.
  void arrive(std::vector<sqs::Arrival>&& arrivals, Ticks since, Ticks now);
  std::optional<Claim> take_work(Instant now);
  bool has_work() const noexcept { return lanes_.has_listed() && !stopping_; }
  void on_handled(std::uint64_t claim, const Handled& handled, Duration took, Instant now);

  bool has_deletes() const noexcept { return !to_delete_.empty(); }
  std::vector<DeleteOrder> take_deletes();
  std::vector<ChangeOrder> take_changes(Instant now) { return changes_.take(now); }
  /// What came of one of them. An error that ends the run is returned, and all is stopped.
  std::optional<Error> settle_delete(const DeleteOrder& order, const Result<void>& result, Instant now);
  std::optional<Error> settle_change(const ChangeOrder& order, const Result<void>& result, const Sending& sending,
                                     Instant now);

  void on_timer(Ticks now);
  /// When on_timer() has something to do, should nothing else happen.
  Ticks next_deadline();
  /// When take_changes() has something.
  Ticks next_change() const noexcept { return changes_.next(); }

  /// What waits goes back, and so does what comes.
  void stop(Ticks now);
  /// What runs is abandoned, and what is finished but not deleted may come again.
  void give_up();

 private:
  using State = Held::State;

  bool is_fifo() const { return settings_.queue_type() == QueueType::fifo; }
  void take_in(sqs::Arrival&& arrival, Ticks since);
  void come_again(Held& held, sqs::Arrival&& arrival, Ticks since);
  void return_to_lane(ConsumeLane& lane, const Held& held, Ticks now);
  void remove(Held& held);
  void lose(Held& held, Ticks now);
  void drop_waiting(ConsumeLane& lane, Ticks now);
  void drop_all(Ticks now);
  void make_room(Ticks now);
  void send_back(Held& held, const Disposition& disposition, Ticks now);
  Duration back_off(const Held& held, const Disposition& disposition);
  void finish(Held& held, bool discarded);

  const ConsumeSettings& settings_;
  std::function<Ticks()> clock_;
  Random& random_;
  RunLog& log_;
  ConsumeLanes lanes_;
  LeaseBook leases_;
  LeaseChanges changes_;
  Acknowledgements acknowledgements_;
  std::deque<std::uint64_t> to_delete_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  bool gave_up_ = false;
};

inline void Holdings::arrive(std::vector<sqs::Arrival>&& arrivals, Ticks since, Ticks now) {
  for (sqs::Arrival& arrival : arrivals) take_in(std::move(arrival), since);
  if (stopping_) drop_all(now);
}

inline void Holdings::take_in(sqs::Arrival&& arrival, Ticks since) {
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
inline void Holdings::come_again(Held& held, sqs::Arrival&& arrival, Ticks since) {
  changes_.cancel(held);
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
inline void Holdings::return_to_lane(ConsumeLane& lane, const Held& held, Ticks now) {
  if (!lane.awaited || held.delivery->fence() < lane.awaited->fence) return;
  lane.awaited.reset();
  for (Held* behind : lane.held) {
    if (behind == &held || behind->state != State::waiting) continue;
    changes_.cancel(*behind);
    behind->extend_at = now;
    leases_.update(*behind);
  }
}

inline std::optional<Claim> Holdings::take_work(Instant now) {
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
      log_.note(
          {.kind = EventKind::handled, .level = Level::warning, .subject = subject_of(*held), .error = held->damage});
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

inline void Holdings::on_handled(std::uint64_t claim, const Handled& handled, Duration took, Instant now) {
  Held* const held = lanes_.find(claim);
  if (held == nullptr || gave_up_) return;
  --running_;
  log_.note({.kind = EventKind::handled,
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

inline void Holdings::finish(Held& held, bool discarded) {
  held.state = State::finished;
  held.discarded = discarded;
  leases_.update(held);
  if (const auto forgotten = acknowledgements_.insert(held.delivery->message_id))
    log_.note({.kind = EventKind::forgotten, .level = Level::warning, .subject = {.message_id = *forgotten}});
  to_delete_.push_back(held.id);
  lanes_.consider(*held.lane);
}

/// It failed: it goes back for a time, and what is held behind it is kept a little longer than that.
inline void Holdings::send_back(Held& held, const Disposition& disposition, Ticks now) {
  ++log_.report.retried;
  ConsumeLane& lane = *held.lane;
  const Ticks back_at = now + back_off(held, disposition);
  const ConsumeLane::Awaited awaited{held.delivery->message_id, held.delivery->fence(), back_at};
  const bool lost = held.lost || held.leased_until <= now;
  held.state = State::waiting;
  if (!lost) changes_.plan(held, back_at, false);
  remove(held);
  if (stopping_ || (lost && holds(Rule::loss_drops_the_tail))) return drop_waiting(lane, now);
  bool has_tail = false;
  const Duration longer = holds(Rule::tail_outlasts_the_back_off) ? settings_.run.grace : Duration::zero();
  for (Held* behind : std::vector<Held*>(lane.held)) {
    if (behind->state != State::waiting) continue;
    has_tail = true;
    behind->extend_at = Held::never;
    changes_.plan(*behind, std::min(back_at + longer, behind->hard_cap), true);
  }
  if (has_tail) lane.awaited = awaited;
  if (!holds(Rule::tail_waits_for_its_head)) lanes_.consider(lane);
  lanes_.drop_empty(lane);
}

inline Duration Holdings::back_off(const Held& held, const Disposition& disposition) {
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

/// Its lane may be empty then.
inline void Holdings::remove(Held& held) {
  leases_.close(held);
  lanes_.remove(held);
}

/// What waits in a lane goes back: visible again at once.
inline void Holdings::drop_waiting(ConsumeLane& lane, Ticks now) {
  lane.awaited.reset();
  for (Held* held : std::vector<Held*>(lane.held)) {
    if (held->state != State::waiting) continue;
    changes_.cancel(*held);
    const bool ours = held->leased_until > now;
    if (ours && (!stopping_ || holds(Rule::released_at_the_end))) changes_.plan(*held, now, false);
    if (ours && stopping_) log_.report.released.push_back(to_unfinished(*held));
    remove(*held);
  }
  lanes_.drop_empty(lane);
}

/// The lease of a message is over, or will be before anything can be done about it.
inline void Holdings::lose(Held& held, Ticks now) {
  if (held.lost) return;
  ConsumeLane& lane = *held.lane;
  // A tail whose head did not come back was meant to lapse.
  if (held.state != State::waiting || !lane.awaited) {
    ++log_.report.lost;
    log_.note({.kind = EventKind::lease_lost, .level = Level::warning, .subject = subject_of(held)});
  }
  held.lost = true;
  held.lease.lose();
  leases_.update(held);
  if (held.state == State::waiting) {
    changes_.cancel(held);
    remove(held);
  }
  if (holds(Rule::loss_drops_the_tail)) return drop_waiting(lane, now);
  lanes_.consider(lane);
  lanes_.drop_empty(lane);
}

/// Without room there is no poll, which alone could bring a failed message back: a tail that waits for one makes room
/// when that is due, or when nothing else would.
inline void Holdings::make_room(Ticks now) {
  if (room() > 0 || stopping_) return;
  ConsumeLane* const lane = lanes_.first_awaiting();
  if (lane == nullptr) return;
  const bool stands_still = running_ == 0 && !lanes_.has_listed();
  if (stands_still || lane->awaited->back_at <= now) drop_waiting(*lane, now);
}

inline std::vector<DeleteOrder> Holdings::take_deletes() {
  std::vector<DeleteOrder> orders;
  while (!to_delete_.empty() && orders.size() < most_in_a_request) {
    if (const Held* const held = lanes_.find(to_delete_.front())) orders.push_back({held->id, held->receipt_handle});
    to_delete_.pop_front();
  }
  return orders;
}

inline std::optional<Error> Holdings::settle_delete(const DeleteOrder& order, const Result<void>& result, Instant now) {
  Held* const held = lanes_.find(order.held);
  if (held == nullptr) return std::nullopt;
  ConsumeLane& lane = *held->lane;
  const bool is_newest = order.receipt_handle == held->receipt_handle;
  if (result && is_newest) {
    // A standard queue confirms the delete of a message that others have received meanwhile, and keeps it.
    if (is_fifo() || (!held->lost && held->leased_until > now.ticks))
      acknowledgements_.erase(held->delivery->message_id);
    ++(held->discarded ? log_.report.discarded : log_.report.handled);
    log_.note({.kind = held->discarded ? EventKind::discarded : EventKind::acknowledged,
               .level = held->discarded ? Level::info : Level::debug,
               .subject = subject_of(*held)});
    remove(*held);
    lanes_.consider(lane);
    lanes_.drop_empty(lane);
    return std::nullopt;
  }
  // It has come again meanwhile, or it may yet work.
  if (!is_newest || !is_final(result.error())) {
    if (std::find(to_delete_.begin(), to_delete_.end(), held->id) == to_delete_.end()) to_delete_.push_back(held->id);
    return std::nullopt;
  }
  const bool is_the_end = retry::is_about_no_message(result.error());
  if (is_the_end) {
    log_.report.unconfirmed.push_back(to_unfinished(*held));
    stop(now.ticks);
  } else {
    lose(*held, now.ticks);
  }
  remove(*held);
  if (holds(Rule::loss_drops_the_tail)) {
    drop_waiting(lane, now.ticks);
  } else {
    lanes_.consider(lane);
    lanes_.drop_empty(lane);
  }
  return is_the_end ? std::optional(result.error()) : std::nullopt;
}

inline std::optional<Error> Holdings::settle_change(const ChangeOrder& order, const Result<void>& result,
                                                    const Sending& sending, Instant now) {
  if (Held* const lost = changes_.settle(order, result, sending, now)) lose(*lost, now.ticks);
  if (result || !retry::is_about_no_message(result.error())) return std::nullopt;
  stop(now.ticks);
  return result.error();
}

inline void Holdings::drop_all(Ticks now) {
  for (ConsumeLane* lane : lanes_.all()) drop_waiting(*lane, now);
}

inline void Holdings::on_timer(Ticks now) {
  while (const auto id = leases_.lapsed(now)) lose(*lanes_.find(*id), now);
  make_room(now);
}

inline Ticks Holdings::next_deadline() {
  Ticks next = leases_.next_lapse();
  if (room() == 0)
    if (const ConsumeLane* const lane = lanes_.first_awaiting()) next = std::min(next, lane->awaited->back_at);
  return next;
}

inline void Holdings::stop(Ticks now) {
  if (!std::exchange(stopping_, true)) drop_all(now);
}

inline void Holdings::give_up() {
  if (std::exchange(gave_up_, true)) return;
  for (const auto& [id, held] : lanes_) {
    if (held->state == State::running) {
      log_.report.abandoned.push_back(to_unfinished(*held));
      held->lease.lose();  // Nobody extends it any more, and nobody could tell the handler later.
    }
    if (held->state == State::finished) log_.report.unconfirmed.push_back(to_unfinished(*held));
  }
}

}  // namespace dmq::inline DMQ_ABI::engine
