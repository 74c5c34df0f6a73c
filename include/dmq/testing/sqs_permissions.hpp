#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/json_copy.hpp>
#include <dmq/testing/sqs_account_operations.hpp>

/// AddPermission and RemovePermission. A permission is a statement of the queue's Policy, as AWS writes it, and is not
/// enforced.
namespace dmq::inline DMQ_ABI::testing {

struct Permission {
  std::string label{};
  std::vector<std::string> accounts{};
  std::vector<std::string> actions{};
};

namespace detail {
inline SqsResult<void> check_label(std::string_view label) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (label.empty()) return missing_parameter("Label");
  if (label.size() <= 80 && label.find_first_not_of(allowed) == std::string_view::npos) return {};
  return invalid_parameter(label, "Label",
                           "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}

/// What may be granted to others; batches go with the single operation.
inline SqsResult<void> check_actions(const std::vector<std::string>& actions) {
  constexpr std::string_view grantable[] = {
      "*",           "ChangeMessageVisibility",    "DeleteMessage", "GetQueueAttributes",
      "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue",    "ReceiveMessage",
      "SendMessage"};
  if (actions.empty()) return missing_parameter("Actions");
  if (actions.size() > 7)
    return modelled_error("OverLimit", "OverLimit",
                          std::to_string(actions.size()) + " Actions were found, maximum allowed is 7.", 403);
  for (const std::string& action : actions)
    if (std::count(std::begin(grantable), std::end(grantable), action) == 0)
      return invalid_parameter("SQS:" + action, "ActionName", "Only the queue owner is allowed to invoke this action.");
  return {};
}

inline SqsResult<void> check_accounts(const std::vector<std::string>& accounts) {
  const auto valid = [](const std::string& id) {
    return id.size() == 12 && id.find_first_not_of("0123456789") == std::string::npos;
  };
  if (accounts.empty()) return missing_parameter("AWSAccountIds");
  for (const std::string& account : accounts)
    if (!valid(account)) return invalid_parameter(account, "PrincipalId", "Unable to verify.");
  return {};
}

/// One text alone, several as a list, as AWS does.
template <class Write>
void write_one_or_many(encoding::JsonWriter& json, const std::vector<std::string>& texts, Write write) {
  if (texts.size() != 1) json.begin_array();
  for (const std::string& text : texts) json.value(write(text));
  if (texts.size() != 1) json.end_array();
}

inline void write_statement(encoding::JsonWriter& json, const Permission& permission, std::string_view queue_arn) {
  json.begin_object().key("Sid").value(permission.label).key("Effect").value("Allow");
  json.key("Principal").begin_object().key("AWS");
  write_one_or_many(json, permission.accounts, [](const auto& id) { return "arn:aws:iam::" + id + ":root"; });
  json.end_object().key("Action");
  write_one_or_many(json, permission.actions, [](const auto& action) { return "SQS:" + action; });
  json.key("Resource").value(queue_arn).end_object();
}

/// The statements of a policy; one may stand alone.
inline std::vector<json::Value> statements(json::Value policy) {
  const json::Value list = policy["Statement"];
  if (list.is(json::Kind::object)) return {list};
  return {list.begin(), list.end()};
}
inline bool has_label(json::Value statement, std::string_view label) {
  return statement["Sid"].string() == label;
}

/// The policy without the statements of `removed`, with that of `added`; empty when none is left.
inline std::string edit_policy(json::Value policy, std::string_view removed, const Permission* added,
                               const std::string& queue_arn) {
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object();
  for (const json::Value member : policy)
    if (member.name() != "Statement") copy_json(json.key(member.name()), member);
  if (!policy.exists()) json.key("Version").value("2008-10-17").key("Id").value(queue_arn + "/SQSDefaultPolicy");
  json.key("Statement").begin_array();
  bool any = added != nullptr;
  for (const json::Value statement : statements(policy)) {
    if (added == nullptr && has_label(statement, removed)) continue;
    copy_json(json, statement);
    any = true;
  }
  if (added != nullptr) write_statement(json, *added, queue_arn);
  json.end_array().end_object();
  return any ? text : std::string();
}

/// Parses the queue's policy; the root is missing when there is none.
inline bool has_statement(const NamedQueue& queue, std::string_view label, json::Parser parse, json::Document& policy) {
  const auto text = queue.inert.find("Policy");
  if (text == queue.inert.end() || !parse(text->second, policy, {})) return false;
  const auto all = statements(policy.root());
  return std::any_of(all.begin(), all.end(), [&](json::Value one) { return has_label(one, label); });
}

inline void set_policy_text(NamedQueue& queue, std::string text, Instant now) {
  if (text.empty())
    queue.inert.erase("Policy");
  else
    queue.inert["Policy"] = std::move(text);
  queue.modified = now;
}
}  // namespace detail

inline SqsAnswer add_permission(SqsBroker& broker, const SqsCall& call) {
  const auto queue = queue_of(broker, call);
  if (!queue) return queue.error();
  SqsParameters parameters(call.parameters);
  const Permission read{parameters.text("Label"), parameters.texts("AWSAccountIds"), parameters.texts("Actions")};
  const auto permission = parameters.finish(read);
  if (!permission) return permission.error();
  for (const auto& checked : {detail::check_label(permission->label), detail::check_actions(permission->actions),
                              detail::check_accounts(permission->accounts)})
    if (!checked) return checked.error();
  json::Document policy;
  if (detail::has_statement(**queue, permission->label, broker.parser(), policy))
    return invalid_parameter(permission->label, "Label", "Already exists.");
  const std::string arn = broker.directory().arn((*queue)->name);
  detail::set_policy_text(**queue, detail::edit_policy(policy.root(), "", &*permission, arn), call.now);
  return {};
}

inline SqsAnswer remove_permission(SqsBroker& broker, const SqsCall& call) {
  const auto queue = queue_of(broker, call);
  if (!queue) return queue.error();
  SqsParameters parameters(call.parameters);
  const auto label = parameters.finish(parameters.text("Label"));
  if (!label) return label.error();
  if (label->empty()) return missing_parameter("Label");
  json::Document policy;
  if (!detail::has_statement(**queue, *label, broker.parser(), policy))
    return invalid_parameter(*label, "Label", "can't find label.");
  const std::string arn = broker.directory().arn((*queue)->name);
  detail::set_policy_text(**queue, detail::edit_policy(policy.root(), *label, nullptr, arn), call.now);
  return {};
}

}  // namespace dmq::inline DMQ_ABI::testing
