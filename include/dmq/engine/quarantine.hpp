#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Groups in which a message is out whose fate nobody knows: for as long as it may still land, no other message of its
/// group may overtake it. The same message may be sent again. Not thread-safe.
class Quarantine {
 public:
  /// The gateway gives up a request after 29 s (API Gateway quotas); a margin for the way.
  static constexpr Duration may_land_for = std::chrono::seconds(35);

  /// `id` is the deduplication id of the message, sent last at `sent`; empty when it has none.
  void close(const std::string& group, std::string id, Ticks sent, Ticks now) {
    if (closed_.size() >= prune_at_) {
      std::erase_if(closed_, [&](const auto& entry) { return entry.second.until <= now; });
      prune_at_ = std::max<std::size_t>(2 * closed_.size(), 64);
    }
    closed_.insert_or_assign(group, Closed{std::move(id), sent + may_land_for});
  }

  /// The message was accepted after all.
  void open(const std::string& group, std::string_view id) {
    const auto it = closed_.find(group);
    if (it != closed_.end() && !id.empty() && it->second.id == id) closed_.erase(it);
  }

  /// The group opens now, whatever may still land in it.
  void lift(const std::string& group) { closed_.erase(group); }

  /// From when on a message with this deduplication id may be sent in the group; in the past when it may now.
  Ticks opens_at(const std::string& group, std::string_view id) const {
    const auto it = closed_.find(group);
    if (it == closed_.end() || (!id.empty() && it->second.id == id)) return Ticks::min();
    return it->second.until;
  }

 private:
  struct Closed {
    std::string id;
    Ticks until;
  };

  std::unordered_map<std::string, Closed> closed_;
  std::size_t prune_at_ = 64;
};

}  // namespace dmq::inline DMQ_ABI::engine
