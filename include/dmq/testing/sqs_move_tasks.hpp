#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/sqs_queues.hpp>

namespace dmq::inline DMQ_ABI::testing {

enum class MoveStatus { running, completed, cancelling, cancelled, failed };

/// Takes messages out of a dead-letter queue, one after the other, for another queue.
struct MoveTask {
  std::string id{};
  std::string destination_arn{};  ///< Empty: each message goes back to the queue it came from.
  std::optional<int> messages_per_second{};
  Instant started{};
  std::uint64_t to_move = 0;  ///< What was there at the start, but for messages in flight or delayed.
  std::uint64_t moved = 0;
  MoveStatus status = MoveStatus::running;
  Ticks cancelled_at{};          ///< When a cancelling one will be.
  std::string failure_reason{};  ///< Of a failed one.

  bool is_active() const noexcept { return status == MoveStatus::running || status == MoveStatus::cancelling; }
  /// When it goes on, while it is active. Without a rate it moves 500 a second (AWS chooses one; not recorded).
  Instant due() const {
    if (status == MoveStatus::cancelling) return started + (cancelled_at - started.ticks);
    const auto steps = static_cast<Duration::rep>(moved + 1);
    return started + Duration(std::chrono::seconds(1)) * steps / messages_per_second.value_or(500);
  }
};

/// The move tasks of an account, and their progress with time: run() is called before each operation. A value; not
/// thread-safe.
class MoveTasks {
 public:
  /// How many are remembered for each source.
  static constexpr std::size_t remembered = 10;

  /// Those that take from this queue, the newest first. At most the first one is active.
  const std::deque<MoveTask>& of(std::string_view source) const {
    static const std::deque<MoveTask> none;
    const auto found = tasks_.find(source);
    return found == tasks_.end() ? none : found->second;
  }
  bool is_active(std::string_view source) const { return !of(source).empty() && of(source).front().is_active(); }

  /// Starts one; there must be no other that is active.
  void start(const std::string& source, MoveTask task) {
    std::deque<MoveTask>& tasks = tasks_[source];
    due_.emplace(task.due().ticks, source);
    tasks.push_front(std::move(task));
    if (tasks.size() > remembered) tasks.pop_back();
  }
  /// Of the active one: moves nothing more, and is cancelled a second later (how long AWS takes is not recorded).
  void cancel(const std::string& source, Instant now) {
    MoveTask& task = tasks_.at(source).front();
    due_.erase({task.due().ticks, source});
    task.status = MoveStatus::cancelling;
    task.cancelled_at = now.ticks + std::chrono::seconds(1);
    due_.emplace(task.due().ticks, source);
  }
  /// The source is gone, and its tasks with it.
  void forget(const std::string& source) {
    if (is_active(source)) due_.erase({of(source).front().due().ticks, source});
    tasks_.erase(source);
  }

  /// Lets the tasks do what was due by `now`, each thing at its own time.
  void run(SqsQueues& queues, Ticks now) {
    while (!due_.empty() && due_.begin()->first <= now) {
      const std::string source = due_.begin()->second;
      due_.erase(due_.begin());
      MoveTask& task = tasks_.at(source).front();
      step(task, *queues.find(source), queues);
      if (task.is_active()) due_.emplace(task.due().ticks, source);
    }
  }
  std::optional<Ticks> next_due() const { return due_.empty() ? std::nullopt : std::optional(due_.begin()->first); }

 private:
  static void step(MoveTask& task, NamedQueue& source, SqsQueues& queues);

  std::map<std::string, std::deque<MoveTask>, std::less<>> tasks_;  ///< By the source's name.
  std::set<std::pair<Ticks, std::string>> due_;                     ///< The active ones.
};

/// Moves one message. A moved message is a new one: AWS gives it another id and time of sending. It fails at a message
/// of which it can't tell where it belongs, and where the destination is gone.
inline void MoveTasks::step(MoveTask& task, NamedQueue& source, SqsQueues& queues) {
  if (task.status == MoveStatus::cancelling) {
    task.status = MoveStatus::cancelled;
    return;
  }
  const Instant at = task.due();
  auto next = task.moved < task.to_move ? source.queue.offer(at) : std::nullopt;
  if (!next) {
    task.status = MoveStatus::completed;
    return;
  }
  const std::string arn = task.destination_arn.empty() ? next->dead_letter_source : task.destination_arn;
  NamedQueue* const destination = queues.find_arn(arn);
  if (destination == nullptr) {
    task.status = MoveStatus::failed;
    task.failure_reason = arn.empty() ? "CouldNotDetermineMessageSource" : "AWS.SimpleQueueService.NonExistentQueue";
    return;
  }
  source.queue.drop(next->sequence);
  destination->queue.put(std::move(next->content), at);
  if (++task.moved == task.to_move) task.status = MoveStatus::completed;
}

}  // namespace dmq::inline DMQ_ABI::testing
