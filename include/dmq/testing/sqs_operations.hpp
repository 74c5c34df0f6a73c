#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/testing/sqs_batch.hpp>
#include <dmq/testing/sqs_broker.hpp>
#include <dmq/testing/sqs_send.hpp>

/// The operations on the messages of one queue, between JSON parameters and the JSON of the answer. Where an operation
/// has no output its answer is empty, not `{}`.
namespace dmq::inline DMQ_ABI::testing {

/// A call that was let in.
struct SqsCall {
  json::Value parameters{};
  std::string origin{};             ///< Of the URL that was called.
  std::string_view trace_header{};  ///< X-Amzn-Trace-Id.
  std::string_view arn_prefix{};    ///< "arn:aws:sqs:us-east-1:000000000000:".
  Instant now{};
};

/// The body of the answer.
using SqsAnswer = SqsResult<std::string>;

/// Checks a message and puts it into the queue.
inline SqsResult<Sent> send(SqsQueue& queue, SendOrder order, Instant now) {
  const QueueSettings& settings = queue.settings();
  if (order.message.body.empty()) return missing_parameter("MessageBody");
  if (auto ids = check_fifo_ids(order.message, settings, SendForm::single); !ids) return std::move(ids).error();
  if (auto rules = check_send(order, settings, SendForm::single); !rules) return std::move(rules).error();
  return send_checked(queue, std::move(order), now);
}

inline SqsAnswer send_message(NamedQueue& queue, const SqsCall& call) {
  auto order = read_send(call.parameters);
  if (!order) return std::move(order).error();
  order->http_trace_header = call.trace_header;
  const auto sent = send(queue.queue, *std::move(order), call.now);
  if (!sent) return sent.error();
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object();
  write_sent(json, *sent);
  json.end_object();
  return body;
}

namespace detail {
/// What refuses the whole of a batch: the type of a member, a FIFO message without its ids, the size of all together.
inline SqsResult<void> check_send_batch(const std::vector<SqsResult<SendOrder>>& orders, const QueueSettings& queue) {
  constexpr std::size_t limit_bytes = 1'048'576;
  std::size_t bytes = 0;
  for (const auto& order : orders) {
    if (!order && order.error().service_code == "MalformedInput") return order.error();
    if (!order) continue;
    if (auto ids = check_fifo_ids(order->message, queue, SendForm::batch_entry); !ids) return ids;
    bytes += counted_bytes(order->message);
  }
  if (bytes <= limit_bytes) return {};
  return simple_queue_error("BatchRequestTooLong", "Batch requests cannot be longer than " +
                                                       std::to_string(limit_bytes) + " bytes. You have sent " +
                                                       std::to_string(bytes) + " bytes.");
}
}  // namespace detail

inline SqsAnswer send_batch(SqsQueue& queue, json::Value list, Instant now) {
  auto entries = read_batch(list, "SendMessageBatchRequestEntry");
  if (!entries) return std::move(entries).error();
  std::vector<SqsResult<SendOrder>> orders;
  for (const BatchEntry& entry : *entries) orders.push_back(read_send(entry.value));
  if (auto whole = detail::check_send_batch(orders, queue.settings()); !whole) return std::move(whole).error();
  BatchAnswer answer;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const std::string& id = (*entries)[i].id;
    SqsResult<SendOrder>& order = orders[i];
    if (!order) {
      answer.failed(id, order.error());
    } else if (auto rules = check_send(*order, queue.settings(), SendForm::batch_entry); !rules) {
      answer.failed(id, rules.error());
    } else {
      const Sent sent = send_checked(queue, *std::move(order), now);
      answer.succeeded(id, [&](encoding::JsonWriter& json) { write_sent(json, sent); });
    }
  }
  return answer.body();
}

/// Deleting what is gone is a success; so is, on a standard queue, the handle of an earlier receive, which deletes
/// nothing.
inline SqsResult<void> remove(SqsQueue& queue, json::Value entry, Instant now) {
  SqsParameters parameters(entry);
  const auto handle = parameters.finish(parameters.text("ReceiptHandle"));
  if (!handle) return handle.error();
  if (handle->empty()) return missing_parameter("ReceiptHandle");
  switch (queue.remove(*handle, now)) {
    case HandleVerdict::garbage: return invalid_handle(*handle);
    case HandleVerdict::expired: return expired_handle(*handle);
    default: return {};
  }
}

inline SqsResult<void> change_visibility(SqsQueue& queue, json::Value entry, Instant now) {
  SqsParameters parameters(entry);
  const std::string handle = parameters.text("ReceiptHandle");
  const auto timeout =
      parameters.finish(parameters.integer("VisibilityTimeout", 0, 43'200, "Must be >= 0 and <= 43200, if provided."));
  if (!timeout) return timeout.error();
  if (handle.empty()) return missing_parameter("ReceiptHandle");
  if (!*timeout) return missing_parameter("VisibilityTimeout");
  switch (queue.change_visibility(handle, std::chrono::seconds(**timeout), now)) {
    case HandleVerdict::valid: return {};
    case HandleVerdict::garbage: return invalid_handle(handle);
    case HandleVerdict::expired: return expired_handle(handle);
    case HandleVerdict::beyond_limit:
      return invalid_parameter(std::to_string(**timeout), "VisibilityTimeout",
                               "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].");
    case HandleVerdict::stale:
    case HandleVerdict::gone: break;
  }
  return invalid_parameter(handle, "ReceiptHandle",
                           "Message does not exist or is not available for visibility timeout change.");
}

using MessageOperation = SqsResult<void> (*)(SqsQueue&, json::Value, Instant);

/// One of the two operations above on each entry.
inline SqsAnswer for_each_entry(SqsQueue& queue, json::Value list, std::string_view entry_type,
                                MessageOperation operation, Instant now) {
  const auto entries = read_batch(list, entry_type);
  if (!entries) return entries.error();
  BatchAnswer answer;
  for (const BatchEntry& entry : *entries) {
    const auto done = operation(queue, entry.value, now);
    if (!done && done.error().service_code == "MalformedInput") return done.error();
    if (done)
      answer.succeeded(entry.id);
    else
      answer.failed(entry.id, done.error());
  }
  return answer.body();
}

inline SqsAnswer send_message_batch(NamedQueue& queue, const SqsCall& call) {
  return send_batch(queue.queue, call.parameters["Entries"], call.now);
}

inline SqsAnswer delete_message(NamedQueue& queue, const SqsCall& call) {
  const auto done = remove(queue.queue, call.parameters, call.now);
  return done ? SqsAnswer() : SqsAnswer(done.error());
}

inline SqsAnswer delete_message_batch(NamedQueue& queue, const SqsCall& call) {
  return for_each_entry(queue.queue, call.parameters["Entries"], "DeleteMessageBatchRequestEntry", &remove, call.now);
}

inline SqsAnswer change_message_visibility(NamedQueue& queue, const SqsCall& call) {
  const auto done = change_visibility(queue.queue, call.parameters, call.now);
  return done ? SqsAnswer() : SqsAnswer(done.error());
}

inline SqsAnswer change_message_visibility_batch(NamedQueue& queue, const SqsCall& call) {
  return for_each_entry(queue.queue, call.parameters["Entries"], "ChangeMessageVisibilityBatchRequestEntry",
                        &change_visibility, call.now);
}

}  // namespace dmq::inline DMQ_ABI::testing
