#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The order inside each message group, and whose turn it is. Lanes are served in rotation: who was served goes behind
/// all others. A lane ends with its last message.
class SqsLanes {
 public:
  using Id = std::uint64_t;

  /// The lane of a group, made when there is none.
  Id of_group(const std::string& group) {
    const auto [known, added] = groups_.try_emplace(group, last_id_ + 1);
    if (!added) return known->second;
    const Id id = make();
    lanes_.at(id).group = group;
    return id;
  }
  /// A lane for one message alone.
  Id make() {
    lanes_[++last_id_].turn = ++last_turn_;
    return last_id_;
  }

  void add(Id id, std::uint64_t sequence) { lanes_.at(id).sequences.insert(sequence); }

  /// What is left may be ready or not: mark() it. False when the lane ended.
  bool remove(Id id, std::uint64_t sequence) {
    const auto found = lanes_.find(id);
    found->second.sequences.erase(sequence);
    if (!found->second.sequences.empty()) return true;
    ready_.erase(found->second.turn);
    if (found->second.group) groups_.erase(*found->second.group);
    lanes_.erase(found);
    return false;
  }

  /// Messages in their order; the first one is the head.
  const std::set<std::uint64_t>& sequences(Id id) const { return lanes_.at(id).sequences; }

  /// Whether the head can be received.
  void mark(Id id, bool ready) {
    const std::uint64_t turn = lanes_.at(id).turn;
    if (ready)
      ready_.emplace(turn, id);
    else
      ready_.erase(turn);
  }

  bool any_ready() const noexcept { return !ready_.empty(); }
  std::uint64_t last_turn() const noexcept { return last_turn_; }

  /// The ready lane whose turn it is, unless that is later than `last_turn`. It goes behind all others, not ready.
  std::optional<Id> take_next(std::uint64_t last_turn) {
    if (ready_.empty() || ready_.begin()->first > last_turn) return std::nullopt;
    const Id id = ready_.begin()->second;
    ready_.erase(ready_.begin());
    lanes_.at(id).turn = ++last_turn_;
    return id;
  }

 private:
  struct Lane {
    std::set<std::uint64_t> sequences{};
    std::uint64_t turn = 0;
    std::optional<std::string> group{};
  };

  std::map<Id, Lane> lanes_;
  std::map<std::string, Id, std::less<>> groups_;
  std::map<std::uint64_t, Id> ready_;  ///< By turn.
  Id last_id_ = 0;
  std::uint64_t last_turn_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::testing
