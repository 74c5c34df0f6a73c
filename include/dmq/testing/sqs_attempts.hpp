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
#include <dmq/testing/sqs_stored_message.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What receives with a ReceiveRequestAttemptId were answered, for five minutes.
class ReceiveAttempts {
 public:
  struct Attempt {
    std::vector<std::uint64_t> sequences{};
    Ticks until{};
    bool spoiled = false;  ///< One of its messages was deleted or changed: it can't be repeated.
  };

  /// Null when the id is new, or forgotten.
  const Attempt* find(std::string_view id) const {
    const auto found = attempts_.find(id);
    return found == attempts_.end() ? nullptr : &found->second;
  }

  bool empty() const noexcept { return attempts_.empty(); }

  /// Of an id that is new.
  void add(const std::string& id, const std::vector<StoredMessage*>& messages, Ticks now) {
    Attempt& attempt = attempts_[id];
    attempt.until = now + std::chrono::minutes(5);
    ends_.emplace(attempt.until, id);
    for (const StoredMessage* message : messages) {
      attempt.sequences.push_back(message->sequence);
      by_message_.insert_or_assign(message->sequence, id);
    }
  }

  /// The message was deleted or changed.
  void spoil(std::uint64_t sequence) {
    if (const auto of = by_message_.find(sequence); of != by_message_.end()) attempts_.at(of->second).spoiled = true;
  }

  /// The visibility timeout of the message ran out: others may have it now, and the id begins anew.
  void lapse(std::uint64_t sequence) {
    const auto of = by_message_.find(sequence);
    if (of == by_message_.end()) return;
    const auto attempt = attempts_.find(of->second);
    if (attempt->second.spoiled)
      by_message_.erase(of);
    else
      forget(attempt);
  }

  void forget_until(Ticks now) {
    while (!ends_.empty() && ends_.begin()->first <= now) forget(attempts_.find(ends_.begin()->second));
  }

  void clear() { *this = {}; }

 private:
  using Attempts = std::map<std::string, Attempt, std::less<>>;

  void forget(Attempts::iterator attempt) {
    for (const std::uint64_t sequence : attempt->second.sequences)
      if (const auto of = by_message_.find(sequence); of != by_message_.end() && of->second == attempt->first)
        by_message_.erase(of);
    ends_.erase({attempt->second.until, attempt->first});
    attempts_.erase(attempt);
  }

  Attempts attempts_;
  std::map<std::uint64_t, std::string> by_message_;  ///< The attempt that holds a message.
  std::set<std::pair<Ticks, std::string>> ends_;
};

}  // namespace dmq::inline DMQ_ABI::testing
