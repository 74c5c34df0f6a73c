#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/message_rules.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// By SQS's own names ("VisibilityTimeout"). All values are text.
using AttributeMap = std::map<std::string, std::string, std::less<>>;

enum class DeduplicationScope { queue, message_group };
enum class FifoThroughputLimit { per_queue, per_message_group };
enum class RedrivePermission { allow_all, deny_all, by_queue };

/// When a message goes to the dead-letter queue.
struct RedrivePolicy {
  std::string dead_letter_target_arn{};  ///< A queue of the same type. Empty: takes the policy away.
  int max_receive_count = 10;            ///< 1 to 1,000.

  friend bool operator==(const RedrivePolicy&, const RedrivePolicy&) = default;
};

/// Which queues may have this one as their dead-letter queue.
struct RedriveAllowPolicy {
  RedrivePermission permission = RedrivePermission::allow_all;
  std::vector<std::string> source_queue_arns{};  ///< One to ten, with by_queue only.

  friend bool operator==(const RedriveAllowPolicy&, const RedriveAllowPolicy&) = default;
};

/// What can be set of a queue. An absent field is not sent: a new queue has SQS's default, another keeps what it has.
/// Ranges and defaults are those of the API reference (CreateQueue).
struct QueueAttributes {
  std::optional<std::chrono::seconds> visibility_timeout{};  ///< 0 to 43,200 (30).
  std::optional<std::chrono::seconds> message_retention{};   ///< 60 to 1,209,600 (345,600).
  std::optional<std::chrono::seconds> delay{};               ///< 0 to 900 (0).
  std::optional<std::chrono::seconds> receive_wait{};        ///< 0 to 20 (0).
  std::optional<std::int64_t> max_message_bytes{};           ///< 1,024 to 1,048,576 (1,048,576).
  std::optional<RedrivePolicy> redrive_policy{};
  std::optional<RedriveAllowPolicy> redrive_allow_policy{};
  std::optional<std::string> policy{};                       ///< Who may use the queue: JSON. Empty: takes it away.
  std::optional<bool> sqs_managed_encryption{};              ///< Not with a KMS key.
  std::optional<std::string> kms_master_key_id{};            ///< Id or alias. Empty: no key.
  std::optional<std::chrono::seconds> kms_data_key_reuse{};  ///< 60 to 86,400 (300).

  // Of FIFO queues only. High throughput takes both scope and limit by message group.
  std::optional<bool> content_based_deduplication{};
  std::optional<DeduplicationScope> deduplication_scope{};
  std::optional<FifoThroughputLimit> fifo_throughput_limit{};  ///< By message group only with that scope.

  AttributeMap others{};  ///< What has no field here; sent unchecked.

  friend bool operator==(const QueueAttributes&, const QueueAttributes&) = default;
};

