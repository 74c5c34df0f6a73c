#pragma once

#include <chrono>
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
#include <dmq/testing/sqs_queue.hpp>
#include <dmq/testing/sqs_queue_attributes.hpp>
#include <dmq/testing/sqs_receive.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Names an answer that is not there yet: that to a long poll.
using PollId = std::uint64_t;

/// A queue as an account has it.
struct NamedQueue {
  std::string name{};
  SqsQueue queue;
  Instant created{};
  std::optional<Ticks> purged{};
  std::set<PollId> waiting{};  ///< In the order in which they came.
};

/// The answer to a long poll.
struct PolledBody {
  PollId id = 0;
  SqsResult<std::string> body{};
};

/// The queues of an account and the long polls that wait on them; JSON only where a poll has to be answered later.
/// A value; not thread-safe.
class SqsBroker {
 public:
  /// `arn_prefix` is what ARNs have before the name of a queue.
  SqsBroker(std::string arn_prefix, json::Parser parser, std::uint64_t seed)
      : arn_prefix_(std::move(arn_prefix)), parse_(parser), random_(seed) {}

  const std::string& arn_prefix() const noexcept { return arn_prefix_; }

  /// Creating what exists with the same attributes is a success. Of the attributes only those that are given count.
  SqsResult<NamedQueue*> create(const std::string& name, const QueueAttributes& attributes, Instant now);
  NamedQueue* find(std::string_view name) {
    const auto found = queues_.find(name);
    return found == queues_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, NamedQueue, std::less<>>& queues() const noexcept { return queues_; }

  /// What a receive finds now: the body of its answer. Messages received too often go to the dead-letter queue.
  SqsResult<std::string> receive(NamedQueue& queue, const ReceiveRequest& request, Instant now);
  /// Lets it wait until there is something or `until` has come.
  PollId park(NamedQueue& queue, ReceiveRequest request, Ticks until);
  /// One that no poll has or will have, for another answer that comes late.
  PollId next_poll_id() noexcept { return ++last_poll_; }
  void cancel(PollId id);

  /// The polls that can be answered at `now`. Call it after each operation and at next_deadline().
  std::vector<PolledBody> advance(Instant now);
  /// Nothing while no poll waits.
  std::optional<Ticks> next_deadline() const;
  std::size_t polls() const noexcept { return polls_.size(); }

 private:
  struct Poll {
    std::string queue{};
    ReceiveRequest request{};
    Ticks until{};
  };

  NamedQueue* find_arn(std::string_view arn);
  SqsResult<void> check_redrive(const QueueSettings& settings);
  void answer_from(NamedQueue& queue, Instant now, std::vector<PolledBody>& answers);
  void answer_expired(Instant now, std::vector<PolledBody>& answers);

  std::string arn_prefix_;
  json::Parser parse_;
  Random random_;
  std::map<std::string, NamedQueue, std::less<>> queues_;
  std::map<PollId, Poll> polls_;
  std::set<std::pair<Ticks, PollId>> ends_;
  PollId last_poll_ = 0;
  std::uint64_t dead_letters_ = 0;  ///< Moved so far.
};

inline SqsResult<NamedQueue*> SqsBroker::create(const std::string& name, const QueueAttributes& attributes,
                                                Instant now) {
  const std::string_view stem =
      std::string_view(name).substr(0, name.ends_with(".fifo") ? name.size() - 5 : name.size());
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  if (stem.empty() || name.size() > 80 || stem.find_first_not_of(allowed) != std::string_view::npos)
    return invalid_parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
  auto settings = read_settings(name, attributes, parse_);
  if (!settings) return std::move(settings).error();
  if (auto redrive = check_redrive(*settings); !redrive) return std::move(redrive).error();
  if (NamedQueue* existing = find(name)) {
    QueueAttributes present = to_attributes(existing->queue.settings());
    QueueAttributes wanted = to_attributes(*settings);
    for (const auto& [attribute, value] : attributes)
      if (present[attribute] != wanted[attribute]) return queue_name_exists(attribute);
    return existing;
  }
  SqsQueue queue(make_uuid(random_), *settings, random_.next());
  return &queues_.insert_or_assign(name, NamedQueue{name, std::move(queue), now}).first->second;
}

inline NamedQueue* SqsBroker::find_arn(std::string_view arn) {
  return arn.starts_with(arn_prefix_) ? find(arn.substr(arn_prefix_.size())) : nullptr;
}

inline SqsResult<void> SqsBroker::check_redrive(const QueueSettings& settings) {
  if (!settings.redrive) return {};
  const NamedQueue* const target = find_arn(settings.redrive->target_arn);
  const std::string policy = write_redrive_policy(*settings.redrive);
  if (target == nullptr) return invalid_parameter(policy, "RedrivePolicy", "Dead letter target does not exist.");
  if (target->queue.settings().type != settings.type)
    return invalid_parameter(policy, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.");
  return {};
}

inline SqsResult<std::string> SqsBroker::receive(NamedQueue& queue, const ReceiveRequest& request, Instant now) {
  ReceiveOutcome outcome = queue.queue.receive(request.order, now);
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
    find_arn(queue.queue.settings().redrive->target_arn)->queue.adopt(std::move(dead), arn_prefix_ + queue.name, now);
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
  const auto poll = polls_.find(id);
  if (poll == polls_.end()) return;
  if (NamedQueue* queue = find(poll->second.queue)) queue->waiting.erase(id);
  ends_.erase({poll->second.until, id});
  polls_.erase(poll);
}

inline std::vector<PolledBody> SqsBroker::advance(Instant now) {
  std::vector<PolledBody> answers;
  if (polls_.empty()) return answers;
  // What moves to a dead-letter queue may be what a poll on that one waits for.
  std::uint64_t moved_before = 0;
  do {
    moved_before = dead_letters_;
    for (auto& [name, queue] : queues_)
      if (!queue.waiting.empty()) answer_from(queue, now, answers);
  } while (dead_letters_ != moved_before);
  answer_expired(now, answers);
  return answers;
}

inline void SqsBroker::answer_from(NamedQueue& queue, Instant now, std::vector<PolledBody>& answers) {
  queue.queue.settle(now.ticks);
  const std::set<PollId> waiting = queue.waiting;
  for (const PollId id : waiting) {
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
  if (ends_.empty()) return std::nullopt;
  Ticks next = ends_.begin()->first;
  for (const auto& [name, queue] : queues_)
    if (const auto change = queue.queue.next_change(); change && !queue.waiting.empty() && *change < next)
      next = *change;
  return next;
}

}  // namespace dmq::inline DMQ_ABI::testing
