#pragma once

#include <algorithm>
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

namespace dmq::inline DMQ_ABI::testing {

/// Names an answer that is not there yet: that to a long poll.
using PollId = std::uint64_t;

/// A queue as an account has it.
struct NamedQueue {
  std::string name{};
  SqsQueue queue;
  QueueAttributes inert{};  ///< See QueueConfiguration.
  std::map<std::string, std::string, std::less<>> tags{};
  Instant created{};
  Instant modified{};  ///< Its attributes.
  std::optional<Ticks> purged{};
  std::set<PollId> waiting{};  ///< In the order in which they came.
};

/// The queues of an account. A value; not thread-safe.
class SqsQueues {
 public:
  /// `arn_prefix` is what ARNs have before the name of a queue: "arn:aws:sqs:us-east-1:000000000000:".
  SqsQueues(std::string arn_prefix, json::Parser parser, std::uint64_t seed)
      : arn_prefix_(std::move(arn_prefix)), parse_(parser), random_(seed) {}

  const std::string& arn_prefix() const noexcept { return arn_prefix_; }
  std::string arn(std::string_view name) const { return arn_prefix_ + std::string(name); }

  /// Creating what exists with the same attributes is a success. Of the attributes only those that are given count.
  /// The name of a queue that was deleted is free again after a minute.
  SqsResult<NamedQueue*> create(const std::string& name, const QueueAttributes& attributes, Instant now);
  /// Changes the attributes that are given, or none when one of them is refused.
  SqsResult<void> configure(NamedQueue& queue, const QueueAttributes& attributes, Instant now);
  /// The queue and its messages are gone at once; AWS takes up to a minute.
  void remove(const std::string& name, Instant now);

  /// Null when there is none.
  NamedQueue* find(std::string_view name) {
    const auto found = queues_.find(name);
    return found == queues_.end() ? nullptr : &found->second;
  }
  NamedQueue* find_arn(std::string_view arn) {
    return arn.starts_with(arn_prefix_) ? find(arn.substr(arn_prefix_.size())) : nullptr;
  }
  bool is_dead_letter_queue(std::string_view name) const {
    return std::any_of(queues_.begin(), queues_.end(), [&](const auto& entry) { return feeds(entry.second, name); });
  }
  /// Whether `name` is the dead-letter queue of `source`.
  bool feeds(const NamedQueue& source, std::string_view name) const {
    const auto& redrive = source.queue.settings().redrive;
    return redrive && redrive->target_arn == arn(name);
  }

  const std::map<std::string, NamedQueue, std::less<>>& all() const noexcept { return queues_; }
  std::map<std::string, NamedQueue, std::less<>>& all() noexcept { return queues_; }

 private:
  SqsResult<void> check_redrive(const std::string& name, const QueueSettings& settings, const QueueAttributes& given);
  static SqsResult<void> check_same(const NamedQueue& existing, const QueueConfiguration& wanted,
                                    const QueueAttributes& given);

  std::string arn_prefix_;
  json::Parser parse_;
  Random random_;
  std::map<std::string, NamedQueue, std::less<>> queues_;
  std::map<std::string, Ticks> deleted_;  ///< When their names are free again.
};

namespace detail {
inline SqsResult<void> check_queue_name(std::string_view name) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  const std::string_view stem = name.substr(0, name.ends_with(".fifo") ? name.size() - 5 : name.size());
  if (!stem.empty() && name.size() <= 80 && stem.find_first_not_of(allowed) == std::string_view::npos) return {};
  return invalid_parameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
}
}  // namespace detail

inline SqsResult<NamedQueue*> SqsQueues::create(const std::string& name, const QueueAttributes& attributes,
                                                Instant now) {
  if (auto named = detail::check_queue_name(name); !named) return std::move(named).error();
  auto wanted = new_configuration(name, attributes, parse_);
  if (!wanted) return std::move(wanted).error();
  if (NamedQueue* existing = find(name)) {
    if (auto same = check_same(*existing, *wanted, attributes); !same) return std::move(same).error();
    return existing;
  }
  if (const auto deleted = deleted_.find(name); deleted != deleted_.end() && now.ticks < deleted->second)
    return simple_queue_error(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.");
  if (auto redrive = check_redrive(name, wanted->settings, attributes); !redrive) return std::move(redrive).error();
  deleted_.erase(name);
  SqsQueue queue(make_uuid(random_), std::move(wanted->settings), random_.next());
  NamedQueue named{.name = name, .queue = std::move(queue), .inert = std::move(wanted->inert)};
  named.created = named.modified = now;
  return &queues_.insert_or_assign(name, std::move(named)).first->second;
}

inline SqsResult<void> SqsQueues::check_same(const NamedQueue& existing, const QueueConfiguration& wanted,
                                             const QueueAttributes& given) {
  QueueAttributes present = to_attributes({existing.queue.settings(), existing.inert});
  QueueAttributes would_be = to_attributes(wanted);
  for (const auto& [attribute, value] : given)
    if (present[attribute] != would_be[attribute]) return queue_name_exists(attribute);
  return {};
}

inline SqsResult<void> SqsQueues::configure(NamedQueue& queue, const QueueAttributes& attributes, Instant now) {
  auto changed = changed_configuration({queue.queue.settings(), queue.inert}, attributes, parse_);
  if (!changed) return std::move(changed).error();
  if (auto redrive = check_redrive(queue.name, changed->settings, attributes); !redrive) return redrive;
  queue.queue.reconfigure(std::move(changed->settings), now);
  queue.inert = std::move(changed->inert);
  queue.modified = now;
  return {};
}

/// Only where the policy is given: a target that is deleted later, or allows it no more, refuses no other change. The
/// wording for a target that does not allow it is not recorded from AWS.
inline SqsResult<void> SqsQueues::check_redrive(const std::string& name, const QueueSettings& settings,
                                                const QueueAttributes& given) {
  const auto policy = given.find("RedrivePolicy");
  if (policy == given.end() || !settings.redrive) return {};
  const auto refuse = [&](std::string_view reason) {
    return invalid_parameter(policy->second, "RedrivePolicy", reason);
  };
  const NamedQueue* const target = find_arn(settings.redrive->target_arn);
  if (target == nullptr) return refuse("Dead letter target does not exist.");
  const QueueSettings& dead = target->queue.settings();
  if (dead.type != settings.type) return refuse("Dead-letter queue must be same type of queue as the source.");
  const auto allowed = read_redrive_allow_policy(dead.redrive_allow_policy, parse_);
  if (allowed && !allowed->allows(arn(name))) return refuse("The dead-letter queue does not allow this source queue.");
  return {};
}

inline void SqsQueues::remove(const std::string& name, Instant now) {
  std::erase_if(deleted_, [&](const auto& entry) { return entry.second <= now.ticks; });
  deleted_[name] = now.ticks + std::chrono::minutes(1);
  queues_.erase(name);
}

}  // namespace dmq::inline DMQ_ABI::testing
