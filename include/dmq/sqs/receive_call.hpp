#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/sqs/call.hpp>
#include <dmq/sqs/operations.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// One poll of a FIFO queue, with the attempt id that gives a lost answer once more (SQS API reference,
/// ReceiveMessage). An id is kept only while no answer has come, and no longer than the shorter of the lease and five
/// minutes.
template <Clock ClockType>
class ReceiveCall {
 public:
  using result_type = ReceiveMessage::result_type;
  using NewId = std::function<std::string()>;

  ReceiveCall(const Wire& wire, ReceiveMessage& operation, const ClockType& clock, NewId new_id)
      : call_(wire, operation), operation_(operation), clock_(clock), new_id_(std::move(new_id)) {}

  std::string_view name() const noexcept { return call_.name(); }

  Result<http::Request> build() {
    const Ticks now = clock_.ticks();
    // A lease that is not known (the queue's own) may be over: then no id is kept.
    const Duration kept = std::min<Duration>(operation_.visibility, std::chrono::minutes(5));
    if (operation_.attempt_id.empty() || (first_used_ && now - *first_used_ >= kept)) {
      operation_.attempt_id = new_id_();
      first_used_.reset();
    }
    if (!first_used_) first_used_ = now;
    return call_.build();
  }

  Result<result_type> parse(const http::Response& response) {
    operation_.attempt_id.clear();
    first_used_.reset();
    Result<result_type> result = call_.parse(response);
    if (!result && result.error().message.find("receiveRequestAttemptId is not valid") != std::string::npos)
      result.error().kind = ErrorKind::unavailable;  // Not our fault: the next attempt has a new id.
    return result;
  }

 private:
  Call<ReceiveMessage> call_;
  ReceiveMessage& operation_;
  const ClockType& clock_;
  NewId new_id_;
  std::optional<Ticks> first_used_;
};

}  // namespace dmq::inline DMQ_ABI::sqs
