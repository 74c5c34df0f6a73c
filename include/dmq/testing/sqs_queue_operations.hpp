#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/testing/sqs_operations.hpp>

/// The operations on a queue as a whole. Later: SetQueueAttributes, DeleteQueue, tags, permissions, move tasks.
namespace dmq::inline DMQ_ABI::testing {

inline SqsAnswer purge_queue(NamedQueue& queue, const SqsCall& call) {
  if (queue.purged && call.now.ticks < *queue.purged + std::chrono::seconds(60))
    return simple_queue_error("PurgeQueueInProgress",
                              "Only one PurgeQueue operation on " + queue.name + " is allowed every 60 seconds.", 403);
  queue.purged = call.now.ticks;
  queue.queue.purge();
  return {};
}

/// What GetQueueAttributes can tell.
inline QueueAttributes describe(const NamedQueue& named, std::string_view arn_prefix) {
  const SqsQueue& queue = named.queue;
  QueueAttributes all = to_attributes(queue.settings());
  const std::size_t in_flight = queue.count(Visibility::in_flight);
  const std::size_t delayed = queue.count(Visibility::delayed);
  all["QueueArn"] = std::string(arn_prefix) + named.name;
  all["ApproximateNumberOfMessages"] = std::to_string(queue.count(Visibility::visible));
  all["ApproximateNumberOfMessagesNotVisible"] = std::to_string(in_flight);
  all["ApproximateNumberOfMessagesDelayed"] = std::to_string(delayed);
  const auto created = std::chrono::floor<std::chrono::seconds>(named.created.wall.time_since_epoch()).count();
  all["CreatedTimestamp"] = all["LastModifiedTimestamp"] = std::to_string(created);
  all["SqsManagedSseEnabled"] = "true";
  return all;
}

inline SqsResult<QueueAttributes> select(const QueueAttributes& all, const std::vector<std::string>& names) {
  QueueAttributes selected;
  for (const std::string& name : names) {
    const auto found = all.find(name);
    if (name == "All")
      selected = all;
    else if (found != all.end())
      selected.insert(*found);
    else
      return unknown_attribute(name);
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
