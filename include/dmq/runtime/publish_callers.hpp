#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <stop_token>
#include <utility>

#include <dmq/engine/publish_call.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/retry/policy.hpp>
#include <dmq/runtime/caller_driver.hpp>
#include <dmq/runtime/publish_state.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// The callers of publish(): each waits for its turn in the lanes of its messages, and drives its own requests.
/// Thread-safe.
template <Route RouteType, class ChannelType>
class PublishCallers {
 public:
  using Publication = engine::Publication;

  PublishCallers(PublishState& state, ChannelType& channel, const RouteType& route, const PublishSettings& settings)
      : state_(state), channel_(channel), route_(route), settings_(settings) {}

  /// Takes every publication to an end; those that have failed stay as they are.
  void publish(std::span<Publication> publications, const std::stop_token& stop) {
    Membership membership(state_, publications);
    membership.enter();
    Call call{.publications = publications, .stop = stop, .deadline = channel_.clock().ticks() + settings_.deadline};
    while (gather(call)) send(call);
  }

 private:
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
    Membership(PublishState& state, std::span<Publication> publications) : state_(state), publications_(publications) {}
    void enter() {
      const std::lock_guard lock(state_.mutex);
      for (Publication& publication : publications_) {
        if (publication.fate != Publication::Fate::open) continue;
        if (auto refusal = state_.machine.lane_refusal(publication.entry.message.group)) {
          publication.fail(*std::move(refusal));
        } else {
          state_.machine.enter(publication);
        }
      }
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;
    ~Membership() {
      const std::lock_guard lock(state_.mutex);
      for (Publication& publication : publications_) {
        state_.machine.leave(publication);
        if (publication.entered) state_.machine.count(publication);
      }
      state_.tell_all();
    }

   private:
    PublishState& state_;
    std::span<Publication> publications_;
  };

  /// Waits until some of the call's open publications are first in their lanes and puts them into its batch. False
  /// when none is open any more; those that can't wait longer are ended.
  bool gather(Call& call) {
    std::unique_lock lock(state_.mutex);
    const auto over = [&] { return call.stop.stop_requested() || channel_.clock().ticks() >= call.deadline; };
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
    const Ticks now = channel_.clock().ticks();
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
    engine::PublishCall<RouteType> request(route_, call.sent(), engine::resend_of(settings_));
    engine::Terms terms = engine::publish_terms(settings_, call.sent(), call.deadline, engine::Patience::attempts);
    CallerDriver driver(channel_, request, std::move(terms), call.stop);
    const Result<void> outcome = driver.run();
    settle(call, outcome, driver.exchange());
  }

  /// What the request did, to its own messages and to those of the caller that were to come behind them.
  void settle(Call& call, const Result<void>& outcome, const engine::Exchange& exchange) {
    const std::lock_guard lock(state_.mutex);
    state_.machine.settle(call.sent(), outcome, exchange, channel_.now());
    for (const Publication* publication : call.sent()) {
      if (publication->fate != Publication::Fate::failed) continue;
      hold_back(call, *publication);
      if (retry::is_about_no_message(publication->error)) give_up(call, publication->error);
    }
    state_.tell_all();
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

  PublishState& state_;
  ChannelType& channel_;
  const RouteType& route_;
  const PublishSettings& settings_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
