#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sigv4_check.hpp>
#include <dmq/testing/sqs_account_operations.hpp>
#include <dmq/testing/sqs_broker.hpp>
#include <dmq/testing/sqs_move_operations.hpp>
#include <dmq/testing/sqs_operations.hpp>
#include <dmq/testing/sqs_permissions.hpp>
#include <dmq/testing/sqs_query.hpp>
#include <dmq/testing/sqs_queue_operations.hpp>
#include <dmq/testing/sqs_response.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// An answer, or the name under which it will come.
using Handled = std::variant<http::Response, PollId>;

/// The answer that came.
struct Answered {
  PollId id = 0;
  http::Response response{};
};

/// SQS over AWS JSON 1.0 and over the older query protocol, with Signature Version 4: all of its operations. A value;
/// not thread-safe.
class SqsService {
 public:
  SqsService(const std::string& account, std::string region, json::Parser parser, std::uint64_t seed)
      : region_(std::move(region)),
        parse_(parser),
        broker_("arn:aws:sqs:" + region_ + ":" + account + ":", parser, seed),
        random_(~seed) {}

  /// `request.url` is that under which the caller knows the service; its origin goes into queue URLs.
  Handled handle(const http::Request& request, Instant now);
  /// As handle(), from a caller that need not sign: another service, whose role has been checked.
  Handled handle_trusted(const http::Request& request, Instant now);
  /// Answers to long polls; also those that the last handle() made possible.
  std::vector<Answered> advance(Instant now);
  std::optional<Ticks> next_deadline() const { return broker_.next_deadline(); }
  void cancel(PollId id) {
    broker_.cancel(id);
    replies_.erase(id);
  }

  void add_access_key(AccessKey key) { keys_.insert_or_assign(key.id, std::move(key)); }
  SqsBroker& broker() noexcept { return broker_; }
  const SqsBroker& broker() const noexcept { return broker_; }
  std::string queue_url(std::string_view origin, std::string_view name) const {
    return testing::queue_url(origin, broker_.arn_prefix(), name);
  }
  /// Calls that were let in, by operation.
  const std::map<std::string, std::uint64_t, std::less<>>& calls() const noexcept { return calls_; }

 private:
  struct QueueOperation {
    std::string_view name;
    SqsAnswer (*run)(NamedQueue&, const SqsCall&);
  };
  struct AccountOperation {
    std::string_view name;
    SqsAnswer (*run)(SqsBroker&, const SqsCall&);
  };
  static const QueueOperation queue_operations_[];
  static const AccountOperation account_operations_[];

  using Outcome = std::variant<SqsAnswer, PollId>;

  static SqsResult<SqsInvocation> read_target(const http::Request& request);
  Outcome run(std::string_view operation, const SqsCall& call);
  Outcome receive_message(const SqsCall& call);
  http::Response respond(const SqsReply& reply, const SqsAnswer& answer) {
    return write_response(reply, answer, make_uuid(random_), parse_);
  }

  std::string region_;
  json::Parser parse_;
  SqsBroker broker_;
  Random random_;
  AccessKeys keys_;
  std::map<PollId, SqsReply> replies_;  ///< Of long polls that wait.
  std::map<std::string, std::uint64_t, std::less<>> calls_;
};

inline constexpr SqsService::QueueOperation SqsService::queue_operations_[] = {
    {"SendMessage", &send_message},
    {"SendMessageBatch", &send_message_batch},
    {"DeleteMessage", &delete_message},
    {"DeleteMessageBatch", &delete_message_batch},
    {"ChangeMessageVisibility", &change_message_visibility},
    {"ChangeMessageVisibilityBatch", &change_message_visibility_batch},
    {"GetQueueAttributes", &get_queue_attributes},
    {"PurgeQueue", &purge_queue},
    {"TagQueue", &tag_queue},
    {"UntagQueue", &untag_queue},
    {"ListQueueTags", &list_queue_tags},
};

