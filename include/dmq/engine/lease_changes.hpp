#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/change_plan.hpp>
#include <dmq/engine/consume_lanes.hpp>
#include <dmq/engine/consume_orders.hpp>
#include <dmq/engine/lease_book.hpp>
#include <dmq/engine/request_gate.hpp>
#include <dmq/engine/run_log.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What the queue is to be told of leases: that one goes on, or ends at a time; and what its answers, or their loss,
/// mean for the leases in the book. Of messages that were given back it remembers only what is still to be said. Not
/// thread-safe; settings, lanes, book and log outlive it.
class LeaseChanges {
 public:
  /// The most messages that a request takes.
  static constexpr std::size_t most_in_a_request = 10;

  /// How a request went: when it went out, if it did, and whether an earlier sending of it may still land.
  struct Sending {
    std::optional<Instant> at{};
    bool may_land_again = false;
  };

  LeaseChanges(const ConsumeSettings& settings, ConsumeLanes& lanes, LeaseBook& leases, RunLog& log)
      : settings_(settings), lanes_(lanes), leases_(leases), log_(log) {}

  /// Whether nothing is to be said but extensions, which are made when they are due.
  bool empty() const noexcept { return plan_.empty(); }
  /// When take() has something.
  Ticks next() const noexcept { return plan_.empty() ? leases_.next_extension() : Ticks::min(); }

  /// The visibility of `held` is to end at that time. What does not stay ours is removed by the caller.
  void plan(Held& held, Ticks visible_at, bool stays_ours);
  void cancel(Held& held);

  /// For one request.
  std::vector<ChangeOrder> take(Instant now);
  /// What came of one of them. The message whose lease is lost by it, if there is one.
  Held* settle(const ChangeOrder& order, const Result<void>& result, const Sending& sending, Instant now);

 private:
  using State = Held::State;

  static constexpr Duration longest_landing = std::chrono::seconds(35);  ///< Of a lost request.

  Held* subject_of_answer(const ChangeOrder& order);
  void extend_due(std::vector<ChangeOrder>& orders, Ticks now);
  void on_changed(Held& held, const ChangeOrder& order, const Sending& sending, Ticks now);
  Held* on_refused(Held& held);
  void on_unclear(Held* held, const ChangeOrder& order, const Error& error, Ticks now);
  bool is_superseded(const ChangeOrder& order) const;
  static void suspect(Held& held, const ChangeOrder& order, Ticks now);

  const ConsumeSettings& settings_;
  ConsumeLanes& lanes_;
  LeaseBook& leases_;
  RunLog& log_;
  ChangePlan plan_;
};

inline void LeaseChanges::plan(Held& held, Ticks visible_at, bool stays_ours) {
  cancel(held);
  held.changing = true;
  leases_.update(held);
  plan_.add({.held = stays_ours ? held.id : 0,
             .subject = subject_of(held),
             .receipt_handle = held.receipt_handle,
             .visible_at = visible_at,
             .lease_until = held.leased_until});
}

inline void LeaseChanges::cancel(Held& held) {
  plan_.cancel(held.id);
  held.changing = false;
  leases_.update(held);
}

/// What was given back has come again since, under another handle.
inline bool LeaseChanges::is_superseded(const ChangeOrder& order) const {
  const std::string& id = order.subject.message_id;
  const ConsumeLane* const lane =
      lanes_.find_lane(settings_.queue_type() == QueueType::fifo ? order.subject.group : id);
  if (lane != nullptr && lane->find(id) != nullptr) return true;
  return plan_.has_newer(order.subject);
}

