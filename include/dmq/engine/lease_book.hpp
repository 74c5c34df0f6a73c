#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <dmq/consume_settings.hpp>
#include <dmq/engine/claim.hpp>
#include <dmq/engine/rule.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// When leases end, when their handlers are to be told, and when they are to be extended. Not thread-safe.
class LeaseBook {
 public:
  explicit LeaseBook(const ConsumeSettings& settings) : settings_(settings) {}

  /// So long before its end a lease is taken for lost: a handler is told, and none begins.
  Duration margin() const noexcept {
    return std::min<Duration>(std::chrono::seconds(2), Duration(settings_.visibility) / 4);
  }
  bool is_too_short(const Held& held, Ticks now) const noexcept {
    return holds(Rule::lease_is_checked) && held.leased_until - margin() <= now;
  }

  /// The queue has handed it out not before `since`.
  void open(Held& held, Ticks since) {
    held.hard_cap = since + max_visibility - margin();
    held.cap = held.state == Held::State::running ? std::min(held.cap, held.hard_cap) : held.hard_cap;
    held.lost = false;
    renew(held, since, settings_.visibility);
  }

  /// Its lease goes on from `since`. A lost change that may still land would leave less of it.
  void renew(Held& held, Ticks since, Duration lease) {
    if (since < held.suspect_until) lease = std::min(lease, held.suspect_lease);
    held.leased_until = since + lease;
    held.lease.set_until(held.leased_until);
    held.extend_at = held.leased_until >= held.cap ? Held::never : since + heartbeat(lease);
    update(held);
  }

  /// A change is under way that leaves it no more than that; restore() when it did not come to it.
  void shorten(Held& held, Ticks until) { restore(held, std::min(held.leased_until, until)); }
  void restore(Held& held, Ticks until) {
    held.leased_until = until;
    held.lease.set_until(until);
    update(held);
  }

  /// A handler has it from now on, for as long as a handler may.
  void run(Held& held, Ticks now) {
    held.cap = std::min(held.cap, now + settings_.run.handler_limit);
    update(held);
  }

  /// After its state has changed.
  void update(Held& held) {
    const bool waits = held.state == Held::State::waiting;
    const bool runs = held.state == Held::State::running && !held.lost;
    const Duration early = holds(Rule::stop_before_loss) ? margin() : -margin();
    move(leases_, held, held.lease_key, waits ? held.leased_until : runs ? held.leased_until - early : Held::never);
    move(extensions_, held, held.extend_key, held.lost || held.changing ? Held::never : held.extend_at);
  }
  void close(Held& held) {
    move(leases_, held, held.lease_key, Held::never);
    move(extensions_, held, held.extend_key, Held::never);
  }

  /// The next whose lease is over, when it waits, or about to be, when it runs.
  std::optional<std::uint64_t> lapsed(Ticks now) const {
    if (leases_.empty() || leases_.begin()->first > now) return std::nullopt;
    return leases_.begin()->second;
  }
  Ticks next_lapse() const noexcept { return leases_.empty() ? Held::never : leases_.begin()->first; }

  /// Those to be extended now; when there is one, or a request goes out anyhow, those that will be soon, too.
  std::vector<std::uint64_t> due(Ticks now, std::size_t most, bool goes_out) const {
    std::vector<std::uint64_t> ids;
    if (most == 0 || next_extension() == Held::never || (next_extension() > now && !goes_out)) return ids;
    const Ticks soon = now + settings_.visibility / 10;
    for (auto it = extensions_.begin(); it != extensions_.end() && it->first <= soon && ids.size() < most; ++it)
      ids.push_back(it->second);
    return ids;
  }
  Ticks next_extension() const noexcept {
    if (extensions_.empty() || !holds(Rule::leases_are_extended)) return Held::never;
    return extensions_.begin()->first;
  }
  /// For how long from now; zero when that would bring nothing.
  std::chrono::seconds extension(const Held& held, Ticks now) const {
    const auto left = std::chrono::floor<std::chrono::seconds>(held.cap - now);
    const std::chrono::seconds lease = std::min(settings_.visibility, left);
    return now + lease > held.leased_until ? lease : std::chrono::seconds(0);
  }
  /// When one brings something again, if ever: the lease may be longer than what an extension gives.
  Ticks next_chance(const Held& held) const {
    if (held.leased_until + std::chrono::seconds(1) > held.cap) return Held::never;
    return held.leased_until - settings_.visibility + heartbeat(settings_.visibility);
  }

 private:
  using Index = std::set<std::pair<Ticks, std::uint64_t>>;

  Duration heartbeat(Duration lease) const noexcept {
    const Duration longest = lease * 2 / 5;
    return settings_.run.heartbeat > Duration::zero() ? std::min(settings_.run.heartbeat, longest) : longest;
  }

  static void move(Index& index, const Held& held, Ticks& key, Ticks to) {
    if (key == to) return;
    if (key != Held::never) index.erase({key, held.id});
    if (to != Held::never) index.emplace(to, held.id);
    key = to;
  }

  const ConsumeSettings& settings_;
  Index leases_;
  Index extensions_;
};

}  // namespace dmq::inline DMQ_ABI::engine
