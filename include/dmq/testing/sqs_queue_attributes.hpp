#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_redrive.hpp>

namespace dmq::inline DMQ_ABI::testing {

using QueueAttributes = std::map<std::string, std::string, std::less<>>;

/// The settings in SQS's own spelling.
inline QueueAttributes to_attributes(const QueueSettings& settings) {
  const auto truth = [](bool value) { return std::string(value ? "true" : "false"); };
  QueueAttributes all{{"VisibilityTimeout", std::to_string(settings.visibility_timeout.count())},
                      {"DelaySeconds", std::to_string(settings.delay.count())},
                      {"MessageRetentionPeriod", std::to_string(settings.retention.count())},
                      {"ReceiveMessageWaitTimeSeconds", std::to_string(settings.receive_wait.count())},
                      {"MaximumMessageSize", std::to_string(settings.maximum_message_bytes)}};
  if (settings.redrive) all["RedrivePolicy"] = write_redrive_policy(*settings.redrive);
  if (!settings.redrive_allow_policy.empty()) all["RedriveAllowPolicy"] = settings.redrive_allow_policy;
  if (!settings.is_fifo()) return all;
  all["FifoQueue"] = "true";
  all["ContentBasedDeduplication"] = truth(settings.content_based_deduplication);
  all["DeduplicationScope"] = settings.deduplication_scope == DeduplicationScope::queue ? "queue" : "messageGroup";
  all["FifoThroughputLimit"] =
      settings.throughput_limit == ThroughputLimit::per_queue ? "perQueue" : "perMessageGroupId";
  return all;
}

namespace detail {
/// A number within its range, or a word of two; nothing for all else.
inline std::optional<std::int64_t> attribute_number(std::string_view text, std::int64_t low, std::int64_t high) {
  const auto number = encoding::parse_number<std::int64_t>(text);
  return number && *number >= low && *number <= high ? number : std::nullopt;
}
inline std::optional<bool> attribute_choice(std::string_view text, std::string_view no, std::string_view yes) {
  if (text != no && text != yes) return std::nullopt;
  return text == yes;
}

/// False when the value is not allowed; nothing when the name is not one of a number.
inline std::optional<bool> set_number(QueueSettings& settings, std::string_view name, std::string_view text) {
  const auto into = [&](std::chrono::seconds& target, std::int64_t low, std::int64_t high) {
    const auto number = attribute_number(text, low, high);
    target = std::chrono::seconds(number.value_or(0));
    return number.has_value();
  };
  if (name == "VisibilityTimeout") return into(settings.visibility_timeout, 0, 43'200);
  if (name == "DelaySeconds") return into(settings.delay, 0, 900);
  if (name == "MessageRetentionPeriod") return into(settings.retention, 60, 1'209'600);
  if (name == "ReceiveMessageWaitTimeSeconds") return into(settings.receive_wait, 0, 20);
  if (name != "MaximumMessageSize") return std::nullopt;
  const auto bytes = attribute_number(text, 1'024, 1'048'576);
  settings.maximum_message_bytes = static_cast<std::size_t>(bytes.value_or(0));
  return bytes.has_value();
}

/// The same for those that only a FIFO queue has.
inline std::optional<bool> set_choice(QueueSettings& settings, std::string_view name, std::string_view text) {
  if (name == "FifoQueue") {
    const auto fifo = attribute_choice(text, "false", "true");
    settings.type = fifo.value_or(false) ? QueueType::fifo : QueueType::standard;
    return fifo.has_value();
  }
  if (name == "ContentBasedDeduplication") {
    const auto content = attribute_choice(text, "false", "true");
    settings.content_based_deduplication = content.value_or(false);
    return content.has_value();
  }
  if (name == "DeduplicationScope") {
    const auto group = attribute_choice(text, "queue", "messageGroup");
    settings.deduplication_scope =
        group.value_or(false) ? DeduplicationScope::message_group : DeduplicationScope::queue;
    return group.has_value();
  }
  if (name != "FifoThroughputLimit") return std::nullopt;
  const auto group = attribute_choice(text, "perQueue", "perMessageGroupId");
  settings.throughput_limit = group.value_or(false) ? ThroughputLimit::per_message_group : ThroughputLimit::per_queue;
  return group.has_value();
}

template <class T>
SqsResult<void> set_policy(T& target, SqsResult<T> policy) {
  if (!policy) return std::move(policy).error();
  target = *std::move(policy);
  return {};
}
}  // namespace detail

/// Carries one attribute over into the settings.
inline SqsResult<void> set_attribute(QueueSettings& settings, std::string_view name, std::string_view value,
                                     json::Parser parse) {
  if (name == "RedrivePolicy") return detail::set_policy(settings.redrive, read_redrive_policy(value, parse));
  if (name == "RedriveAllowPolicy")
    return detail::set_policy(settings.redrive_allow_policy, read_redrive_allow_policy(value, parse));
  auto allowed = detail::set_number(settings, name, value);
  if (!allowed) allowed = detail::set_choice(settings, name, value);
  if (!allowed) return unknown_attribute(name);
  if (!*allowed) return invalid_attribute_value(name);
  return {};
}

/// What a queue of this name would be with these attributes: the name's ending must fit FifoQueue.
inline SqsResult<QueueSettings> read_settings(std::string_view queue_name, const QueueAttributes& attributes,
                                              json::Parser parse) {
  QueueSettings settings;
  for (const auto& [name, value] : attributes)
    if (auto set = set_attribute(settings, name, value, parse); !set) return std::move(set).error();
  if (settings.is_fifo() != queue_name.ends_with(".fifo"))
    return invalid_parameter(
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
        ".fifo suffix and be 1 to 80 in length.");
  for (const std::string_view name : {"ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"})
    if (!settings.is_fifo() && attributes.contains(name)) return unknown_attribute(name);
  if (settings.throughput_limit == ThroughputLimit::per_message_group &&
      settings.deduplication_scope == DeduplicationScope::queue)
    return invalid_attribute_value("FifoThroughputLimit");
  return settings;
}

}  // namespace dmq::inline DMQ_ABI::testing
