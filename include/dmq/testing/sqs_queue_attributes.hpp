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

/// All that can be set of a queue.
struct QueueConfiguration {
  QueueSettings settings{};
  /// What changes nothing here and is only told again: Policy, KmsMasterKeyId, KmsDataKeyReusePeriodSeconds,
  /// SqsManagedSseEnabled. In SQS's own spelling.
  QueueAttributes inert{{"SqsManagedSseEnabled", "true"}};
};

/// All that is set, in SQS's own spelling. What does not apply is left out.
inline QueueAttributes to_attributes(const QueueConfiguration& queue) {
  const auto truth = [](bool value) { return std::string(value ? "true" : "false"); };
  const QueueSettings& settings = queue.settings;
  QueueAttributes all = queue.inert;
  all["VisibilityTimeout"] = std::to_string(settings.visibility_timeout.count());
  all["DelaySeconds"] = std::to_string(settings.delay.count());
  all["MessageRetentionPeriod"] = std::to_string(settings.retention.count());
  all["ReceiveMessageWaitTimeSeconds"] = std::to_string(settings.receive_wait.count());
  all["MaximumMessageSize"] = std::to_string(settings.maximum_message_bytes);
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

/// A queue is encrypted with a key of KMS, by SQS itself, or not at all: choosing one ends the other.
inline std::optional<bool> set_encryption(QueueAttributes& inert, std::string_view name, std::string_view text) {
  const std::string value(text);
  if (name == "KmsMasterKeyId") {
    inert["SqsManagedSseEnabled"] = "false";
    if (value.empty())
      inert.erase("KmsDataKeyReusePeriodSeconds");
    else
      inert.try_emplace("KmsDataKeyReusePeriodSeconds", "300");
    inert["KmsMasterKeyId"] = value;
    if (value.empty()) inert.erase("KmsMasterKeyId");
    return true;
  }
  if (name == "KmsDataKeyReusePeriodSeconds") {
    inert["KmsDataKeyReusePeriodSeconds"] = value;
    return attribute_number(text, 60, 86'400).has_value();
  }
  if (name != "SqsManagedSseEnabled") return std::nullopt;
  inert["SqsManagedSseEnabled"] = value;
  const auto managed = attribute_choice(text, "false", "true");
  if (managed.value_or(false)) {
    inert.erase("KmsMasterKeyId");
    inert.erase("KmsDataKeyReusePeriodSeconds");
  }
  return managed.has_value();
}

/// A JSON object, kept as it is given. An empty text takes the policy away.
inline bool set_access_policy(QueueAttributes& inert, std::string_view text, json::Parser parse) {
  json::Document document;
  inert["Policy"] = std::string(text);
  if (text.empty()) inert.erase("Policy");
  return text.empty() || (parse(text, document, {}) && document.root().is(json::Kind::object));
}

template <class T>
SqsResult<void> set_policy(T& target, SqsResult<T> policy) {
  if (!policy) return std::move(policy).error();
  target = *std::move(policy);
  return {};
}
}  // namespace detail

/// Carries one attribute over into the configuration.
inline SqsResult<void> set_attribute(QueueConfiguration& queue, std::string_view name, std::string_view value,
                                     json::Parser parse) {
  if (name == "RedrivePolicy") return detail::set_policy(queue.settings.redrive, read_redrive_policy(value, parse));
  if (name == "RedriveAllowPolicy") {
    const auto policy = read_redrive_allow_policy(value, parse);
    if (!policy) return policy.error();
    queue.settings.redrive_allow_policy = value.empty() ? std::string() : write_redrive_allow_policy(*policy);
    return {};
  }
  auto allowed = detail::set_number(queue.settings, name, value);
  if (!allowed) allowed = detail::set_choice(queue.settings, name, value);
  if (!allowed) allowed = detail::set_encryption(queue.inert, name, value);
  if (!allowed && name == "Policy") allowed = detail::set_access_policy(queue.inert, value, parse);
  if (!allowed) return unknown_attribute(name);
  if (!*allowed) return invalid_attribute_value(name);
  return {};
}

/// `queue` with these attributes changed. Refused when one is wrong or they do not fit together.
inline SqsResult<QueueConfiguration> with_attributes(QueueConfiguration queue, const QueueAttributes& attributes,
                                                     json::Parser parse) {
  const auto given = [&](std::string_view name) {
    const auto found = attributes.find(name);
    return found == attributes.end() ? std::string_view() : std::string_view(found->second);
  };
  if (!given("KmsMasterKeyId").empty() && given("SqsManagedSseEnabled") == "true")
    return modelled_error("InvalidAttributeName", "InvalidAttributeName",
                          "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS "
                          "SSE or SQS SSE.");
  for (const auto& [name, value] : attributes)
    if (auto set = set_attribute(queue, name, value, parse); !set) return std::move(set).error();
  for (const std::string_view name :
       {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"})
    if (!queue.settings.is_fifo() && attributes.contains(name)) return unknown_attribute(name);
  if (queue.settings.throughput_limit == ThroughputLimit::per_message_group &&
      queue.settings.deduplication_scope == DeduplicationScope::queue)
    return invalid_attribute_value("FifoThroughputLimit");
  return queue;
}

/// What a queue of this name would be with these attributes: the name's ending must fit FifoQueue.
inline SqsResult<QueueConfiguration> new_configuration(std::string_view queue_name, const QueueAttributes& attributes,
                                                       json::Parser parse) {
  const auto fifo = attributes.find("FifoQueue");
  if ((fifo != attributes.end() && fifo->second == "true") != queue_name.ends_with(".fifo"))
    return invalid_parameter(
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with "
        ".fifo suffix and be 1 to 80 in length.");
  return with_attributes({}, attributes, parse);
}

/// What an existing queue would be. Its type stays.
inline SqsResult<QueueConfiguration> changed_configuration(const QueueConfiguration& queue,
                                                           const QueueAttributes& attributes, json::Parser parse) {
  const auto fifo = attributes.find("FifoQueue");
  if (fifo != attributes.end() && !queue.settings.is_fifo()) return unknown_attribute("FifoQueue");
  if (fifo != attributes.end() && fifo->second != "true")
    return modelled_error("InvalidAttributeValue", "InvalidAttributeValue",
                          "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.");
  return with_attributes(queue, attributes, parse);
}

}  // namespace dmq::inline DMQ_ABI::testing
