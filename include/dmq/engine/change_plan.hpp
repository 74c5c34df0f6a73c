#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include <dmq/engine/consume_orders.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// The messages that are to be visible at a time, in the order in which that was decided. Not thread-safe.
class ChangePlan {
 public:
  bool empty() const noexcept { return orders_.empty(); }
  void add(ChangeOrder order) { orders_.push_back(std::move(order)); }
  std::optional<ChangeOrder> take() {
    if (orders_.empty()) return std::nullopt;
    std::optional<ChangeOrder> order = std::move(orders_.front());
    orders_.pop_front();
    return order;
  }

  /// Of a message that we hold.
  void cancel(std::uint64_t held) {
    std::erase_if(orders_, [&](const ChangeOrder& order) { return order.held == held; });
  }
  bool has(std::uint64_t held) const {
    return std::any_of(orders_.begin(), orders_.end(), [&](const ChangeOrder& order) { return order.held == held; });
  }
  /// Whether there is one of the same message under a later receive.
  bool has_newer(const Subject& subject) const {
    return std::any_of(orders_.begin(), orders_.end(), [&](const ChangeOrder& order) {
      return order.subject.message_id == subject.message_id && order.subject.receive_count > subject.receive_count;
    });
  }

 private:
  std::deque<ChangeOrder> orders_;
};

}  // namespace dmq::inline DMQ_ABI::engine
