#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_operations.hpp>

/// StartMessageMoveTask, ListMessageMoveTasks and CancelMessageMoveTask.
namespace dmq::inline DMQ_ABI::testing {

/// What a task handle stands for. Clients see Base64 and must not look inside.
struct TaskHandle {
  std::string task_id{};
  std::string source_arn{};

  std::string text() const {
    std::string plain;
    encoding::JsonWriter json(plain);
    json.begin_object().key("taskId").value(task_id).key("sourceArn").value(source_arn).end_object();
    return encoding::base64_encode(plain);
  }

  static std::optional<TaskHandle> parse(std::string_view text, json::Parser parse) {
    const auto plain = encoding::base64_decode(text);
    json::Document document;
    if (!plain || !parse(*plain, document, {})) return std::nullopt;
    const auto id = document.root()["taskId"].string();
    const auto arn = document.root()["sourceArn"].string();
    if (!id || !arn) return std::nullopt;
    return TaskHandle{std::string(*id), std::string(*arn)};
  }
};

namespace detail {
inline SqsError resource_not_found(std::string message) {
  return modelled_error("ResourceNotFoundException", "ResourceNotFoundException", std::move(message), 404);
}

/// The queue whose ARN is in this parameter.
inline SqsResult<NamedQueue*> queue_of_arn(SqsBroker& broker, std::string_view parameter, std::string_view arn) {
  if (NamedQueue* queue = broker.directory().find_arn(arn)) return queue;
  return resource_not_found("The resource that you specified for the " + std::string(parameter) +
                            " parameter doesn't exist.");
}

/// The order of the checks, and the wording where it does not stand in quotes in AWS's documents, are not recorded.
inline SqsResult<void> check_move(SqsBroker& broker, const NamedQueue& source, std::string_view destination_arn) {
  if (!broker.directory().is_dead_letter_queue(source.name))
    return invalid_parameter("Source queue must be configured as a Dead Letter Queue.");
  if (broker.tasks().is_active(source.name))
    return invalid_parameter(
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
  if (destination_arn.empty()) return {};
  const auto destination = queue_of_arn(broker, "DestinationArn", destination_arn);
  if (!destination) return destination.error();
  if (*destination == &source)
    return invalid_parameter(destination_arn, "DestinationArn", "It must not be the source queue.");
  if ((*destination)->queue.settings().type != source.queue.settings().type)
    return invalid_parameter(destination_arn, "DestinationArn", "It must be the same type of queue as the source.");
  return {};
}

inline std::string_view status_text(MoveStatus status) {
  switch (status) {
    case MoveStatus::running: return "RUNNING";
    case MoveStatus::completed: return "COMPLETED";
    case MoveStatus::cancelling: return "CANCELLING";
    case MoveStatus::cancelled: return "CANCELLED";
    case MoveStatus::failed: break;
  }
  return "FAILED";
}

inline void write_task(encoding::JsonWriter& json, const MoveTask& task, const std::string& source_arn) {
  const auto started = std::chrono::floor<std::chrono::milliseconds>(task.started.wall.time_since_epoch()).count();
  json.begin_object();
  if (task.status == MoveStatus::running) json.key("TaskHandle").value(TaskHandle{task.id, source_arn}.text());
  json.key("Status").value(status_text(task.status)).key("SourceArn").value(source_arn);
  if (!task.destination_arn.empty()) json.key("DestinationArn").value(task.destination_arn);
  if (task.messages_per_second) json.key("MaxNumberOfMessagesPerSecond").value(*task.messages_per_second);
  json.key("ApproximateNumberOfMessagesMoved").value(static_cast<std::int64_t>(task.moved));
  json.key("ApproximateNumberOfMessagesToMove").value(static_cast<std::int64_t>(task.to_move));
  if (!task.failure_reason.empty()) json.key("FailureReason").value(task.failure_reason);
  json.key("StartedTimestamp").value(static_cast<std::int64_t>(started)).end_object();
}
}  // namespace detail

inline SqsAnswer start_message_move_task(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string source_arn = parameters.text("SourceArn");
  const std::string destination_arn = parameters.text("DestinationArn");
  const auto rate = parameters.finish(
      parameters.integer("MaxNumberOfMessagesPerSecond", 1, 500, "Must be between 1 and 500, if provided."));
  if (!rate) return rate.error();
  if (source_arn.empty()) return missing_parameter("SourceArn");
  const auto source = detail::queue_of_arn(broker, "SourceArn", source_arn);
  if (!source) return source.error();
  if (auto checked = detail::check_move(broker, **source, destination_arn); !checked) return checked.error();
  (*source)->queue.settle(call.now.ticks);
  MoveTask task{.id = broker.new_task_id(), .destination_arn = destination_arn, .started = call.now};
  if (*rate) task.messages_per_second = static_cast<int>(**rate);
  task.to_move = (*source)->queue.count(Visibility::visible);
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("TaskHandle").value(TaskHandle{task.id, source_arn}.text()).end_object();
  broker.tasks().start((*source)->name, std::move(task));
  return body;
}

/// The newest first. A handle is told only while the task is running.
inline SqsAnswer list_message_move_tasks(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string source_arn = parameters.text("SourceArn");
  const auto limit =
      parameters.finish(parameters.integer("MaxResults", 1, 10, "Must be between 1 and 10, if provided."));
  if (!limit) return limit.error();
  if (source_arn.empty()) return missing_parameter("SourceArn");
  const auto source = detail::queue_of_arn(broker, "SourceArn", source_arn);
  if (!source) return source.error();
  std::string list;
  encoding::JsonWriter json(list);
  std::int64_t count = 0;
  for (const MoveTask& task : broker.tasks().of((*source)->name))
    if (count++ < limit->value_or(1)) detail::write_task(json, task, source_arn);
  return list.empty() ? "{}" : "{\"Results\":[" + list + "]}";
}

/// What AWS says to a task that is no longer running is not recorded.
inline SqsAnswer cancel_message_move_task(SqsBroker& broker, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto text = parameters.finish(parameters.text("TaskHandle"));
  if (!text) return text.error();
  if (text->empty()) return missing_parameter("TaskHandle");
  const auto handle = TaskHandle::parse(*text, broker.parser());
  if (!handle) return invalid_parameter("Value for parameter TaskHandle is invalid.");
  const auto source = detail::queue_of_arn(broker, "SourceArn", handle->source_arn);
  if (!source) return source.error();
  const std::string& name = (*source)->name;
  for (const MoveTask& task : broker.tasks().of(name)) {
    if (task.id != handle->task_id) continue;
    if (task.status != MoveStatus::running) return unsupported_operation("Only a running task can be cancelled.");
    std::string body = "{\"ApproximateNumberOfMessagesMoved\":" + std::to_string(task.moved) + "}";
    broker.tasks().cancel(name, call.now);
    return body;
  }
  return detail::resource_not_found("Task does not exist.");
}

}  // namespace dmq::inline DMQ_ABI::testing
