#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_message.hpp>

/// RedrivePolicy and RedriveAllowPolicy: JSON in the value of an attribute. The wording of refusals is not recorded
/// from AWS.
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

/// Kept as it is given, and not enforced.
inline SqsResult<std::string> read_redrive_allow_policy(std::string_view text, json::Parser parse) {
  json::Document document;
  if (text.empty() || (parse(text, document, {}) && document.root().is(json::Kind::object))) return std::string(text);
  return invalid_parameter(text, "RedriveAllowPolicy", "Redrive allow policy is not a valid JSON map.");
}

}  // namespace dmq::inline DMQ_ABI::testing
