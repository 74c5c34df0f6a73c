#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/testing/sqs_operations.hpp>

/// PurgeQueue and GetQueueAttributes.
namespace dmq::inline DMQ_ABI::testing {

inline SqsAnswer purge_queue(NamedQueue& queue, const SqsCall& call) {
  if (queue.purged && call.now.ticks < *queue.purged + std::chrono::seconds(60))
    return simple_queue_error("PurgeQueueInProgress",
                              "Only one PurgeQueue operation on " + queue.name + " is allowed every 60 seconds.", 403);
  queue.purged = call.now.ticks;
  queue.queue.purge();
  return {};
}

/// What GetQueueAttributes can be asked for. What does not apply to a queue is left out of the answer.
constexpr std::string_view queue_attribute_names[] = {"Policy",
                                                      "VisibilityTimeout",
                                                      "MaximumMessageSize",
                                                      "MessageRetentionPeriod",
                                                      "ApproximateNumberOfMessages",
                                                      "ApproximateNumberOfMessagesNotVisible",
                                                      "CreatedTimestamp",
                                                      "LastModifiedTimestamp",
                                                      "QueueArn",
                                                      "ApproximateNumberOfMessagesDelayed",
                                                      "DelaySeconds",
                                                      "ReceiveMessageWaitTimeSeconds",
                                                      "RedrivePolicy",
                                                      "FifoQueue",
                                                      "ContentBasedDeduplication",
                                                      "KmsMasterKeyId",
                                                      "KmsDataKeyReusePeriodSeconds",
                                                      "DeduplicationScope",
                                                      "FifoThroughputLimit",
                                                      "RedriveAllowPolicy",
                                                      "SqsManagedSseEnabled"};

/// All that applies to the queue.
inline QueueAttributes describe(const NamedQueue& named, std::string_view arn_prefix) {
  const SqsQueue& queue = named.queue;
  QueueAttributes all = to_attributes({queue.settings(), named.inert});
  const auto seconds = [](Instant at) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(at.wall.time_since_epoch()).count());
  };
  const std::size_t in_flight = queue.count(Visibility::in_flight);
  const std::size_t delayed = queue.count(Visibility::delayed);
  all["QueueArn"] = std::string(arn_prefix) + named.name;
  all["ApproximateNumberOfMessages"] = std::to_string(queue.count(Visibility::visible));
  all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(in_flight);
  all["ApproximateNumberOfMessagesDelayed"] = std::to_string(delayed);
  all["CreatedTimestamp"] = seconds(named.created);
  all["LastModifiedTimestamp"] = seconds(named.modified);
  return all;
}

inline SqsResult<QueueAttributes> select(const QueueAttributes& all, const std::vector<std::string>& names) {
  QueueAttributes selected;
  for (const std::string& name : names) {
    if (name != "All" && std::count(std::begin(queue_attribute_names), std::end(queue_attribute_names), name) == 0)
      return unknown_attribute(name);
    const auto found = all.find(name);
    if (name == "All")
      selected = all;
    else if (found != all.end())
      selected.insert(*found);
  }
  return selected;
}

inline SqsAnswer get_queue_attributes(NamedQueue& queue, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto names = parameters.finish(parameters.texts("AttributeNames"));
  if (!names) return names.error();
  queue.queue.settle(call.now.ticks);
  const auto selected = select(describe(queue, call.arn_prefix), *names);
  if (!selected) return selected.error();
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object();
  if (!selected->empty()) json.key("Attributes").begin_object();
  for (const auto& [name, value] : *selected) json.key(name).value(value);
  if (!selected->empty()) json.end_object();
  json.end_object();
  return body;
}

}  // namespace dmq::inline DMQ_ABI::testing
