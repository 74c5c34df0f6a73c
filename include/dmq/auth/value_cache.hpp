#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <dmq/core/random.hpp>
#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// A token or credentials as they came, and for how long they are good, counted from the start of the request.
template <class T>
struct Fetched {
  T value;
  Duration lifetime = Duration::max();
};

/// When a value is fetched anew.
struct RefreshPolicy {
  double at_fraction = 0.75;                              ///< Of the lifetime, less up to a tenth of it as jitter.
  Duration ahead = Duration::zero();                      ///< And at least this long before the end.
  Duration unusable = std::chrono::seconds(30);           ///< The last part of the lifetime, in which nothing is used.
  Duration first_pause = std::chrono::milliseconds(100);  ///< After a failed fetch; doubles with each further one.
  Duration longest_pause = std::chrono::seconds(30);
  Duration refusal_pause = std::chrono::seconds(60);  ///< After a fresh value was refused, too.
  Duration at_once = std::chrono::milliseconds(100);  ///< Sent later than that, a value may have been revoked since.
  std::string_view if_refused = "the service refuses even a fresh value";  ///< What to check then.
};

/// Decides when a value that expires is fetched, used and dropped; it does neither I/O nor waiting. One fetch is in
/// flight at a time. Events come with the time; a caller asks acquire() and does what it says:
/// - Use: send with this value, then tell accepted() or refused() of its generation;
/// - Lead: fetch, then tell on_fetched(), on_failed() or on_abandoned(), and ask again;
/// - Wait: another caller fetches; ask again when it has told;
/// - Error: there is no value, and it is too early to try for one.
/// Not thread-safe.
template <class T>
class ValueCache {
 public:
  struct Use {
    std::shared_ptr<const T> value;
    std::uint64_t generation = 0;
  };
  struct Lead {};
  struct Wait {};
  using Decision = std::variant<Use, Lead, Wait, Error>;

  explicit ValueCache(RefreshPolicy policy = {}, std::uint64_t seed = 0)
      : policy_(policy), refresh_at_fraction_(policy.at_fraction - 0.1 * Random(seed).uniform()) {}

  Decision acquire(Instant now) {
    const bool usable = current_ != nullptr && now.ticks < unusable_at_;
    if (!fetching_ && now.ticks >= next_fetch_ && (!usable || now.ticks >= refresh_at_)) {
      fetching_ = true;
      fetch_started_ = now;
      fetch_after_refusal_ = refused_;
      return Lead{};
    }
    if (usable) return Use{current_, generation_};
    if (fetching_) return Wait{};
    Error error = last_error_;
    if (next_fetch_ != Ticks::max()) error.retry_after = next_fetch_ - now.ticks;
    return error;
  }

  void on_fetched(Fetched<T> fetched, Instant now) {
    // One that can't be used when it arrives is a failure, which makes a pause: fetching again at once would not end.
    if (fetched.lifetime - (now.ticks - fetch_started_.ticks) <= policy_.unusable) {
      on_failed({.kind = ErrorKind::protocol,
                 .delivery = DeliveryState::not_sent,
                 .message = "the value that was fetched expires too soon to be used"},
                now);
      return;
    }
    fetching_ = false;
    current_ = std::make_shared<const T>(std::move(fetched.value));
    arrived_at_ = now.ticks;
    ++generation_;
    accepted_ = false;
    after_refusal_ = fetch_after_refusal_;
    failures_ = 0;
    next_fetch_ = Ticks::min();
    set_times(fetched.lifetime);
  }

  /// A failure is kept for a while: an identity that is not accepted, for good; what else only a person can mend, for
  /// the refusal pause; the rest for a pause that grows, or what the service asks for, up to the refusal pause.
  void on_failed(Error error, Instant now) {
    fetching_ = false;
    error.delivery = DeliveryState::not_sent;
    if (error.kind == ErrorKind::authentication) {
      next_fetch_ = Ticks::max();
    } else {
      const bool by_person = error.kind == ErrorKind::configuration || error.kind == ErrorKind::authorization;
      const Duration growing =
          std::min<Duration>(policy_.first_pause * (1 << std::min(failures_, 20)), policy_.longest_pause);
      const Duration asked = std::min(error.retry_after.value_or(Duration::zero()), policy_.refusal_pause);
      next_fetch_ = now.ticks + std::max(by_person ? policy_.refusal_pause : growing, asked);
    }
    ++failures_;
    last_error_ = std::move(error);
  }

  /// The leader gave up, for reasons of its own: another caller leads.
  void on_abandoned() noexcept { fetching_ = false; }

  /// The service took this generation.
  void accepted(std::uint64_t generation) noexcept {
    if (generation != generation_) return;
    accepted_ = true;
    refused_ = false;
  }

  /// The service refused this generation, which is dropped. One that had worked counts as revoked, and so does one
  /// whose request was not `sent` as soon as it had arrived. One that was fetched because its forerunner was refused,
  /// and was never accepted, shows that fetching does not help: an error of kind configuration stands in its place for
  /// a while.
  void refused(std::uint64_t generation, Ticks sent, Instant now) {
    if (generation != generation_ || current_ == nullptr) return;
    current_ = nullptr;
    refused_ = true;
    if (accepted_ || !after_refusal_ || next_fetch_ == Ticks::max()) return;
    if (sent > arrived_at_ + policy_.at_once) return;
    next_fetch_ = now.ticks + policy_.refusal_pause;
    last_error_ = {.kind = ErrorKind::configuration,
                   .delivery = DeliveryState::rejected,
                   .message = std::string(policy_.if_refused)};
  }

 private:
  void set_times(Duration lifetime) {
    constexpr Duration for_ever = std::chrono::hours(100 * 365 * 24);  // Sums with more might overflow.
    if (lifetime >= for_ever) {
      refresh_at_ = unusable_at_ = Ticks::max();
      return;
    }
    const auto part =
        Duration(static_cast<Duration::rep>(static_cast<double>(lifetime.count()) * refresh_at_fraction_));
    const Duration ahead = lifetime - policy_.ahead;
    refresh_at_ = fetch_started_.ticks + (policy_.ahead > Duration::zero() ? std::max(part, ahead) : part);
    unusable_at_ = fetch_started_.ticks + lifetime - policy_.unusable;
  }

  RefreshPolicy policy_;
  double refresh_at_fraction_;
  std::shared_ptr<const T> current_;
  std::uint64_t generation_ = 0;
  Ticks refresh_at_ = Ticks::min();
  Ticks unusable_at_ = Ticks::min();
  Ticks next_fetch_ = Ticks::min();
  Ticks arrived_at_ = Ticks::min();
  Instant fetch_started_{};
  Error last_error_{};
  int failures_ = 0;
  bool fetching_ = false;
  bool accepted_ = false;             ///< The current generation worked once.
  bool refused_ = false;              ///< A generation was refused since the last one that worked.
  bool fetch_after_refusal_ = false;  ///< The fetch in flight began with refused_ set.
  bool after_refusal_ = false;        ///< The current generation was fetched by one that did.
};

}  // namespace dmq::inline DMQ_ABI::auth
