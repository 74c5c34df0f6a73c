#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include <dmq/core/error.hpp>
#include <dmq/core/random.hpp>
#include <dmq/engine/rule.hpp>
#include <dmq/retry/budget.hpp>
#include <dmq/retry/deduplication_clock.hpp>
#include <dmq/retry/policy.hpp>
#include <dmq/retry/repeat.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What ends an operation that goes on failing.
enum class Patience {
  attempts,  ///< The number of attempts, an empty retry budget, or the deadline: somebody waits for the outcome.
  deadline,  ///< The deadline alone. While the budget is empty one probe at a time goes on, and its success refills it.
};

/// How long and how often one operation is tried.
struct Terms {
  retry::Policy retry{};
  retry::Repeat repeat = retry::Repeat::always;
  Duration request_timeout = std::chrono::seconds(30);  ///< Of one attempt.
  Ticks deadline = Ticks::max();                        ///< No attempt starts later.
  std::optional<Instant> first_byte{};                  ///< When an earlier exchange sent the same, and nobody knows.
  Patience patience = Patience::attempts;
};

/// What all exchanges of one client draw on.
struct RetryState {
  retry::Budget budget{};
  Random random{0};
  Ticks next_probe =
      Ticks::min();  ///< When an exchange may go on that the budget has nothing for; while one does, late.
};

/// One operation from its authorisation to its end: authorise, send, judge, wait, again. It does nothing itself:
/// step() says what is to be done next, and the shell tells what came of it. `RetryState` may be shared; calls that
/// take it must not overlap. Otherwise not thread-safe.
class Exchange {
 public:
  enum class Step {
    acquire,  ///< Get a token or credentials; then on_value() or on_failure().
    send,     ///< Build, authorise, on_send(), send; then one of the others.
    wait,     ///< Until wake_at(); then on_timer() or on_stop().
    done,     ///< Over: error() is what ended it, if anything did.
  };

  /// A refused value is replaced and the request replayed this often in a row.
  static constexpr int max_replays = 3;

  explicit Exchange(Terms terms) : terms_(std::move(terms)), first_byte_(terms_.first_byte) {
    if (first_byte_) worst_ = DeliveryState::unknown;
  }

  Step step() const noexcept { return step_; }
  /// When it goes on, or would have gone on had there been time.
  Ticks wake_at() const noexcept { return wake_at_; }
  int attempts() const noexcept { return attempts_; }
  /// When the first request went out.
  std::optional<Instant> first_byte() const noexcept { return first_byte_; }
  /// When the last one did.
  std::optional<Instant> last_send() const noexcept { return last_send_; }
  /// What all attempts so far leave open, joined.
  DeliveryState worst() const noexcept { return worst_; }
  /// Nothing after a success.
  const std::optional<Error>& error() const noexcept { return error_; }
  std::optional<Error> take_error() noexcept { return std::move(error_); }

  void on_value() noexcept { step_ = Step::send; }

  /// Right before the request goes out: from here on bytes may be on their way. False when it is too late for it, by
  /// the deadline or the deduplication window, however long ago the attempt was planned; then the exchange is done.
  bool on_send(Instant now) {
    const bool repeatable = may_repeat(now);
    if (now.ticks >= terms_.deadline || !repeatable) {
      finish(error_ ? *std::move(error_) : too_late(repeatable));
      return false;
    }
    ++attempts_;
    last_send_ = now;
    if (!first_byte_) first_byte_ = now;
    return true;
  }

  /// The transport has sent the request twice by itself, and the answer is that of the second.
  void on_resend() noexcept {
    if (holds(Rule::resent_is_unknown)) worst_ = DeliveryState::unknown;
  }

  void on_success(RetryState& shared) noexcept {
    if (unfunded_) shared.budget.refill();
    release_probe(Ticks::min(), shared);
    shared.budget.give_back(std::exchange(taken_, 0));
    error_.reset();
    step_ = Step::done;
  }

