#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>

namespace support {
/// A second model of an SQS queue, written to be read: vectors that are walked from the front, nothing kept that can be
/// worked out. Messages are numbered by who calls; a handle is a number and a receive count.
class NaiveQueue {
 public:
  struct Settings {
    bool fifo = true;
    bool by_group = false;  ///< The scope of deduplication.
    std::chrono::seconds visibility_timeout{30};
    std::chrono::seconds delay{0};
    std::chrono::seconds retention{345'600};
    int max_receives = 0;  ///< 0: no redrive policy.
  };
  struct Message {
    int number = 0;
    std::string body{};
    std::string group{};
    std::string deduplication_id{};
    dmq::Instant sent{};
    dmq::Instant first_received{};
    dmq::Ticks received{};
    dmq::Ticks hidden_until{};
    int receives = 0;
    int receives_elsewhere = 0;
    bool is_dead_letter = false;
  };
  struct Order {
    std::size_t max = 1;
    std::optional<std::chrono::seconds> timeout{};
    std::string attempt{};
  };
  struct Outcome {
    bool attempt_not_valid = false;
    std::vector<Message> messages{};
    std::vector<Message> dead{};
  };
  enum class Verdict { done, expired, stale, gone, beyond_limit };

  explicit NaiveQueue(Settings settings) : settings_(settings) {}

  /// The number of the message, or that of the one of which it is a duplicate.
  int send(Message message, std::optional<std::chrono::seconds> delay, dmq::Instant now) {
    settle(now.ticks);
    const std::string key =
        settings_.by_group ? message.group + "|" + message.deduplication_id : message.deduplication_id;
    if (settings_.fifo) {
      for (const Known& known : known_)
        if (known.key == key && now.ticks < known.first_sent + std::chrono::minutes(5)) return known.number;
      known_.push_back({key, now.ticks, message.number});
    }
    message.sent = now;
    message.hidden_until = now.ticks + delay.value_or(settings_.delay);
    put(std::move(message));
    return last_number_;
  }

  /// What another queue's redrive policy moved here.
  void adopt(Message message, dmq::Instant now) {
    if (settings_.fifo) message.sent = now;
    message.receives_elsewhere = message.receives;
    message.is_dead_letter = true;
    message.hidden_until = now.ticks;
    put(std::move(message));
    settle(now.ticks);
  }

  Outcome receive(const Order& order, dmq::Instant now) {
    settle(now.ticks);
    const auto timeout = order.timeout.value_or(settings_.visibility_timeout);
    for (Attempt& attempt : attempts_)
      if (!order.attempt.empty() && attempt.id == order.attempt) return repeat(attempt, now.ticks + timeout);
    Outcome outcome;
    for (const std::string& lane : std::vector<std::string>(turns_))
      if (outcome.messages.size() < order.max) serve(lane, order.max, timeout, now, outcome);
    if (!order.attempt.empty() && !outcome.messages.empty() && timeout.count() > 0) {
      attempts_.push_back({order.attempt, now.ticks});
      for (const Message& message : outcome.messages) attempts_.back().numbers.push_back(message.number);
    }
    return outcome;
  }

  Verdict remove(int number, int receives, dmq::Instant now) {
    settle(now.ticks);
    const Verdict verdict = judge(number, receives, now.ticks);
    if (verdict == Verdict::done) erase(number);
    return verdict;
  }

  Verdict change(int number, int receives, std::chrono::seconds timeout, dmq::Instant now) {
    settle(now.ticks);
    const Verdict verdict = judge(number, receives, now.ticks);
    if (verdict != Verdict::done) return verdict;
    Message& message = *find(number);
    if (now.ticks + timeout > message.received + std::chrono::hours(12)) return Verdict::beyond_limit;
    spoil(number);
    message.hidden_until = now.ticks + timeout;
    return Verdict::done;
  }

  void purge() {
    messages_.clear();
    turns_.clear();
    known_.clear();
    attempts_.clear();
  }

  /// Visible, in flight, delayed.
  std::vector<std::size_t> counts(dmq::Instant now) {
    settle(now.ticks);
    std::vector<std::size_t> counts(3);
    for (const Message& message : messages_)
      ++counts[!is_hidden(message, now.ticks) ? 0 : message.receives > message.receives_elsewhere ? 1 : 2];
    return counts;
  }

  /// When something may change by itself.
  std::vector<dmq::Ticks> changes() const {
    std::vector<dmq::Ticks> times;
    for (const Message& message : messages_) {
      times.push_back(message.hidden_until);
      times.push_back(expiry(message));
    }
    return times;
  }

