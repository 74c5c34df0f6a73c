#pragma once

#include <string>
#include <utility>

#include <dmq/lambda/handle_batch.hpp>
#include <dmq/lambda/invocation.hpp>

namespace dmq::inline DMQ_ABI::lambda {

/// The function for run() that gives the messages of SQS events to a handler, by the rules of handle_batch() and within
/// the time of each invocation, less `reserve`.
template <MessageHandler Handler, Clock ClockType = SystemClock, Observer ObserverType = NoObserver>
auto sqs_function(json::Parser parse, Handler handler, Duration reserve = BatchOptions().reserve, ClockType clock = {},
                  ObserverType observer = {}) {
  return [parse, handler = std::move(handler), reserve, clock = std::move(clock),
          observer = std::move(observer)](const Invocation& invocation) mutable -> Result<std::string> {
    return handle_batch(invocation.event, parse, handler, {.deadline = invocation.deadline, .reserve = reserve}, clock,
                        observer);
  };
}

}  // namespace dmq::inline DMQ_ABI::lambda