inline constexpr SqsService::AccountOperation SqsService::account_operations_[] = {
    {"CreateQueue", &create_queue},
    {"DeleteQueue", &delete_queue},
    {"GetQueueUrl", &get_queue_url},
    {"ListQueues", &list_queues},
    {"ListDeadLetterSourceQueues", &list_dead_letter_source_queues},
    {"SetQueueAttributes", &set_queue_attributes},
    {"AddPermission", &add_permission},
    {"RemovePermission", &remove_permission},
    {"StartMessageMoveTask", &start_message_move_task},
    {"ListMessageMoveTasks", &list_message_move_tasks},
    {"CancelMessageMoveTask", &cancel_message_move_task},
};

inline Handled SqsService::handle(const http::Request& request, Instant now) {
  if (const auto known = sigv4::check(request, keys_, {region_, "sqs"}, now); !known)
    return respond({protocol_of(request)}, known.error());
  return handle_trusted(request, now);
}

inline Handled SqsService::handle_trusted(const http::Request& request, Instant now) {
  SqsReply reply{protocol_of(request)};
  const bool is_json = reply.protocol == SqsProtocol::json;
  const auto invocation = is_json ? read_target(request) : read_query(request);
  if (!invocation) return respond(reply, invocation.error());
  reply.operation = invocation->operation;
  json::Document document;
  if (!parse_(is_json ? request.body : invocation->parameters, document, {}) || !document.root().is(json::Kind::object))
    return respond(reply, malformed_input(is_json ? "The body is not a JSON object." : "The form is not UTF-8 text."));
  const Outcome result = run(reply.operation, {.parameters = document.root(),
                                               .origin = http::Url::parse(request.url).value_or(http::Url{}).origin(),
                                               .trace_header = request.headers.get("x-amzn-trace-id"),
                                               .arn_prefix = broker_.arn_prefix(),
                                               .now = now});
  if (const SqsAnswer* answer = std::get_if<SqsAnswer>(&result)) return respond(reply, *answer);
  const PollId poll = std::get<PollId>(result);
  replies_.emplace(poll, std::move(reply));
  return poll;
}

/// The operation of the JSON protocol, whose parameters are the body as it is.
inline SqsResult<SqsInvocation> SqsService::read_target(const http::Request& request) {
  constexpr std::string_view prefix = "AmazonSQS.";
  const std::string_view target = request.headers.get("x-amz-target");
  if (request.method != http::Method::post || !target.starts_with(prefix)) return unknown_operation();
  return SqsInvocation{.operation = std::string(target.substr(prefix.size()))};
}

inline SqsService::Outcome SqsService::run(std::string_view operation, const SqsCall& call) {
  ++calls_[std::string(operation)];
  broker_.run_tasks(call.now);
  if (operation == "ReceiveMessage") return receive_message(call);
  for (const AccountOperation& candidate : account_operations_)
    if (candidate.name == operation) return candidate.run(broker_, call);
  for (const QueueOperation& candidate : queue_operations_) {
    if (candidate.name != operation) continue;
    const auto queue = queue_of(broker_, call);
    return queue ? candidate.run(**queue, call) : SqsAnswer(queue.error());
  }
  return SqsAnswer(unknown_operation());
}

/// A long poll that finds nothing waits.
inline SqsService::Outcome SqsService::receive_message(const SqsCall& call) {
  const auto queue = queue_of(broker_, call);
  if (!queue) return SqsAnswer(queue.error());
  const QueueSettings& settings = (*queue)->queue.settings();
  auto request = read_receive(call.parameters, settings);
  if (!request) return SqsAnswer(request.error());
  SqsAnswer body = broker_.receive(**queue, *request, call.now);
  const auto wait = request->wait.value_or(settings.receive_wait);
  if (!body || *body != "{}" || wait == wait.zero()) return body;
  return broker_.park(**queue, *std::move(request), call.now.ticks + wait);
}

inline std::vector<Answered> SqsService::advance(Instant now) {
  std::vector<Answered> answered;
  for (const PolledBody& polled : broker_.advance(now)) {
    answered.push_back({polled.id, respond(replies_.at(polled.id), polled.body)});
    replies_.erase(polled.id);
  }
  return answered;
}

}  // namespace dmq::inline DMQ_ABI::testing
