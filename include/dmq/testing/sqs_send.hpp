#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/json/document.hpp>
#include <dmq/message.hpp>
#include <dmq/testing/sqs_attribute_rules.hpp>
#include <dmq/testing/sqs_digest.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_parameters.hpp>
#include <dmq/testing/sqs_queue.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A message to be sent, and what only the protocol tells about it.
struct SendOrder {
  Message message{};
  std::optional<std::int64_t> delay_seconds{};  ///< As given, checked or not.
  std::string http_trace_header{};              ///< X-Amzn-Trace-Id; the message's own trace header goes before it.
};

/// What the queue said of it.
struct Sent {
  Accepted accepted{};
  std::string body_md5{};
  std::string attributes_md5{};         ///< Empty without attributes.
  std::string system_attributes_md5{};  ///< Empty without them.
};

/// Which refusals a batch has for the whole request are not the same as those for one message.
enum class SendForm { single, batch_entry };

/// Reads SendMessage's parameters, or an entry of SendMessageBatch.
inline SqsResult<SendOrder> read_send(json::Value entry) {
  SqsParameters parameters(entry);
  SendOrder order;
  Message& message = order.message;
  message.body = parameters.text("MessageBody");
  order.delay_seconds = parameters.integer("DelaySeconds");
  message.group = parameters.identifier("MessageGroupId");
  message.deduplication_id = parameters.identifier("MessageDeduplicationId");
  message.attributes = parameters.take(read_attributes(entry["MessageAttributes"]));
  message.trace_header = parameters.take(read_trace_header(entry["MessageSystemAttributes"]));
  return parameters.finish(std::move(order));
}

/// What counts towards the limits: body, and name, type and value of each attribute.
inline std::size_t counted_bytes(const Message& message) {
  std::size_t bytes = message.body.size();
  for (const auto& [name, attribute] : message.attributes)
    bytes += name.size() + attribute.type.size() + attribute.value.size();
  return bytes;
}

/// What a FIFO queue needs to know of a message. In a batch the lack of it refuses the whole request.
inline SqsResult<void> check_fifo_ids(const Message& message, const QueueSettings& queue, SendForm form) {
  if (!queue.is_fifo()) return {};
  if (message.group.empty()) {
    SqsError missing = missing_parameter("MessageGroupId");
    return form == SendForm::single ? missing : invalid_parameter(std::move(missing.message));
  }
  if (message.deduplication_id.empty() && !queue.content_based_deduplication)
    return invalid_parameter(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
  return {};
}

inline SqsResult<void> check_delay(std::optional<std::int64_t> seconds, const QueueSettings& queue) {
  if (!seconds) return {};
  if (*seconds < 0 || *seconds > 900)
    return invalid_parameter(std::to_string(*seconds), "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.");
  if (queue.is_fifo() && *seconds > 0)
    return invalid_parameter(std::to_string(*seconds), "DelaySeconds",
                             "The request include parameter that is not valid for this queue type.");
  return {};
}

/// All other rules for one message, alone or in a batch.
inline SqsResult<void> check_send(const SendOrder& order, const QueueSettings& queue, SendForm form) {
  const Message& message = order.message;
  if (message.body.empty()) return missing_parameter("MessageBody");
  if (encoding::find_message_fault(message.body).kind != encoding::TextFault::Kind::none)
    return invalid_message_contents();
  if (auto delay = check_delay(order.delay_seconds, queue); !delay) return delay;
  if (!queue.is_fifo() && !message.deduplication_id.empty())
    return invalid_parameter(message.deduplication_id, "MessageDeduplicationId",
                             "The request include parameter that is not valid for this queue type.");
  if (auto attributes = check_attributes(message.attributes); !attributes) return attributes;
  if (counted_bytes(message) > queue.maximum_message_bytes)
    return invalid_parameter(
        std::string("One or more parameters ") + (form == SendForm::single ? "are invalid" : "cannot be validated") +
        ". Reason: Message must be shorter than " + std::to_string(queue.maximum_message_bytes) + " bytes.");
  return {};
}

/// The queue's own delay holds where a FIFO message says 0.
inline std::optional<std::chrono::seconds> own_delay(const SendOrder& order, const QueueSettings& queue) {
  if (!order.delay_seconds || queue.is_fifo()) return std::nullopt;
  return std::chrono::seconds(*order.delay_seconds);
}

/// Puts a checked message into the queue.
inline Sent send_checked(SqsQueue& queue, SendOrder order, Instant now) {
  Message& message = order.message;
  Sent sent{.body_md5 = md5_text(message.body)};
  if (!message.attributes.empty()) sent.attributes_md5 = attributes_md5(message.attributes);
  if (!message.trace_header.empty())
    sent.system_attributes_md5 = trace_header_md5(message.trace_header);
  else
    message.trace_header = std::move(order.http_trace_header);
  sent.accepted = queue.send(std::move(message), own_delay(order, queue.settings()), now);
  return sent;
}

/// Writes the members of an answer to a send into an object that is open.
inline void write_sent(encoding::JsonWriter& json, const Sent& sent) {
  const auto write = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) json.key(name).value(value);
  };
  write("MessageId", sent.accepted.message_id);
  write("MD5OfMessageBody", sent.body_md5);
  write("MD5OfMessageAttributes", sent.attributes_md5);
  write("MD5OfMessageSystemAttributes", sent.system_attributes_md5);
  write("SequenceNumber", sent.accepted.sequence_number);
}

}  // namespace dmq::inline DMQ_ABI::testing
