#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/url.hpp>
#include <dmq/testing/sqs_operations.hpp>
#include <dmq/testing/sqs_tags.hpp>

/// The operations that make, find, list, change and delete queues.
namespace dmq::inline DMQ_ABI::testing {

/// The number of the account, from what its ARNs begin with.
inline std::string_view account_of(std::string_view arn_prefix) {
  if (!arn_prefix.empty()) arn_prefix.remove_suffix(1);
  return arn_prefix.substr(arn_prefix.rfind(':') + 1);
}

inline std::string queue_url(std::string_view origin, std::string_view arn_prefix, std::string_view name) {
  std::string url(origin);
  return url.append("/").append(account_of(arn_prefix)).append("/").append(name);
}

/// The queue that a call is about, by the path of its QueueUrl: hosts differ between who made the URL and who uses it.
inline SqsResult<NamedQueue*> queue_of(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto text = parameters.finish(parameters.text("QueueUrl"));
  if (!text) return text.error();
  const auto url = http::Url::parse(*text);
  const std::string prefix = queue_url("", call.arn_prefix, "");
  if (!url || !url->path.starts_with(prefix)) return queue_does_not_exist();
  if (NamedQueue* queue = broker.find(std::string_view(url->path).substr(prefix.size()))) return queue;
  return queue_does_not_exist();
}

namespace detail {
inline SqsAnswer url_answer(const SqsCall& call, std::string_view name) {
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("QueueUrl").value(queue_url(call.origin, call.arn_prefix, name)).end_object();
  return body;
}

inline SqsResult<QueueAttributes> read_queue_attributes(json::Value parameters) {
  const json::Value list = parameters["Attributes"];
  if (SqsParameters(parameters).has("Attributes") && !list.is(json::Kind::object))
    return malformed_input("The value of Attributes has the wrong type.");
  SqsParameters values(list);
  QueueAttributes attributes;
  for (const json::Value member : list) attributes.emplace(member.name(), values.text(member.name()));
  return values.finish(std::move(attributes));
}
}  // namespace detail

/// Tags are for a new queue; one that exists keeps its own (not recorded from AWS).
inline SqsAnswer create_queue(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string name = parameters.text("QueueName");
  Tags tags = parameters.take(read_tags(call.parameters, "tags"));
  const auto attributes = parameters.finish(parameters.take(detail::read_queue_attributes(call.parameters)));
  if (!attributes) return attributes.error();
  if (name.empty()) return missing_parameter("QueueName");
  if (tags.size() > 50) return invalid_parameter("Too many tags added for queue " + name + ".");
  const bool is_new = broker.find(name) == nullptr;
  const auto queue = broker.create(name, *attributes, call.now);
  if (!queue) return queue.error();
  if (is_new) (*queue)->tags = std::move(tags);
  return detail::url_answer(call, name);
}

inline SqsAnswer get_queue_url(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string owner = parameters.text("QueueOwnerAWSAccountId");
  const auto name = parameters.finish(parameters.text("QueueName"));
  if (!name) return name.error();
  if (name->empty()) return invalid_parameter("Value for parameter QueueName is invalid. Reason: It must be given.");
  if (broker.find(*name) == nullptr || (!owner.empty() && owner != account_of(call.arn_prefix)))
    return queue_does_not_exist();
  return detail::url_answer(call, *name);
}

inline SqsAnswer delete_queue(SqsBroker& broker, const SqsCall& call) {
  const auto queue = queue_of(broker, call);
  if (!queue) return queue.error();
  broker.remove(**queue, call.now);
  return {};
}

inline SqsAnswer set_queue_attributes(SqsBroker& broker, const SqsCall& call) {
  const auto queue = queue_of(broker, call);
  if (!queue) return queue.error();
  const auto attributes = detail::read_queue_attributes(call.parameters);
  if (!attributes) return attributes.error();
  if (attributes->empty()) return missing_parameter("Attributes");
  const auto set = broker.directory().configure(**queue, *attributes, call.now);
  return set ? SqsAnswer() : SqsAnswer(set.error());
}

namespace detail {
/// The URLs of the queues that `belongs` chooses, under `member`: 1,000, or MaxResults and a token for the rest. A
/// token is the name at which to go on; a wrong one is refused with a wording that is not recorded from AWS.
template <class Belongs>
SqsAnswer list_page(const SqsBroker& broker, const SqsCall& call, std::string_view member, Belongs belongs) {
  SqsParameters parameters(call.parameters);
  const std::string token = parameters.text("NextToken");
  const auto limit =
      parameters.finish(parameters.integer("MaxResults", 1, 1'000, "Must be between 1 and 1000, if provided."));
  if (!limit) return limit.error();
  const auto first = encoding::base64_decode(token);
  if (!first) return invalid_parameter(token, "NextToken", "It is not one that was given out.");
  std::string body;
  std::string next;
  std::int64_t count = 0;
  encoding::JsonWriter json(body);
  json.begin_object();
  for (auto at = broker.queues().lower_bound(*first); at != broker.queues().end(); ++at) {
    if (!belongs(at->second)) continue;
    if (count == limit->value_or(1'000)) {
      next = at->first;
      break;
    }
    if (count++ == 0) json.key(member).begin_array();
    json.value(queue_url(call.origin, call.arn_prefix, at->first));
  }
  if (count > 0) json.end_array();
  if (*limit && !next.empty()) json.key("NextToken").value(encoding::base64_encode(next));
  json.end_object();
  return body;
}
}  // namespace detail

inline SqsAnswer list_queues(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto prefix = parameters.finish(parameters.text("QueueNamePrefix"));
  if (!prefix) return prefix.error();
  return detail::list_page(broker, call, "QueueUrls",
                           [&](const NamedQueue& queue) { return queue.name.starts_with(*prefix); });
}

/// Its answer begins with a small letter, unlike that of ListQueues.
inline SqsAnswer list_dead_letter_source_queues(SqsBroker& broker, const SqsCall& call) {
  const auto queue = queue_of(broker, call);
  if (!queue) return queue.error();
  const std::string& name = (*queue)->name;
  return detail::list_page(broker, call, "queueUrls",
                           [&](const NamedQueue& other) { return broker.directory().feeds(other, name); });
}

}  // namespace dmq::inline DMQ_ABI::testing
