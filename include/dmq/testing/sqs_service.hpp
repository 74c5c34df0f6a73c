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
#include <dmq/testing/sqs_broker.hpp>
#include <dmq/testing/sqs_operations.hpp>
#include <dmq/testing/sqs_queue_operations.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// An answer, or the name under which it will come.
using Handled = std::variant<http::Response, PollId>;

/// The answer that came.
struct Answered {
  PollId id = 0;
  http::Response response{};
};

/// SQS over AWS JSON 1.0 with Signature Version 4: the operations on messages, and what it takes to have a queue.
/// A value; not thread-safe.
class SqsService {
 public:
  SqsService(std::string account, std::string region, json::Parser parser, std::uint64_t seed)
      : account_(std::move(account)),
        region_(std::move(region)),
        parse_(parser),
        broker_("arn:aws:sqs:" + region_ + ":" + account_ + ":", parser, seed),
        random_(~seed) {}

  /// `request.url` is that under which the caller knows the service; its origin goes into queue URLs.
  Handled handle(const http::Request& request, Instant now);
  /// Answers to long polls; also those that the last handle() made possible.
  std::vector<Answered> advance(Instant now);
  std::optional<Ticks> next_deadline() const { return broker_.next_deadline(); }
  void cancel(PollId id) { broker_.cancel(id); }

  void add_access_key(AccessKey key) { keys_.insert_or_assign(key.id, std::move(key)); }
  SqsBroker& broker() noexcept { return broker_; }
  const SqsBroker& broker() const noexcept { return broker_; }
  std::string queue_url(std::string_view origin, std::string_view name) const {
    return std::string(origin) + "/" + account_ + "/" + std::string(name);
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
    SqsAnswer (SqsService::*run)(const SqsCall&);
  };
  static const QueueOperation queue_operations_[];
  static const AccountOperation account_operations_[];

  using Outcome = std::variant<SqsAnswer, PollId>;

  Outcome outcome(const http::Request& request, Instant now);
  Outcome run(std::string_view operation, const SqsCall& call);
  Outcome receive_message(const SqsCall& call);
  SqsAnswer create_queue(const SqsCall& call);
  SqsAnswer get_queue_url(const SqsCall& call);
  SqsAnswer list_queues(const SqsCall& call);
  SqsResult<NamedQueue*> queue_of(const SqsCall& call);
  SqsAnswer url_answer(const SqsCall& call, std::string_view name) const;
  http::Response respond(const SqsAnswer& answer);

  std::string account_;
  std::string region_;
  json::Parser parse_;
  SqsBroker broker_;
  Random random_;
  AccessKeys keys_;
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
};

inline constexpr SqsService::AccountOperation SqsService::account_operations_[] = {
    {"CreateQueue", &SqsService::create_queue},
    {"GetQueueUrl", &SqsService::get_queue_url},
    {"ListQueues", &SqsService::list_queues},
};

inline Handled SqsService::handle(const http::Request& request, Instant now) {
  const Outcome result = outcome(request, now);
  if (const PollId* poll = std::get_if<PollId>(&result)) return *poll;
  return respond(std::get<SqsAnswer>(result));
}

inline SqsService::Outcome SqsService::outcome(const http::Request& request, Instant now) {
  if (const auto known = sigv4::check(request, keys_, {region_, "sqs"}, now); !known) return SqsAnswer(known.error());
  constexpr std::string_view prefix = "AmazonSQS.";
  const std::string_view target = request.headers.get("x-amz-target");
  if (request.method != http::Method::post || !target.starts_with(prefix)) return SqsAnswer(unknown_operation());
  json::Document document;
  if (!parse_(request.body, document, {}) || !document.root().is(json::Kind::object))
    return SqsAnswer(malformed_input("The body is not a JSON object."));
  return run(target.substr(prefix.size()), {.parameters = document.root(),
                                            .origin = http::Url::parse(request.url).value_or(http::Url{}).origin(),
                                            .trace_header = request.headers.get("x-amzn-trace-id"),
                                            .arn_prefix = broker_.arn_prefix(),
                                            .now = now});
}

