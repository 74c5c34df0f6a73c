#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a queue answers to a message it takes.
struct Accepted {
  std::string message_id{};
  std::string sequence_number{};  ///< Empty from a standard queue.
};

/// Remembers for five minutes from the first send, whatever becomes of the message.
class DeduplicationMemory {
 public:
  static constexpr Duration window = std::chrono::minutes(5);

  /// Nothing when `key` is new.
  const Accepted* find(const std::string& key) const {
    const auto found = accepted_.find(key);
    return found == accepted_.end() ? nullptr : &found->second;
  }
  void add(std::string key, Accepted accepted, Ticks now) {
    order_.emplace_back(now + window, key);
    accepted_.insert_or_assign(std::move(key), std::move(accepted));
  }
  void forget_until(Ticks now) {
    for (; !order_.empty() && order_.front().first <= now; order_.pop_front()) accepted_.erase(order_.front().second);
  }
  void clear() { *this = {}; }

 private:
  std::map<std::string, Accepted> accepted_;
  std::deque<std::pair<Ticks, std::string>> order_;
};

}  // namespace dmq::inline DMQ_ABI::testing