 private:
  struct Known {
    std::string key{};
    dmq::Ticks first_sent{};
    int number = 0;
  };
  struct Attempt {
    std::string id{};
    dmq::Ticks begun{};
    bool spoiled = false;
    std::vector<int> numbers{};
  };

  /// In a standard queue every message is a group of its own.
  std::string lane_of(const Message& message) const {
    return settings_.fifo ? message.group : std::to_string(message.number);
  }
  static bool is_hidden(const Message& message, dmq::Ticks now) { return now < message.hidden_until; }
  dmq::Ticks expiry(const Message& message) const { return message.sent.ticks + settings_.retention; }
  Message* find(int number) {
    for (Message& message : messages_)
      if (message.number == number) return &message;
    return nullptr;
  }

  void put(Message message) {
    last_number_ = message.number;
    const std::string lane = lane_of(message);
    if (std::find(turns_.begin(), turns_.end(), lane) == turns_.end()) turns_.push_back(lane);
    messages_.push_back(std::move(message));
  }
  void erase(int number) {
    spoil(number);
    const std::string lane = lane_of(*find(number));
    std::erase_if(messages_, [&](const Message& message) { return message.number == number; });
    const bool lives = std::any_of(messages_.begin(), messages_.end(),
                                   [&](const Message& message) { return lane_of(message) == lane; });
    if (!lives) std::erase(turns_, lane);
  }
  void spoil(int number) {
    for (Attempt& attempt : attempts_)
      if (std::count(attempt.numbers.begin(), attempt.numbers.end(), number) > 0) attempt.spoiled = true;
  }

  void serve(const std::string& lane, std::size_t max, std::chrono::seconds timeout, dmq::Instant now,
             Outcome& outcome) {
    std::vector<int> numbers;
    for (const Message& message : messages_)
      if (lane_of(message) == lane) numbers.push_back(message.number);
    if (is_hidden(*find(numbers.front()), now.ticks)) return;
    std::erase(turns_, lane);
    turns_.push_back(lane);
    for (const int number : numbers) {
      Message& message = *find(number);
      if (is_hidden(message, now.ticks) || outcome.messages.size() == max) return;
      if (settings_.max_receives > 0 && message.receives - message.receives_elsewhere >= settings_.max_receives) {
        outcome.dead.push_back(message);
        erase(number);
        continue;
      }
      if (message.receives++ == 0) message.first_received = now;
      message.received = now.ticks;
      message.hidden_until = now.ticks + timeout;
      outcome.messages.push_back(message);
    }
  }

  Outcome repeat(const Attempt& attempt, dmq::Ticks hidden_until) {
    if (attempt.spoiled) return {.attempt_not_valid = true};
    Outcome outcome;
    for (const int number : attempt.numbers) {
      find(number)->hidden_until = hidden_until;
      outcome.messages.push_back(*find(number));
    }
    return outcome;
  }

  /// A standard queue goes by the latest handle alone, FIFO also asks whether its timeout still runs.
  Verdict judge(int number, int receives, dmq::Ticks now) {
    const Message* const message = find(number);
    if (message == nullptr) return Verdict::gone;
    const bool latest = message->receives == receives;
    if (settings_.fifo) return latest && is_hidden(*message, now) ? Verdict::done : Verdict::expired;
    return latest ? Verdict::done : Verdict::stale;
  }

  /// Ends messages and attempts whose time is over. An attempt ends well when its messages become visible, unless one
  /// of them expires before.
  void settle(dmq::Ticks now) {
    const auto ends = [&](Attempt& attempt) {
      if (attempt.begun + std::chrono::minutes(5) <= now) return true;
      for (const int number : attempt.numbers) {
        const Message* const message = find(number);
        if (message == nullptr || attempt.spoiled) continue;
        if (expiry(*message) <= now && expiry(*message) <= message->hidden_until) attempt.spoiled = true;
      }
      return !attempt.spoiled && !is_hidden(*find(attempt.numbers.front()), now);
    };
    std::erase_if(attempts_, ends);
    std::vector<int> expired;
    for (const Message& message : messages_)
      if (expiry(message) <= now) expired.push_back(message.number);
    for (const int number : expired) erase(number);
  }

  Settings settings_;
  std::vector<Message> messages_;   ///< As they came.
  std::vector<std::string> turns_;  ///< The groups; the first one is served next.
  std::vector<Known> known_;
  std::vector<Attempt> attempts_;
  int last_number_ = 0;
};

}  // namespace support
