#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/engine/consume_orders.hpp>
#include <dmq/engine/poller.hpp>
#include <dmq/runtime/flights.hpp>
#include <dmq/sqs/call.hpp>
#include <dmq/sqs/operations.hpp>
#include <dmq/sqs/poll.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// One SQS operation of a run. `ended(outcome, exchange)` hears of its end.
template <class Operation, class Ended>
class OperationErrand : public Errand {
 public:
  using Outcome = Result<typename Operation::result_type>;

  OperationErrand(const sqs::Wire& wire, Ended ended) : call_(wire, operation_), ended_(std::move(ended)) {}

  std::string_view name() const final { return Operation::name; }
  Result<http::Request> build() final { return call_.build(); }
  Result<void> parse(const http::Response& response) final {
    outcome_ = call_.parse(response);
    if (*outcome_) return {};
    return outcome_->error();
  }
  std::size_t accepted() const final {
    if (!outcome_ || !*outcome_) return 0;
    return static_cast<std::size_t>(
        std::count_if((*outcome_)->begin(), (*outcome_)->end(), [](const auto& one) { return counts(one); }));
  }
  void end(const Result<void>& outcome, const engine::Exchange& exchange) final {
    if (!outcome) outcome_ = outcome.error();
    ended_(*std::move(outcome_), exchange);
  }

 protected:
  Operation& operation() noexcept { return operation_; }

 private:
  static bool counts(const sqs::Arrival&) { return true; }
  static bool counts(const Result<void>& entry) { return bool(entry); }

  Operation operation_{};
  sqs::Call<Operation> call_;
  Ended ended_;
  std::optional<Outcome> outcome_;
};

template <class Ended>
class PollErrand final : public OperationErrand<sqs::Poll, Ended> {
 public:
  PollErrand(const sqs::Wire& wire, const ConsumeSettings& settings, engine::PollOrder order, Ended ended)
      : OperationErrand<sqs::Poll, Ended>(wire, std::move(ended)) {
    this->operation().request = {.queue_url = settings.queue_url,
                                 .max_messages = order.max_messages,
                                 .wait = order.wait,
                                 .visibility = settings.visibility,
                                 .attempt_id = std::move(order.attempt_id)};
  }
};

/// DeleteMessageBatch or ChangeMessageVisibilityBatch.
template <class Operation, class Ended>
class HandlesErrand final : public OperationErrand<Operation, Ended> {
 public:
  HandlesErrand(const sqs::Wire& wire, const ConsumeSettings& settings, std::vector<sqs::Handle> handles, Ended ended)
      : OperationErrand<Operation, Ended>(wire, std::move(ended)), handles_(std::move(handles)) {
    this->operation().queue_url = settings.queue_url;
    this->operation().handles = handles_;
  }

 private:
  std::vector<sqs::Handle> handles_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