inline std::vector<ChangeOrder> LeaseChanges::take(Instant now) {
  std::vector<ChangeOrder> orders;
  while (!plan_.empty() && orders.size() < most_in_a_request) {
    ChangeOrder order = *plan_.take();
    if (order.lease_until <= now.ticks || (order.held == 0 && is_superseded(order))) continue;
    const Duration left = std::max<Duration>(order.visible_at - now.ticks, Duration::zero());
    order.visibility = std::chrono::ceil<std::chrono::seconds>(left);
    // From now on it may be no longer than that.
    if (Held* const held = lanes_.find(order.held)) leases_.shorten(*held, now.ticks + order.visibility);
    orders.push_back(std::move(order));
  }
  extend_due(orders, now.ticks);
  return orders;
}

inline void LeaseChanges::extend_due(std::vector<ChangeOrder>& orders, Ticks now) {
  for (const std::uint64_t id : leases_.due(now, most_in_a_request - orders.size(), !orders.empty())) {
    Held& held = *lanes_.find(id);
    const std::chrono::seconds visibility = leases_.extension(held, now);
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
}

inline Held* LeaseChanges::settle(const ChangeOrder& order, const Result<void>& result, const Sending& sending,
                                  Instant now) {
  Held* const held = subject_of_answer(order);
  if (result) {
    log_.note({.kind = order.extends ? EventKind::extended : EventKind::released,
               .subject = order.subject,
               .duration = order.visibility});
    if (held != nullptr) on_changed(*held, order, sending, now.ticks);
    return nullptr;
  }
  if (retry::is_about_no_message(result.error())) return nullptr;
  if (is_final(result.error())) return held != nullptr ? on_refused(*held) : nullptr;
  on_unclear(held, order, result.error(), now.ticks);
  return nullptr;
}

/// None when it came again meanwhile, under a newer handle: the answer is about a lease of before.
inline Held* LeaseChanges::subject_of_answer(const ChangeOrder& order) {
  Held* const held = lanes_.find(order.held);
  if (held == nullptr || held->receipt_handle != order.receipt_handle) return nullptr;
  held->changing = plan_.has(held->id);  // Its head failed while it was extended.
  return held;
}

inline void LeaseChanges::on_changed(Held& held, const ChangeOrder& order, const Sending& sending, Ticks now) {
  const bool awaits = held.lane->awaited.has_value() && held.state == State::waiting;
  if (!order.extends && sending.may_land_again) suspect(held, order, now);
  leases_.renew(held, sending.at ? sending.at->ticks : now, order.visibility);
  if (awaits) {
    held.extend_at = Held::never;
  } else if (!order.extends) {
    held.extend_at = now;  // Its head came back while this was under way.
  }
  leases_.update(held);
  lanes_.consider(*held.lane);
}

/// The queue has no such lease. What is only to be deleted needs none.
inline Held* LeaseChanges::on_refused(Held& held) {
  if (held.state != State::finished) return &held;
  held.extend_at = Held::never;
  leases_.update(held);
  return nullptr;
}

/// Another attempt, while there is a lease to change.
inline void LeaseChanges::on_unclear(Held* held, const ChangeOrder& order, const Error& error, Ticks now) {
  const bool still_meant =
      held != nullptr ? held->lane->awaited && !held->changing : order.held == 0 && !is_superseded(order);
  if (held != nullptr && !order.extends) {
    if (error.delivery != DeliveryState::unknown) {
      leases_.restore(*held, order.lease_until);
    } else if (still_meant || now < held->suspect_until) {
      suspect(*held, order, now);
    }
  }
  if (!order.extends && still_meant) {
    ChangeOrder again = order;
    if (held != nullptr) {
      held->changing = true;
      again.lease_until = held->leased_until;  // What was lost may have left it less.
    }
    plan_.add(std::move(again));
  } else if (held != nullptr) {
    held->extend_at = now;
  }
  if (held != nullptr) leases_.update(*held);
}

/// A change that makes the lease shorter may still land, after an extension, too.
inline void LeaseChanges::suspect(Held& held, const ChangeOrder& order, Ticks now) {
  held.suspect_until = now + longest_landing;
  held.suspect_lease = order.visibility;
}

}  // namespace dmq::inline DMQ_ABI::engine