  /// An attempt failed, or there was no value to authorise it with.
  void on_failure(Error error, Instant now, RetryState& shared) {
    worst_ = std::max(worst_, error.delivery);
    const retry::Fault fault = retry::classify(error);
    release_probe(now.ticks, shared);
    replays_ = 0;
    ++tries_;
    const bool patient = terms_.patience == Patience::deadline;
    if (fault == retry::Fault::permanent || (!patient && tries_ >= terms_.retry.max_attempts))
      return finish(std::move(error));
    const Instant again = now + retry::backoff(terms_.retry, tries_ - 1, fault, error.retry_after, shared.random);
    wake_at_ = again.ticks;
    if (again.ticks >= terms_.deadline || !may_repeat(again)) return finish(std::move(error));
    unfunded_ = !shared.budget.take(fault);
    if (unfunded_ && !patient) return finish(std::move(error));
    taken_ = unfunded_ ? 0 : retry::Budget::cost(fault);
    error_ = std::move(error);
    step_ = Step::wait;
  }

  /// The service refused the value that was sent: the shell drops it, and the request goes out once more with the
  /// next one. That was no attempt of ours: it neither waits nor counts.
  void on_stale_value(Error error, Instant now) { replay(std::move(error), now, replays_ < max_replays); }

  /// The clock was wrong and is corrected: sign again, once.
  void on_skew(Error error, Instant now) { replay(std::move(error), now, !std::exchange(skew_corrected_, true)); }

  void on_timer(Instant now, RetryState& shared) {
    if (now.ticks < wake_at_) return;
    if (unfunded_ && !fund(now, shared)) return;
    step_ = Step::acquire;
  }

  /// The caller's stop token fired while nothing was in flight.
  void on_stop() { finish(stopped()); }
  static Error stopped() { return {.kind = ErrorKind::cancelled, .message = "stopped by the caller"}; }

 private:
  void replay(Error error, Instant now, bool allowed) {
    worst_ = std::max(worst_, error.delivery);
    ++replays_;
    if (!allowed || now.ticks >= terms_.deadline || !may_repeat(now)) return finish(std::move(error));
    error_ = std::move(error);
    step_ = Step::acquire;
  }

  /// Its retry has waited; without a budget only as the next probe, or it waits again.
  bool fund(Instant now, RetryState& shared) {
    const retry::Fault fault = retry::classify(*error_);
    if (shared.budget.take(fault)) {
      taken_ = retry::Budget::cost(fault);
      unfunded_ = false;
      return true;
    }
    if (now.ticks >= shared.next_probe) {
      shared.next_probe = now.ticks + terms_.request_timeout;
      return probes_ = true;
    }
    const Duration pause = retry::backoff(terms_.retry, tries_ - 1, fault, std::nullopt, shared.random);
    wake_at_ = now.ticks + std::max(pause, terms_.retry.base);
    if (wake_at_ >= terms_.deadline) finish(*std::move(error_));
    return false;
  }

  /// The probe has ended, and another may go out from `next` on.
  void release_probe(Ticks next, RetryState& shared) noexcept {
    if (std::exchange(probes_, false)) shared.next_probe = next;
  }

  bool may_repeat(Instant at) const noexcept {
    if (worst_ != DeliveryState::unknown || terms_.repeat == retry::Repeat::always) return true;
    if (terms_.repeat == retry::Repeat::never || !first_byte_) return false;
    return !holds(Rule::repeat_within_window) ||
           retry::DeduplicationClock(*first_byte_).may_repeat(at, terms_.request_timeout);
  }

  static Error too_late(bool repeatable) {
    return {.kind = ErrorKind::timeout,
            .message = repeatable ? "the time limit ran out before the request could be sent"
                                  : "the queue may have forgotten that it was sent before: sending it again could make "
                                    "it two"};
  }

  /// Outcomes join: once an attempt's fate was unknown, only acceptance makes it better.
  void finish(Error error) {
    if (holds(Rule::outcomes_join)) error.delivery = std::max(worst_, error.delivery);
    error.attempts = attempts_;
    error_ = std::move(error);
    step_ = Step::done;
  }

  Terms terms_;
  Step step_ = Step::acquire;
  Ticks wake_at_ = Ticks::min();
  std::optional<Instant> first_byte_;
  std::optional<Instant> last_send_;
  std::optional<Error> error_;  ///< Of the last attempt that failed.
  DeliveryState worst_ = DeliveryState::not_sent;
  int attempts_ = 0;
  int tries_ = 0;
  int replays_ = 0;
  int taken_ = 0;
  bool unfunded_ = false;  ///< The budget had nothing for its retry,
  bool probes_ = false;    ///< and it went on as the one probe.
  bool skew_corrected_ = false;
};

}  // namespace dmq::inline DMQ_ABI::engine
