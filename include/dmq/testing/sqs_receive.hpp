#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_attribute_rules.hpp>
#include <dmq/testing/sqs_digest.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_parameters.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// ReceiveMessage's parameters.
struct ReceiveRequest {
  ReceiveOrder order{};
  std::optional<std::chrono::seconds> wait{};  ///< Nothing: the queue's.
  std::vector<std::string> attribute_names{};
  std::vector<std::string> system_attribute_names{};
};

constexpr std::string_view system_attribute_names[] = {"SenderId",
                                                       "SentTimestamp",
                                                       "ApproximateReceiveCount",
                                                       "ApproximateFirstReceiveTimestamp",
                                                       "SequenceNumber",
                                                       "MessageDeduplicationId",
                                                       "MessageGroupId",
                                                       "AWSTraceHeader",
                                                       "DeadLetterQueueSourceArn"};

inline SqsResult<std::vector<std::string>> check_system_attribute_names(std::vector<std::string> names) {
  for (const std::string& name : names)
    if (name != "All" && std::count(std::begin(system_attribute_names), std::end(system_attribute_names), name) == 0)
      return unknown_attribute(name);
  return names;
}

inline SqsResult<ReceiveRequest> read_receive(json::Value object, const QueueSettings& queue) {
  const auto seconds = [](std::optional<std::int64_t> number) {
    return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
  };
  SqsParameters parameters(object);
  ReceiveRequest request;
  request.order.max_messages = static_cast<std::size_t>(
      parameters.integer("MaxNumberOfMessages", 1, 10, "Must be between 1 and 10, if provided.").value_or(1));
  request.wait = seconds(parameters.integer("WaitTimeSeconds", 0, 20, "Must be >= 0 and <= 20, if provided."));
  request.order.visibility_timeout =
      seconds(parameters.integer("VisibilityTimeout", 0, 43'200, "Must be >= 0 and <= 43200, if provided."));
  std::string attempt_id = parameters.identifier("ReceiveRequestAttemptId");
  // A standard queue makes nothing of it; whether AWS refuses it there is not recorded.
  if (queue.is_fifo()) request.order.attempt_id = std::move(attempt_id);
  request.attribute_names = parameters.texts("MessageAttributeNames");
  request.system_attribute_names = parameters.texts("MessageSystemAttributeNames");
  for (std::string& name : parameters.texts("AttributeNames"))  // The deprecated spelling.
    request.system_attribute_names.push_back(std::move(name));
  parameters.take(check_system_attribute_names(request.system_attribute_names));
  return parameters.finish(std::move(request));
}

/// "All", ".*", a name, or "prefix.*", where what is before ".*" is a plain prefix: "col.*" matches "color".
inline bool matches_attribute(std::string_view pattern, std::string_view name) {
  if (pattern == "All") return true;
  if (!pattern.ends_with(".*")) return pattern == name;
  pattern.remove_suffix(2);
  return name.starts_with(pattern);
}

inline Attributes select_attributes(const Attributes& all, const std::vector<std::string>& patterns) {
  Attributes selected;
  for (const auto& attribute : all)
    for (const std::string& pattern : patterns)
      if (matches_attribute(pattern, attribute.first)) selected.insert(attribute);
  return selected;
}

/// Empty when the message has no such attribute.
inline std::string system_attribute(const HeldMessage& message, const QueueSettings& queue, std::string_view name) {
  const auto milliseconds = [](WallTime at) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count());
  };
  if (name == "SenderId") return "AIDALOCALCLOUD0000000";
  if (name == "SentTimestamp") return milliseconds(message.sent.wall);
  if (name == "ApproximateReceiveCount") return std::to_string(message.receive_count);
  if (name == "ApproximateFirstReceiveTimestamp") return milliseconds(message.first_received);
  if (name == "SequenceNumber") return queue.is_fifo() ? sequence_text(message.sequence) : std::string();
  if (name == "MessageDeduplicationId") return message.content.deduplication_id;
  if (name == "MessageGroupId") return message.content.group;
  if (name == "AWSTraceHeader") return message.content.trace_header;
  if (name == "DeadLetterQueueSourceArn") return message.dead_letter_source;
  return {};
}

inline void write_system_attributes(encoding::JsonWriter& json, const HeldMessage& message, const QueueSettings& queue,
                                    const std::vector<std::string>& wanted) {
  const auto is_wanted = [&](std::string_view name) {
    return std::any_of(wanted.begin(), wanted.end(), [&](const auto& w) { return w == "All" || w == name; });
  };
  bool any = false;
  for (const std::string_view name : system_attribute_names) {
    const std::string value = is_wanted(name) ? system_attribute(message, queue, name) : std::string();
    if (value.empty()) continue;
    if (!any) json.key("Attributes").begin_object();
    any = true;
    json.key(name).value(value);
  }
  if (any) json.end_object();
}

/// The answer: `{}` when there is nothing. The hash of attributes covers those that are returned.
inline std::string write_received(const std::vector<Received>& messages, const QueueSettings& queue,
                                  const ReceiveRequest& request) {
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object();
  if (!messages.empty()) json.key("Messages").begin_array();
  for (const Received& received : messages) {
    const HeldMessage& message = received.message;
    json.begin_object().key("MessageId").value(message.message_id);
    json.key("ReceiptHandle").value(received.receipt_handle);
    json.key("MD5OfBody").value(md5_text(message.content.body));
    json.key("Body").value(message.content.body);
    write_system_attributes(json, message, queue, request.system_attribute_names);
    if (const Attributes chosen = select_attributes(message.content.attributes, request.attribute_names);
        !chosen.empty()) {
      json.key("MD5OfMessageAttributes").value(attributes_md5(chosen));
      write_attributes(json.key("MessageAttributes"), chosen);
    }
    json.end_object();
  }
  if (!messages.empty()) json.end_array();
  json.end_object();
  return body;
}

}  // namespace dmq::inline DMQ_ABI::testing