inline SqsService::Outcome SqsService::run(std::string_view operation, const SqsCall& call) {
  ++calls_[std::string(operation)];
  if (operation == "ReceiveMessage") return receive_message(call);
  for (const AccountOperation& candidate : account_operations_)
    if (candidate.name == operation) return (this->*candidate.run)(call);
  for (const QueueOperation& candidate : queue_operations_) {
    if (candidate.name != operation) continue;
    const auto queue = queue_of(call);
    return queue ? candidate.run(**queue, call) : SqsAnswer(queue.error());
  }
  return SqsAnswer(unknown_operation());
}

/// A long poll that finds nothing waits.
inline SqsService::Outcome SqsService::receive_message(const SqsCall& call) {
  const auto queue = queue_of(call);
  if (!queue) return SqsAnswer(queue.error());
  const QueueSettings& settings = (*queue)->queue.settings();
  auto request = read_receive(call.parameters, settings);
  if (!request) return SqsAnswer(request.error());
  SqsAnswer body = broker_.receive(**queue, *request, call.now);
  const auto wait = request->wait.value_or(settings.receive_wait);
  if (!body || *body != "{}" || wait == wait.zero()) return body;
  return broker_.park(**queue, *std::move(request), call.now.ticks + wait);
}

/// By the path of QueueUrl: hosts differ between who made the URL and who uses it.
inline SqsResult<NamedQueue*> SqsService::queue_of(const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto text = parameters.finish(parameters.text("QueueUrl"));
  if (!text) return text.error();
  const auto url = http::Url::parse(*text);
  const std::string prefix = "/" + account_ + "/";
  if (!url || !url->path.starts_with(prefix)) return queue_does_not_exist();
  if (NamedQueue* queue = broker_.find(std::string_view(url->path).substr(prefix.size()))) return queue;
  return queue_does_not_exist();
}

inline SqsAnswer SqsService::create_queue(const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string name = parameters.text("QueueName");
  SqsParameters values(call.parameters["Attributes"]);
  QueueAttributes attributes;
  for (const json::Value member : call.parameters["Attributes"])
    attributes.emplace(member.name(), values.text(member.name()));
  const auto read = parameters.finish(parameters.take(values.finish(std::move(attributes))));
  if (!read) return read.error();
  if (name.empty()) return missing_parameter("QueueName");
  const auto queue = broker_.create(name, *read, call.now);
  return queue ? url_answer(call, name) : SqsAnswer(queue.error());
}

inline SqsAnswer SqsService::get_queue_url(const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const std::string owner = parameters.text("QueueOwnerAWSAccountId");
  const auto name = parameters.finish(parameters.text("QueueName"));
  if (!name) return name.error();
  if (broker_.find(*name) == nullptr || (!owner.empty() && owner != account_)) return queue_does_not_exist();
  return url_answer(call, *name);
}

inline SqsAnswer SqsService::list_queues(const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto prefix = parameters.finish(parameters.text("QueueNamePrefix"));
  if (!prefix) return prefix.error();
  std::string urls;
  encoding::JsonWriter json(urls);
  for (const auto& [name, queue] : broker_.queues())
    if (name.starts_with(*prefix)) json.value(queue_url(call.origin, name));
  return urls.empty() ? "{}" : "{\"QueueUrls\":[" + urls + "]}";
}

inline SqsAnswer SqsService::url_answer(const SqsCall& call, std::string_view name) const {
  std::string body;
  encoding::JsonWriter(body).begin_object().key("QueueUrl").value(queue_url(call.origin, name)).end_object();
  return body;
}

inline http::Response SqsService::respond(const SqsAnswer& answer) {
  http::Response response{.status = answer ? 200 : answer.error().http_status};
  response.headers.add("x-amzn-RequestId", make_uuid(random_));
  response.headers.add("Content-Type", "application/x-amz-json-1.0");
  if (answer) {
    response.body = *answer;
    return response;
  }
  const SqsError& error = answer.error();
  response.headers.add("x-amzn-query-error", error.service_code + (error.http_status < 500 ? ";Sender" : ";Receiver"));
  encoding::JsonWriter json(response.body);
  json.begin_object().key("__type").value(error.type).key("message").value(error.message).end_object();
  return response;
}

inline std::vector<Answered> SqsService::advance(Instant now) {
  std::vector<Answered> answered;
  for (const PolledBody& polled : broker_.advance(now)) answered.push_back({polled.id, respond(polled.body)});
  return answered;
}

}  // namespace dmq::inline DMQ_ABI::testing