namespace detail {
struct SecondsAttribute {
  std::string_view name;
  std::optional<std::chrono::seconds> QueueAttributes::* field;
  std::int64_t least;
  std::int64_t most;
};
inline constexpr SecondsAttribute seconds_attributes[] = {
    {"VisibilityTimeout", &QueueAttributes::visibility_timeout, 0, 43'200},
    {"MessageRetentionPeriod", &QueueAttributes::message_retention, 60, 1'209'600},
    {"DelaySeconds", &QueueAttributes::delay, 0, 900},
    {"ReceiveMessageWaitTimeSeconds", &QueueAttributes::receive_wait, 0, 20},
    {"KmsDataKeyReusePeriodSeconds", &QueueAttributes::kms_data_key_reuse, 60, 86'400},
};

template <class T>
struct NamedAttribute {
  std::string_view name;
  std::optional<T> QueueAttributes::* field;
};
inline constexpr NamedAttribute<bool> truth_attributes[] = {
    {"SqsManagedSseEnabled", &QueueAttributes::sqs_managed_encryption},
    {"ContentBasedDeduplication", &QueueAttributes::content_based_deduplication},
};
inline constexpr NamedAttribute<std::string> text_attributes[] = {
    {"Policy", &QueueAttributes::policy},
    {"KmsMasterKeyId", &QueueAttributes::kms_master_key_id},
};

// In the order of their enumerations.
inline constexpr std::string_view deduplication_scopes[] = {"queue", "messageGroup"};
inline constexpr std::string_view throughput_limits[] = {"perQueue", "perMessageGroupId"};
inline constexpr std::string_view redrive_permissions[] = {"allowAll", "denyAll", "byQueue"};

inline std::string redrive_policy_text(const RedrivePolicy& policy) {
  std::string text;
  if (policy.dead_letter_target_arn.empty()) return text;
  encoding::JsonWriter json(text);
  json.begin_object().key("deadLetterTargetArn").value(policy.dead_letter_target_arn);
  json.key("maxReceiveCount").value(policy.max_receive_count).end_object();
  return text;
}

inline std::string redrive_allow_policy_text(const RedriveAllowPolicy& policy) {
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("redrivePermission");
  json.value(redrive_permissions[static_cast<std::size_t>(policy.permission)]);
  if (!policy.source_queue_arns.empty()) {
    json.key("sourceQueueArns").begin_array();
    for (const std::string& arn : policy.source_queue_arns) json.value(arn);
    json.end_array();
  }
  json.end_object();
  return text;
}

inline Result<void> check_range(std::string_view name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return {};
  return invalid_argument(std::string(name) + " must be " + std::to_string(least) + " to " + std::to_string(most) +
                          ", not " + std::to_string(value));
}

/// "arn:PARTITION:sqs:REGION:ACCOUNT:NAME".
inline Result<void> check_queue_arn(std::string_view name, std::string_view arn) {
  if (arn.starts_with("arn:") && std::count(arn.begin(), arn.end(), ':') == 5 && !arn.ends_with(':')) return {};
  return invalid_argument(std::string(name) +
                          " must be the ARN of a queue, like arn:aws:sqs:us-east-1:123456789012:NAME");
}

inline Result<void> check_redrive(const QueueAttributes& attributes, QueueType type) {
  if (attributes.redrive_policy && !attributes.redrive_policy->dead_letter_target_arn.empty()) {
    const RedrivePolicy& policy = *attributes.redrive_policy;
    if (Result<void> ok = check_queue_arn("the dead-letter target", policy.dead_letter_target_arn); !ok) return ok;
    if (policy.dead_letter_target_arn.ends_with(".fifo") != (type == QueueType::fifo))
      return invalid_argument(
          "the dead-letter queue of a FIFO queue must be a FIFO queue, and of a standard queue a "
          "standard queue");
    if (Result<void> ok = check_range("maxReceiveCount", policy.max_receive_count, 1, 1'000); !ok) return ok;
  }
  if (!attributes.redrive_allow_policy) return {};
  const RedriveAllowPolicy& allow = *attributes.redrive_allow_policy;
  if (allow.permission != RedrivePermission::by_queue && !allow.source_queue_arns.empty())
    return invalid_argument("RedriveAllowPolicy takes source queues with the permission byQueue only");
  if (allow.permission == RedrivePermission::by_queue &&
      (allow.source_queue_arns.empty() || allow.source_queue_arns.size() > 10))
    return invalid_argument("RedriveAllowPolicy byQueue takes 1 to 10 source queues, not " +
                            std::to_string(allow.source_queue_arns.size()));
  for (const std::string& arn : allow.source_queue_arns)
    if (Result<void> ok = check_queue_arn("a source queue of RedriveAllowPolicy", arn); !ok) return ok;
  return {};
}

inline Result<void> check_fifo_only(const QueueAttributes& attributes, QueueType type) {
  const bool any =
      attributes.content_based_deduplication || attributes.deduplication_scope || attributes.fifo_throughput_limit;
  if (any && type == QueueType::standard)
    return invalid_argument(
        "ContentBasedDeduplication, DeduplicationScope and FifoThroughputLimit are for FIFO queues "
        "only, whose names end in .fifo");
  if (attributes.fifo_throughput_limit == FifoThroughputLimit::per_message_group &&
      attributes.deduplication_scope == DeduplicationScope::queue)
    return invalid_argument("FifoThroughputLimit perMessageGroupId needs the DeduplicationScope messageGroup");
  return {};
}
}  // namespace detail

/// Whether a queue of this type can have these attributes, by the rules of the API reference. invalid_argument, which
/// names the attribute and its range. Whether a dead-letter queue exists is for SQS to say. Pure.
inline Result<void> validate(const QueueAttributes& attributes, QueueType type) {
  for (const auto& [name, field, least, most] : detail::seconds_attributes)
    if (const auto& value = attributes.*field)
      if (Result<void> ok = detail::check_range(name, value->count(), least, most); !ok) return ok;
  if (attributes.max_message_bytes)
    if (Result<void> ok = detail::check_range("MaximumMessageSize", *attributes.max_message_bytes, 1'024, 1'048'576);
        !ok)
      return ok;
  if (!attributes.kms_master_key_id.value_or("").empty() && attributes.sqs_managed_encryption.value_or(false))
    return invalid_argument("a queue is encrypted with a KMS key or with SqsManagedSseEnabled, not with both");
  if (Result<void> ok = detail::check_redrive(attributes, type); !ok) return ok;
  return detail::check_fifo_only(attributes, type);
}

/// As requests carry them.
inline AttributeMap to_map(const QueueAttributes& attributes) {
  AttributeMap map = attributes.others;
  const auto put = [&](std::string_view name, std::string value) {
    map.insert_or_assign(std::string(name), std::move(value));
  };
  for (const auto& attribute : detail::seconds_attributes)
    if (const auto& value = attributes.*attribute.field) put(attribute.name, std::to_string(value->count()));
  for (const auto& [name, field] : detail::truth_attributes)
    if (const auto& value = attributes.*field) put(name, *value ? "true" : "false");
  for (const auto& [name, field] : detail::text_attributes)
    if (const auto& value = attributes.*field) put(name, *value);
  if (const auto& bytes = attributes.max_message_bytes) put("MaximumMessageSize", std::to_string(*bytes));
  if (const auto& scope = attributes.deduplication_scope)
    put("DeduplicationScope", std::string(detail::deduplication_scopes[static_cast<std::size_t>(*scope)]));
  if (const auto& limit = attributes.fifo_throughput_limit)
    put("FifoThroughputLimit", std::string(detail::throughput_limits[static_cast<std::size_t>(*limit)]));
  if (const auto& redrive = attributes.redrive_policy) put("RedrivePolicy", detail::redrive_policy_text(*redrive));
  if (const auto& allow = attributes.redrive_allow_policy)
    put("RedriveAllowPolicy", detail::redrive_allow_policy_text(*allow));
  return map;
}

}  // namespace dmq::inline DMQ_ABI::sqs
