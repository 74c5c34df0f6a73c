#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/observer.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/lambda/handler.hpp>
#include <dmq/lambda/sqs_event.hpp>

namespace dmq::inline DMQ_ABI::lambda {

/// The time in which a batch is handled.
struct BatchOptions {
  Ticks deadline = Ticks::max();  ///< When the function's time runs out.
  /// No message is begun with less than this left: more than handling one takes, and less than the function's timeout.
  Duration reserve = std::chrono::milliseconds(500);
};

namespace detail {

/// The ids of an answer, each once. What they view outlives it.
class Failures {
 public:
  Failures() { writer_.begin_object().key("batchItemFailures").begin_array(); }
  Failures(const Failures&) = delete;
  Failures& operator=(const Failures&) = delete;

  void add(std::string_view id) {
    if (ids_.insert(id).second) writer_.begin_object().key("itemIdentifier").value(id).end_object();
  }
  std::string finish() && {
    writer_.end_array().end_object();
    return std::move(json_);
  }

 private:
  std::unordered_set<std::string_view> ids_;
  std::string json_;
  encoding::JsonWriter writer_{json_};
};

/// One batch on its way through a handler.
template <MessageHandler Handler, Clock ClockType, Observer ObserverType>
class Batch {
 public:
  Batch(Handler& handler, const BatchOptions& options, const ClockType& clock, const ObserverType& observer)
      : handler_(handler), options_(options), clock_(clock), observer_(observer) {}

  std::string run(std::vector<SqsRecord>& records) && {
    for (SqsRecord& record : records) {
      record.delivery.leased_until = options_.deadline;
      if (!take(record)) fail(record);
    }
    return std::move(failures_).finish();
  }

 private:
  /// True when the message is done.
  bool take(const SqsRecord& record) {
    if (record.fifo && stopped_.contains(record.delivery.group))
      return leave(record, {.kind = ErrorKind::corked, .message = "an earlier message of its group failed"});
    const Ticks begin = clock_.ticks();
    if (options_.deadline - begin < options_.reserve)
      return leave(record, {.kind = ErrorKind::timeout, .message = "the function's time runs out"});
    const Result<void> result = record.damage ? *record.damage : outcome(handler_, record.delivery);
    tell(EventKind::handled, record, clock_.ticks() - begin, result ? nullptr : &result.error());
    return result.has_value();
  }

  bool leave(const SqsRecord& record, const Error& why) {
    tell(EventKind::released, record, {}, &why);
    return false;
  }

  void fail(const SqsRecord& record) {
    if (record.fifo) stopped_.insert(record.delivery.group);
    failures_.add(record.delivery.message_id);
  }

  void tell(EventKind kind, const SqsRecord& record, Duration took, const Error* error) const {
    observer_(Event{.kind = kind,
                    .level = error == nullptr ? Level::debug : Level::warning,
                    .at = clock_.now(),
                    .operation = "handle_batch",
                    .duration = took,
                    .error = error,
                    .group = record.delivery.group,
                    .message_id = record.delivery.message_id,
                    .receive_count = record.delivery.receive_count});
  }

  Handler& handler_;
  const BatchOptions& options_;
  const ClockType& clock_;
  const ObserverType& observer_;
  Failures failures_;
  std::unordered_set<std::string_view> stopped_;
};

}  // namespace detail

/// Runs the handler over the messages of an SQS event, one after the other in the event's order, and answers with
/// those that are to come again: `{"batchItemFailures":[{"itemIdentifier":"..."}]}`, each id once. The function's event
/// source mapping needs ReportBatchItemFailures. Of a FIFO queue a failure stops its group: the later messages of that
/// group are reported without being handled, so that none overtakes it; other groups go on. When the time gets short
/// all that is left is reported.
///
/// The handler's failures never end it; each is an event for the observer (`handled` with an error), and so is each
/// message that was left (`released`). A delivery's `leased_until` is the function's deadline. Errors: protocol when
/// this is no SQS event; then all of it comes again. Keeps nothing from one call to the next.
template <MessageHandler Handler, Clock ClockType = SystemClock, Observer ObserverType = NoObserver>
Result<std::string> handle_batch(std::string_view event, json::Parser parse, Handler&& handler,
                                 const BatchOptions& options = {}, const ClockType& clock = {},
                                 const ObserverType& observer = {}) {
  Result<std::vector<SqsRecord>> records = parse_sqs_event(event, parse);
  if (!records) return std::move(records).error();
  return detail::Batch(handler, options, clock, observer).run(*records);
}

}  // namespace dmq::inline DMQ_ABI::lambda
