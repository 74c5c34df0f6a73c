#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <dmq/consume_settings.hpp>
#include <dmq/core/random.hpp>
#include <dmq/engine/rule.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// One ReceiveMessage that is to be made.
struct PollOrder {
  int max_messages = 0;
  std::chrono::seconds wait{};
  std::string attempt_id{};
};

/// When a consumer polls, and under which attempt id: a poll whose answer was lost is repeated under the same, for as
/// long as what it claimed may be hidden, and five minutes at most, so that this is not hidden from everybody (SQS API
/// reference, ReceiveMessage). Any answer ends the id. Not thread-safe.
class Poller {
 public:
  explicit Poller(const ConsumeSettings& settings) : settings_(settings) {}

  bool in_flight() const noexcept { return in_flight_; }
  /// Whether the answer to a poll was lost, so that there may be messages that nobody sees.
  bool lost_answer(Ticks now) const noexcept { return !attempt_id_.empty() && first_byte_ && now < kept_until(); }
  /// When take() will have something, given room.
  Ticks opens_at() const noexcept { return in_flight_ ? Ticks::max() : not_before_; }

  /// The next poll. While an answer is lost that one is repeated, as it was.
  std::optional<PollOrder> take(std::size_t room, Instant now) {
    if (in_flight_ || now.ticks < not_before_) return std::nullopt;
    if (!lost_answer(now.ticks)) {
      if (room == 0) return std::nullopt;
      forget();
      max_messages_ =
          static_cast<int>(std::min<std::size_t>(room, static_cast<std::size_t>(settings_.run.max_per_receive)));
      if (settings_.queue_type() == QueueType::fifo) attempt_id_ = settings_.new_id();
    }
    in_flight_ = true;
    return PollOrder{max_messages_, settings_.run.wait, attempt_id_};
  }

  void on_answer() noexcept {
    in_flight_ = false;
    failures_ = stale_ = 0;
    forget();
  }

  /// How long it waits until the next poll. `sent` is when the first byte of the request went out.
  Duration on_failure(const Error& error, retry::Fault fault, std::optional<Instant> sent, Instant now,
                      Random& random) {
    in_flight_ = false;
    // What was not sent is no answer to what was sent before it.
    const bool lost = error.delivery == DeliveryState::unknown && error.http_status == 0;
    const bool answered = !lost && error.delivery != DeliveryState::not_sent;
    if (answered || !holds(Rule::lost_poll_is_repeated)) forget();
    if (lost && sent) on_lost(sent->ticks);
    const Duration pause = retry::backoff(policy_, failures_, fault, error.retry_after, random);
    failures_ = std::min(failures_ + 1, 30);
    not_before_ = now.ticks + pause;
    return pause;
  }

  /// A stop has ended it: no failure. What it may have claimed can be asked for at once.
  void on_cancelled(std::optional<Instant> sent) {
    in_flight_ = false;
    if (sent) on_lost(sent->ticks);
    if (!sent && !first_byte_) forget();
    not_before_ = Ticks::min();
  }

  /// The id is not valid any more: the next poll has another, at once. Should that not be valid either, it waits.
  void on_stale_attempt(Instant now, Random& random) {
    in_flight_ = false;
    forget();
    if (stale_ > 0)
      not_before_ = now.ticks + retry::backoff(policy_, stale_, retry::Fault::throttled, std::nullopt, random);
    stale_ = std::min(stale_ + 1, 30);
  }

 private:
  Ticks kept_until() const noexcept {
    return std::min(*first_byte_ + std::chrono::minutes(5), last_byte_ + settings_.visibility);
  }
  void on_lost(Ticks sent) noexcept {
    if (!first_byte_) first_byte_ = sent;
    last_byte_ = sent;
  }
  void forget() noexcept {
    attempt_id_.clear();
    first_byte_.reset();
  }

  const ConsumeSettings& settings_;
  retry::Policy policy_{};
  std::string attempt_id_;
  std::optional<Ticks> first_byte_;  ///< Of the attempt whose answer is lost,
  Ticks last_byte_ = Ticks::min();   ///< and of its last repeat: what that claimed is hidden for longest.
  int max_messages_ = 0;
  int failures_ = 0;  ///< Polls that failed in a row.
  int stale_ = 0;     ///< Attempt ids that were not valid, without an answer since.
  Ticks not_before_ = Ticks::min();
  bool in_flight_ = false;
};

}  // namespace dmq::inline DMQ_ABI::engine
