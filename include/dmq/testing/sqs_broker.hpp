#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_move_tasks.hpp>
#include <dmq/testing/sqs_queues.hpp>
#include <dmq/testing/sqs_receive.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The answer to a long poll.
struct PolledBody {
  PollId id = 0;
  SqsResult<std::string> body{};
};

/// The queues of an account, the tasks that move messages between them, and the long polls that wait on them; JSON only
/// where a poll has to be answered later. A value; not thread-safe.
class SqsBroker {
 public:
  /// `arn_prefix` is what ARNs have before the name of a queue.
  SqsBroker(std::string arn_prefix, json::Parser parse, std::uint64_t seed)
      : parse_(parse), directory_(std::move(arn_prefix), parse, seed), random_(seed + 1) {}

  const std::string& arn_prefix() const noexcept { return directory_.arn_prefix(); }
  json::Parser parser() const noexcept { return parse_; }

  /// See SqsQueues.
  SqsResult<NamedQueue*> create(const std::string& name, const QueueAttributes& attributes, Instant now) {
    return directory_.create(name, attributes, now);
  }
  NamedQueue* find(std::string_view name) { return directory_.find(name); }
  const std::map<std::string, NamedQueue, std::less<>>& queues() const noexcept { return directory_.all(); }
  SqsQueues& directory() noexcept { return directory_; }

  /// The long polls that wait on it are told at the next advance() that there is no such queue (not recorded from AWS).
  void remove(NamedQueue& queue, Instant now);

  /// Lets move tasks do what is due. Call it before each operation.
  void run_tasks(Instant now) { tasks_.run(directory_, now.ticks); }
  MoveTasks& tasks() noexcept { return tasks_; }
  std::string new_task_id() { return make_uuid(random_); }

  /// What a receive finds now: the body of its answer. Messages received too often go to the dead-letter queue, or stay
  /// and are received on when that was deleted (not recorded from AWS).
  SqsResult<std::string> receive(NamedQueue& queue, const ReceiveRequest& request, Instant now);
  /// Lets it wait until there is something or `until` has come.
  PollId park(NamedQueue& queue, ReceiveRequest request, Ticks until);
  /// One that no poll has or will have, for another answer that comes late.
  PollId next_poll_id() noexcept { return ++last_poll_; }
  void cancel(PollId id);

  /// The polls that can be answered at `now`. Call it after each operation and at next_deadline().
  std::vector<PolledBody> advance(Instant now);
  /// Nothing while no poll waits and no task moves messages.
  std::optional<Ticks> next_deadline() const;
  std::size_t polls() const noexcept { return polls_.size(); }

 private:
  struct Poll {
    std::string queue{};
    ReceiveRequest request{};
    Ticks until{};
  };

  void answer_from(NamedQueue& queue, Instant now, std::vector<PolledBody>& answers);
  void answer_expired(Instant now, std::vector<PolledBody>& answers);

  json::Parser parse_;
  SqsQueues directory_;
  Random random_;
  MoveTasks tasks_;
  std::vector<PolledBody> orphans_;  ///< Answers to polls on queues that were deleted.
  std::map<PollId, Poll> polls_;
  std::set<std::pair<Ticks, PollId>> ends_;
  PollId last_poll_ = 0;
  std::uint64_t dead_letters_ = 0;  ///< Moved so far.
};

inline void SqsBroker::remove(NamedQueue& queue, Instant now) {
  const std::set<PollId> waiting = queue.waiting;
  for (const PollId id : waiting) {
    cancel(id);
    orphans_.push_back({id, queue_does_not_exist()});
  }
  const std::string name = queue.name;
  tasks_.forget(name);
  directory_.remove(name, now);
}

inline SqsResult<std::string> SqsBroker::receive(NamedQueue& queue, const ReceiveRequest& request, Instant now) {
  const auto& redrive = queue.queue.settings().redrive;
  NamedQueue* const target = redrive ? directory_.find_arn(redrive->target_arn) : nullptr;
  ReceiveOutcome outcome =
      queue.queue.receive(request.order, now, target == nullptr ? DeadLetters::keep : DeadLetters::leave);
  switch (outcome.verdict) {
    case ReceiveVerdict::over_limit: return over_limit();
    case ReceiveVerdict::attempt_not_valid:
      return invalid_parameter(
          "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.");
    case ReceiveVerdict::done: break;
  }
  // Before the moves: a queue can be its own target, and the messages are valid until it is used again.
  std::string body = write_received(outcome.messages, queue.queue.settings(), request);
  for (HeldMessage& dead : outcome.dead) {
    target->queue.adopt(std::move(dead), directory_.arn(queue.name), now);
    ++dead_letters_;
  }
  return body;
}

inline PollId SqsBroker::park(NamedQueue& queue, ReceiveRequest request, Ticks until) {
  const PollId id = next_poll_id();
  polls_[id] = {queue.name, std::move(request), until};
  ends_.emplace(until, id);
  queue.waiting.insert(id);
  return id;
}

inline void SqsBroker::cancel(PollId id) {
  std::erase_if(orphans_, [&](const PolledBody& orphan) { return orphan.id == id; });
  const auto poll = polls_.find(id);
  if (poll == polls_.end()) return;
  if (NamedQueue* queue = find(poll->second.queue)) queue->waiting.erase(id);
  ends_.erase({poll->second.until, id});
  polls_.erase(poll);
}

inline std::vector<PolledBody> SqsBroker::advance(Instant now) {
  run_tasks(now);
  std::vector<PolledBody> answers = std::exchange(orphans_, {});
  if (polls_.empty()) return answers;
  // What moves to a dead-letter queue may be what a poll on that one waits for.
  std::uint64_t moved_before = 0;
  do {
    moved_before = dead_letters_;
    for (auto& [name, queue] : directory_.all())
      if (!queue.waiting.empty()) answer_from(queue, now, answers);
  } while (dead_letters_ != moved_before);
  answer_expired(now, answers);
  return answers;
}

inline void SqsBroker::answer_from(NamedQueue& queue, Instant now, std::vector<PolledBody>& answers) {
  queue.queue.settle(now.ticks);
  // Thousands may wait while each operation comes by here.
  const auto any = [&] { return queue.queue.has_ready() || queue.queue.remembers_any(); };
  for (auto next = queue.waiting.begin(); next != queue.waiting.end() && any();) {
    const PollId id = *next++;
    const ReceiveRequest& request = polls_.at(id).request;
    // The same receive may have been sent twice: the second one gets what the first one was given.
    if (!queue.queue.has_ready() && !queue.queue.remembers(request.order.attempt_id)) continue;
    SqsResult<std::string> body = receive(queue, request, now);
    if (body && *body == "{}") continue;
    cancel(id);
    answers.push_back({id, std::move(body)});
  }
}

inline void SqsBroker::answer_expired(Instant now, std::vector<PolledBody>& answers) {
  while (!ends_.empty() && ends_.begin()->first <= now.ticks) {
    const PollId id = ends_.begin()->second;
    cancel(id);
    answers.push_back({id, std::string("{}")});
  }
}

inline std::optional<Ticks> SqsBroker::next_deadline() const {
  const auto task = tasks_.next_due();
  if (ends_.empty()) return task;
  Ticks next = std::min(ends_.begin()->first, task.value_or(Ticks::max()));
  for (const auto& [name, queue] : queues())
    if (const auto change = queue.queue.next_change(); change && !queue.waiting.empty() && *change < next)
      next = *change;
  return next;
}

}  // namespace dmq::inline DMQ_ABI::testing
