#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/retry/repeat.hpp>
#include <dmq/sqs/queue_attributes.hpp>
#include <dmq/sqs/received_message.hpp>
#include <dmq/sqs/wire.hpp>

/// Bringing messages back from a dead-letter queue.
namespace dmq::inline DMQ_ABI::sqs {

enum class MoveStatus { running, completed, cancelling, cancelled, failed, other };

/// Whether it still moves messages.
constexpr bool is_active(MoveStatus status) noexcept {
  return status == MoveStatus::running || status == MoveStatus::cancelling;
}

/// A task that moves messages, as SQS tells it.
struct MoveTask {
  std::string handle{};  ///< While it is running.
  MoveStatus status = MoveStatus::other;
  std::string source_arn{};
  std::string destination_arn{};             ///< Empty: each message goes back to the queue it came from.
  std::optional<int> messages_per_second{};  ///< When it was given.
  std::int64_t moved = 0;                    ///< Approximate.
  std::optional<std::int64_t> to_move{};     ///< At the start; absent before that.
  std::string failure_reason{};
  WallTime started{};
};

namespace detail {
// In the order of MoveStatus.
inline constexpr std::string_view move_statuses[] = {"RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"};

inline MoveStatus read_move_status(std::string_view text) {
  std::size_t i = 0;
  while (i < std::size(move_statuses) && move_statuses[i] != text) ++i;
  return static_cast<MoveStatus>(i);
}

inline MoveTask read_move_task(json::Value value) {
  const auto text = [&](std::string_view name) { return std::string(value[name].string().value_or("")); };
  MoveTask task{.handle = text("TaskHandle"),
                .status = read_move_status(value["Status"].string().value_or("")),
                .source_arn = text("SourceArn"),
                .destination_arn = text("DestinationArn"),
                .moved = value["ApproximateNumberOfMessagesMoved"].integer().value_or(0),
                .to_move = value["ApproximateNumberOfMessagesToMove"].integer(),
                .failure_reason = text("FailureReason"),
                .started = from_milliseconds(std::to_string(value["StartedTimestamp"].integer().value_or(0)))};
  if (const auto rate = value["MaxNumberOfMessagesPerSecond"].integer(); rate && *rate >= 1 && *rate <= 500)
    task.messages_per_second = static_cast<int>(*rate);
  return task;
}
}  // namespace detail

/// Starts a task that takes messages out of a dead-letter queue, and gives its handle. One task a queue at a time. Not
/// repeated after a lost answer: that could start a second one when the first has done its work; ListMessageMoveTasks
/// tells what became of it.
struct StartMessageMoveTask {
  using result_type = std::string;
  static constexpr std::string_view name = "StartMessageMoveTask";
  static constexpr retry::Repeat repeat = retry::Repeat::never;

  std::string_view source_arn{};
  std::string_view destination_arn{};        ///< Empty: each message goes back to the queue it came from.
  std::optional<int> messages_per_second{};  ///< 1 to 500; absent: SQS chooses.

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_arn("SourceArn", source_arn); !ok) return ok;
    if (!destination_arn.empty())
      if (Result<void> ok = detail::check_queue_arn("DestinationArn", destination_arn); !ok) return ok;
    return detail::check_range("MaxNumberOfMessagesPerSecond", messages_per_second.value_or(1), 1, 500);
  }
  void write(encoding::JsonWriter& json) const {
    json.key("SourceArn").value(source_arn);
    if (!destination_arn.empty()) json.key("DestinationArn").value(destination_arn);
    if (messages_per_second) json.key("MaxNumberOfMessagesPerSecond").value(*messages_per_second);
  }
  Result<std::string> read(const http::Response& response, json::Value root) const {
    const auto handle = root["TaskHandle"].string();
    if (!handle || handle->empty()) return unusable_answer(response, "it holds no task handle");
    return std::string(*handle);
  }
};

/// The latest tasks of a queue, the newest first.
struct ListMessageMoveTasks {
  using result_type = std::vector<MoveTask>;
  static constexpr std::string_view name = "ListMessageMoveTasks";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view source_arn{};
  int max_results = 10;  ///< 1 to 10.

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_arn("SourceArn", source_arn); !ok) return ok;
    return detail::check_range("MaxResults", max_results, 1, 10);
  }
  void write(encoding::JsonWriter& json) const {
    json.key("SourceArn").value(source_arn).key("MaxResults").value(max_results);
  }
  Result<result_type> read(const http::Response& response, json::Value root) const {
    const json::Value list = root["Results"];
    if (!root.exists() || (list.exists() && !list.is(json::Kind::array)))
      return unusable_answer(response, "it holds no list of tasks");
    result_type tasks;
    for (const json::Value task : list) tasks.push_back(detail::read_move_task(task));
    return tasks;
  }
};

/// Stops a running task, and gives the approximate number of messages that it has moved, which stay moved. A task that
/// is not running is refused; so is the repeat of one whose answer was lost, with delivery unknown.
struct CancelMessageMoveTask {
  using result_type = std::int64_t;
  static constexpr std::string_view name = "CancelMessageMoveTask";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view task_handle{};

  Result<void> check() const {
    if (!task_handle.empty()) return {};
    return invalid_argument("the task handle is empty");
  }
  void write(encoding::JsonWriter& json) const { json.key("TaskHandle").value(task_handle); }
  Result<std::int64_t> read(const http::Response& response, json::Value root) const {
    if (!root.exists()) return unusable_answer(response, "it is empty");
    return root["ApproximateNumberOfMessagesMoved"].integer().value_or(0);
  }
};

}  // namespace dmq::inline DMQ_ABI::sqs
