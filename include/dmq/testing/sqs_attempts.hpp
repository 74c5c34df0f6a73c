#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What receives with a ReceiveRequestAttemptId were answered, for five minutes.
class ReceiveAttempts {
 public:
  struct Attempt {
    std::vector<std::uint64_t> sequences{};
    Ticks until{};
    bool spoiled = false;  ///< One of its messages was deleted or changed: it can't be repeated.
  };

  /// Nothing when the id is new, or forgotten.
  const Attempt* find(std::string_view id) const {
    const auto found = attempts_.find(id);
    return found == attempts_.end() ? nullptr : &found->second;
  }

  void add(const std::string& id, std::vector<std::uint64_t> sequences, Ticks now) {
    const Ticks until = now + std::chrono::minutes(5);
    attempts_[id] = {std::move(sequences), until};
    ends_.emplace(until, id);
  }

  void spoil(std::string_view id) {
    if (const auto found = attempts_.find(id); found != attempts_.end()) found->second.spoiled = true;
  }

  /// The visibility of its messages ran out: others may have them now, and the id begins anew.
  void lapse(std::string_view id) {
    if (const auto found = attempts_.find(id); found != attempts_.end() && !found->second.spoiled)
      attempts_.erase(found);
  }

  void forget_until(Ticks now) {
    for (; !ends_.empty() && ends_.begin()->first <= now; ends_.erase(ends_.begin())) {
      const auto found = attempts_.find(ends_.begin()->second);
      if (found != attempts_.end() && found->second.until <= now) attempts_.erase(found);
    }
  }

  void clear() { *this = {}; }

 private:
  std::map<std::string, Attempt, std::less<>> attempts_;
  std::set<std::pair<Ticks, std::string>> ends_;
};

}  // namespace dmq::inline DMQ_ABI::testing
