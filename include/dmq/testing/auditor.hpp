#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/publish_result.hpp>
#include <dmq/testing/local_cloud.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A promise that was not kept.
struct Violation {
  std::string invariant{};  ///< Its name.
  std::string what{};
};

/// Keeps account of what was submitted, what was reported, and what the queue holds, and says where they contradict
/// what submit() promises. A message is known by its body, which no other may have; it may be submitted more than once,
/// as when it came back.
class Auditor {
 public:
  /// The producer of this group sends several of its messages in one request: then one may fail in it while a later one
  /// is accepted, which has to be reported in this order.
  void allow_runs(const std::string& group) { with_runs_.insert(group); }

  /// submit() took it in.
  void submitted(const std::string& group, const std::string& body) {
    const auto [it, fresh] = messages_.try_emplace(body);
    if (fresh) {
      it->second.group = group;
      groups_[group].push_back(body);
    }
    it->second.tries.push_back({.submitted = ++events_});
    open_[group].push_back(body);
  }

  void reported(const std::string& body, const PublishResult& result) {
    Try* const open = open_try(body);
    if (open == nullptr) return violate("reported-once", body + " was reported without being submitted, or twice");
    open->reported = ++events_;
    open->accepted = result.has_value();
    open->delivery = result ? DeliveryState::not_sent : result.error().delivery;
    const Ledger::Count count = result ? &Ledger::accepted : by_delivery(open->delivery);
    ++(counted_.*count);
    check_turn(body);
    if (open->accepted) check_gap(body, *open);
  }

  /// The producer of a group has crashed: what was open stays so.
  void crashed(const std::string& group) {
    for (const std::string& body : open_[group])
      if (Try* const open = open_try(body)) open->crashed = true;
    open_[group].clear();
  }

  /// The ledger of a producer, which has to add up with those of the others; a crashed one's too.
  void ledger(const Ledger& ledger) {
    for (const Ledger::Count count : {&Ledger::accepted, &Ledger::rejected, &Ledger::unknown, &Ledger::not_sent})
      ledgers_.*count += ledger.*count;
  }

  /// At the end, when nothing is under way any more.
  void finish(const LocalCloud& cloud, std::string_view queue) {
    std::vector<std::string> bodies;
    for (const HeldMessage& message : cloud.messages(queue)) bodies.emplace_back(message.content.body);
    finish(bodies);
  }
  /// The same, where consumers have emptied the queue: the bodies of all messages it took, those of a group in order.
  void finish(const std::vector<std::string>& bodies) {
    for (const auto& [body, message] : messages_)
      for (const Try& attempt : message.tries)
        if (attempt.reported == 0 && !attempt.crashed) violate("everything-is-reported", body + " was never reported");
    for (const Ledger::Count count : {&Ledger::accepted, &Ledger::rejected, &Ledger::unknown, &Ledger::not_sent})
      if (ledgers_.*count != counted_.*count)
        violate("ledger-adds-up", "the ledgers hold " + std::to_string(ledgers_.*count) + " where " +
                                      std::to_string(counted_.*count) + " were reported");
    check_queue(bodies);
  }

  void violate(std::string invariant, std::string what) {
    violations_.push_back({std::move(invariant), std::move(what)});
  }
  const std::vector<Violation>& violations() const noexcept { return violations_; }

 private:
  struct Try {
    std::uint64_t submitted = 0;  ///< When, counted in events.
    std::uint64_t reported = 0;   ///< 0: not yet.
    bool accepted = false;
    bool crashed = false;
    DeliveryState delivery = DeliveryState::not_sent;
  };
  struct Known {
    std::string group{};
    std::vector<Try> tries{};
    std::size_t copies = 0;  ///< In the queue.

    bool was_accepted() const {
      return std::any_of(tries.begin(), tries.end(), [](const Try& t) { return t.accepted; });
    }
    /// Whether it may be in the queue without having been accepted.
    bool may_be_there() const {
      return std::any_of(tries.begin(), tries.end(),
                         [](const Try& t) { return t.reported == 0 || t.delivery == DeliveryState::unknown; });
    }
  };

  static Ledger::Count by_delivery(DeliveryState delivery) {
    if (delivery == DeliveryState::unknown) return &Ledger::unknown;
    return delivery == DeliveryState::rejected ? &Ledger::rejected : &Ledger::not_sent;
  }

  Try* open_try(const std::string& body) {
    const auto found = messages_.find(body);
    if (found == messages_.end() || found->second.tries.back().reported != 0) return nullptr;
    return &found->second.tries.back();
  }

  /// Reports of one group come in the order of its submissions.
  void check_turn(const std::string& body) {
    std::vector<std::string>& open = open_[messages_.at(body).group];
    const auto found = std::find(open.begin(), open.end(), body);
    if (found != open.begin()) violate("reports-in-order", body + " was reported before " + open.front());
    if (found != open.end()) open.erase(found);
  }

  /// Everything before an accepted message is accepted, too, or had failed before this one was submitted.
  void check_gap(const std::string& body, const Try& accepted) {
    for (const std::string& before : groups_.at(messages_.at(body).group)) {
      if (before == body) return;
      const Known& message = messages_.at(before);
      const Try& last = message.tries.back();
      const std::uint64_t settled_by = with_runs_.contains(message.group) ? accepted.reported : accepted.submitted;
      if (!message.was_accepted() && (last.reported == 0 || last.reported > settled_by))
        return violate("no-gap",
                       std::string(body).append(" was accepted behind ").append(before).append(", which was not"));
    }
  }

  void check_queue(const std::vector<std::string>& bodies) {
    std::map<std::string, std::vector<std::string>> held;
    for (const std::string& body : bodies) {
      const auto found = messages_.find(body);
      if (found == messages_.end())
        violate("nothing-else-is-in-the-queue", body);
      else if (++found->second.copies == 1)
        held[found->second.group].push_back(found->first);
    }
    for (const auto& [body, message] : messages_) {
      const std::string copies = std::to_string(message.copies) + " times";
      if (message.was_accepted() && message.copies == 0)
        violate("accepted-is-in-the-queue", body + " is not");
      else if (message.copies > 1)
        violate("at-most-once", std::string(body).append(" is in the queue ").append(copies));
      else if (!message.was_accepted() && !message.may_be_there() && message.copies > 0)
        violate("refused-is-not-in-the-queue", body + " was reported as not sent or rejected, and is there");
    }
    for (const auto& [group, order] : held) check_order(group, order);
  }

  void check_order(const std::string& group, const std::vector<std::string>& held) {
    const std::vector<std::string>& order = groups_.at(group);
    auto at = order.begin();
    for (const std::string& body : held) {
      at = std::find(at, order.end(), body);
      if (at == order.end()) return violate("order-in-a-group", body + " is behind one that was submitted later");
    }
  }

  std::map<std::string, Known> messages_;                   ///< By body.
  std::map<std::string, std::vector<std::string>> groups_;  ///< Bodies, in the order of their first submission.
  std::map<std::string, std::vector<std::string>> open_;    ///< Not yet reported, in the order of submission.
  std::set<std::string> with_runs_;
  std::uint64_t events_ = 0;
  Ledger counted_;
  Ledger ledgers_;
  std::vector<Violation> violations_;
};

}  // namespace dmq::inline DMQ_ABI::testing
