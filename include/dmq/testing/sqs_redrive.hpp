#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_message.hpp>

/// RedrivePolicy and RedriveAllowPolicy: JSON in the value of an attribute. The wording of refusals is not recorded
/// from AWS, but for that of a target which is no ARN.
namespace dmq::inline DMQ_ABI::testing {

/// An empty text takes the policy away. Whether the target exists is for the account to say.
inline SqsResult<std::optional<RedrivePolicy>> read_redrive_policy(std::string_view text, json::Parser parse) {
  if (text.empty()) return std::optional<RedrivePolicy>();
  const auto refuse = [&](std::string_view reason) { return invalid_parameter(text, "RedrivePolicy", reason); };
  json::Document document;
  if (!parse(text, document, {}) || !document.root().is(json::Kind::object))
    return refuse("Redrive policy is not a valid JSON map.");
  const json::Value count_value = document.root()["maxReceiveCount"];
  const auto target = document.root()["deadLetterTargetArn"].string();
  auto count = count_value.integer();
  if (const auto digits = count_value.string()) count = encoding::parse_number<std::int64_t>(*digits);
  if (!target) return refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
  if (!target->starts_with("arn:") || std::count(target->begin(), target->end(), ':') != 5)
    return refuse("Invalid value for deadLetterTargetArn.");
  if (!count_value.exists()) return refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount.");
  if (!count || *count < 1 || *count > 1'000)
    return refuse("Invalid value for maxReceiveCount, valid values are from 1 to 1000 both inclusive.");
  return std::optional(RedrivePolicy{std::string(*target), static_cast<int>(*count)});
}

inline std::string write_redrive_policy(const RedrivePolicy& policy) {
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("deadLetterTargetArn").value(policy.target_arn);
  json.key("maxReceiveCount").value(policy.max_receive_count).end_object();
  return text;
}

enum class RedrivePermission { allow_all, deny_all, by_queue };

/// Which queues may have a queue as their dead-letter queue.
struct RedriveAllowPolicy {
  RedrivePermission permission = RedrivePermission::allow_all;
  std::vector<std::string> source_arns{};  ///< One to ten, with by_queue only.

  bool allows(std::string_view source_arn) const {
    if (permission != RedrivePermission::by_queue) return permission == RedrivePermission::allow_all;
    return std::find(source_arns.begin(), source_arns.end(), source_arn) != source_arns.end();
  }
};

namespace detail {
/// In the order of RedrivePermission.
inline constexpr std::array<std::string_view, 3> redrive_permissions{"allowAll", "denyAll", "byQueue"};
}  // namespace detail

/// An empty text allows all, as no policy does.
inline SqsResult<RedriveAllowPolicy> read_redrive_allow_policy(std::string_view text, json::Parser parse) {
  RedriveAllowPolicy policy;
  if (text.empty()) return policy;
  const auto refuse = [&](std::string_view reason) { return invalid_parameter(text, "RedriveAllowPolicy", reason); };
  json::Document document;
  if (!parse(text, document, {}) || !document.root().is(json::Kind::object))
    return refuse("Redrive allow policy is not a valid JSON map.");
  const auto& known = detail::redrive_permissions;
  const auto name = std::find(known.begin(), known.end(), document.root()["redrivePermission"].string().value_or(""));
  if (name == known.end()) return refuse("redrivePermission must be allowAll, denyAll or byQueue.");
  policy.permission = static_cast<RedrivePermission>(name - known.begin());
  const json::Value sources = document.root()["sourceQueueArns"];
  if (sources.exists() && !sources.is(json::Kind::array)) return refuse("sourceQueueArns must be a list.");
  for (const json::Value source : sources) {
    if (!source.string()) return refuse("sourceQueueArns must hold ARNs.");
    policy.source_arns.emplace_back(*source.string());
  }
  if (policy.permission != RedrivePermission::by_queue && sources.exists())
    return refuse("sourceQueueArns is only for byQueue.");
  if (policy.permission == RedrivePermission::by_queue && (sources.size() < 1 || sources.size() > 10))
    return refuse("byQueue needs one to ten sourceQueueArns.");
  return policy;
}

inline std::string write_redrive_allow_policy(const RedriveAllowPolicy& policy) {
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("redrivePermission");
  json.value(detail::redrive_permissions[static_cast<std::size_t>(policy.permission)]);
  if (!policy.source_arns.empty()) json.key("sourceQueueArns").begin_array();
  for (const std::string& arn : policy.source_arns) json.value(arn);
  if (!policy.source_arns.empty()) json.end_array();
  json.end_object();
  return text;
}

}  // namespace dmq::inline DMQ_ABI::testing
