// LocalCloud: whatever comes in, in whatever order, is answered well-formed, at once or as time passes.

#include <fuzzer/FuzzedDataProvider.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/testing/local_cloud.hpp>
#include <dmq/testing/manual_clock.hpp>

#include "require.hpp"

using namespace std::chrono_literals;
using dmq::http::Method;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::LocalCloud;
using dmq::testing::PollId;

namespace {

using Input = FuzzedDataProvider;

constexpr const char* operations[] = {"SendMessage",
                                      "SendMessageBatch",
                                      "ReceiveMessage",
                                      "DeleteMessage",
                                      "DeleteMessageBatch",
                                      "ChangeMessageVisibility",
                                      "PurgeQueue",
                                      "GetQueueAttributes",
                                      "ChangeMessageVisibilityBatch",
                                      "CreateQueue",
                                      "DeleteQueue",
                                      "GetQueueUrl",
                                      "ListQueues",
                                      "SetQueueAttributes",
                                      "ListDeadLetterSourceQueues",
                                      "TagQueue",
                                      "UntagQueue",
                                      "ListQueueTags",
                                      "AddPermission",
                                      "RemovePermission",
                                      "StartMessageMoveTask",
                                      "ListMessageMoveTasks",
                                      "CancelMessageMoveTask"};

constexpr const char* members[] = {"QueueName",
                                   "QueueNamePrefix",
                                   "NextToken",
                                   "MaxResults",
                                   "Attributes",
                                   "tags",
                                   "Tags",
                                   "TagKeys",
                                   "AttributeNames",
                                   "MessageBody",
                                   "DelaySeconds",
                                   "MessageAttributes",
                                   "MessageSystemAttributes",
                                   "MessageDeduplicationId",
                                   "MessageGroupId",
                                   "Entries",
                                   "Id",
                                   "ReceiptHandle",
                                   "VisibilityTimeout",
                                   "MaxNumberOfMessages",
                                   "WaitTimeSeconds",
                                   "ReceiveRequestAttemptId",
                                   "MessageSystemAttributeNames",
                                   "MessageAttributeNames",
                                   "Label",
                                   "AWSAccountIds",
                                   "Actions",
                                   "SourceArn",
                                   "DestinationArn",
                                   "TaskHandle",
                                   "MaxNumberOfMessagesPerSecond",
                                   "DataType",
                                   "StringValue",
                                   "BinaryValue",
                                   "StringListValues",
                                   "AWSTraceHeader",
                                   "RedrivePolicy",
                                   "RedriveAllowPolicy",
                                   "FifoQueue",
                                   "DeduplicationScope",
                                   "MessageRetentionPeriod",
                                   "All"};

constexpr const char* texts[] = {
    "dmq.fifo",
    "standard",
    "dead.fifo",
    "new.fifo",
    "String",
    "Number",
    "Binary",
    "AQID",
    "true",
    "All",
    "a.*",
    "1e126",
    "60",
    "http://cloud.test/000000000000/standard",
    "arn:aws:sqs:us-east-1:000000000000:dead.fifo",
    "arn:aws:sqs:us-east-1:000000000000:dmq.fifo",
    R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1})",
    R"({"redrivePermission":"byQueue","sourceQueueArns":[]})",
    "messageGroup",
    "\xf0\x9f\x98\x80",
    "\xef\xbf\xbe",
    "AKIALOCALCLOUD000000"};

/// Members that belong together.
constexpr const char* fragments[] = {R"("MessageBody":"b","MessageGroupId":"g")",
                                     R"("QueueName":"new.fifo","Attributes":{"FifoQueue":"true"},"tags":{"a":"b"})",
                                     R"("QueueName":"standard")",
                                     R"("Attributes":{"VisibilityTimeout":"1","MessageRetentionPeriod":"60"})",
                                     R"("Attributes":{"DelaySeconds":"5","ReceiveMessageWaitTimeSeconds":"3"})",
                                     R"("Tags":{"a":"b"})",
                                     R"("TagKeys":["a"])",
                                     R"("Label":"l","AWSAccountIds":["000000000000"],"Actions":["*"])",
                                     R"("VisibilityTimeout":0)",
                                     R"("VisibilityTimeout":50)",
                                     R"("MaxNumberOfMessages":10,"WaitTimeSeconds":5)",
                                     R"("AttributeNames":["All"],"MessageAttributeNames":["All"])",
                                     R"("ReceiveRequestAttemptId":"r")",
                                     R"("MessageAttributes":{"a":{"DataType":"Number","StringValue":"1"}})",
                                     R"("SourceArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo")",
                                     R"("MaxResults":1)"};

constexpr const char* paths[] = {"/",
                                 "/000000000000/dmq.fifo",
                                 "/v1/publish-queue",
                                 "/v1/publish-queue/batch",
                                 "/v1/other",
                                 "/oauth2/token",
                                 "/x/.well-known/jwks.json",
                                 "/us-east-1_LocalCloud/.well-known/openid-configuration"};

constexpr const char* header_names[] = {"Content-Type",
                                        "X-Amz-Target",
                                        "Authorization",
                                        "Accept",
                                        "X-Amz-Date",
                                        "MessageGroupId",
                                        "Host",
                                        "MessageDeduplicationId",
                                        "X-API-Key",
                                        "X-Amzn-Trace-Id",
                                        "X-Amz-Security-Token",
                                        "x-amzn-query-mode"};

constexpr const char* header_values[] = {
    "application/x-amz-json-1.0",
    "application/x-www-form-urlencoded",
    "application/json",
    "application/xml",
    "Basic bG9jYWwtY2xpZW50OmxvY2FsLWNsaWVudC1zZWNyZXQ=",
    "20260101T000000Z",
    ("AWS4-HMAC-SHA256 Credential=AKIALOCALCLOUD000000/20260101/us-east-1/sqs/aws4_request, "
     "SignedHeaders=host;x-amz-date, Signature=0000000000000000000000000000000000000000000000000000000000000000")};

template <std::size_t n>
std::string known(Input& input, const char* const (&list)[n]) {
  return list[input.ConsumeIntegralInRange<std::size_t>(0, n - 1)];
}

/// Mostly something that means something.
template <std::size_t n>
std::string text(Input& input, const char* const (&list)[n]) {
  return input.ConsumeIntegralInRange(0, 3) > 0 ? known(input, list) : input.ConsumeRandomLengthString(64);
}

/// What a client has got to know.
struct Known {
  std::string token{};
  std::string handle{};
  std::string task{};
};

/// The texts of JSON have to be UTF-8; what is not is for whole bodies of random bytes.
void append_text(std::string& json, std::string_view value) {
  dmq::encoding::append_json_string(json, dmq::encoding::is_utf8(value) ? value : std::string_view("?"));
}

void append_value(std::string& json, Input& input, const Known& client, int depth);

void append_object(std::string& json, Input& input, const Known& client, int depth) {
  json += '{';
  const int count = input.ConsumeIntegralInRange(0, 4);
  for (int i = 0; i < count; ++i) {
    if (i > 0) json += ',';
    append_text(json, text(input, members));
    json += ':';
    append_value(json, input, client, depth + 1);
  }
  json += '}';
}

void append_value(std::string& json, Input& input, const Known& client, int depth) {
  switch (input.ConsumeIntegralInRange(0, depth > 4 ? 4 : 8)) {
    case 0: json += std::to_string(input.ConsumeIntegral<std::int64_t>()); return;
    case 1: json += std::to_string(input.ConsumeIntegralInRange(-1, 20)); return;
    case 2: append_text(json, client.handle); return;
    case 3: json += input.ConsumeBool() ? "null" : "1.5"; return;
    case 4:
    case 5: append_text(json, text(input, texts)); return;
    case 6:
      json += '[';
      append_value(json, input, client, depth + 1);
      if (input.ConsumeBool()) append_object(json += ',', input, client, depth + 1);
      json += ']';
      return;
    default: append_object(json, input, client, depth);
  }
}

/// An operation with members that it may have, in good order or not.
Request json_call(Input& input, const Known& client) {
  Request request{.method = Method::post, .url = "http://cloud.test/"};
  request.headers.add("X-Amz-Target", "AmazonSQS." + text(input, operations));
  request.body = R"({"QueueUrl":"http://cloud.test/000000000000/)" +
                 std::string(input.ConsumeBool() ? "dmq.fifo" : "standard") + '"';
  for (int more = input.ConsumeIntegralInRange(0, 2); more > 0; --more) request.body += ',' + known(input, fragments);
  if (input.ConsumeBool()) append_text(request.body += R"(,"ReceiptHandle":)", client.handle);
  if (input.ConsumeBool()) append_text(request.body += R"(,"TaskHandle":)", client.task);
  if (input.ConsumeBool()) {
    append_value(request.body += R"(,"Entries":[{"Id":"a","MessageBody":)", input, client, 1);
    append_value(request.body += R"(,"MessageGroupId":)", input, client, 1);
    append_text(request.body += R"(,"VisibilityTimeout":5,"ReceiptHandle":)", client.handle);
    request.body += "}]";
  }
  for (int more = input.ConsumeIntegralInRange(0, 3); more > 0; --more) {
    append_text(request.body += ',', text(input, members));
    append_value(request.body += ':', input, client, 1);
  }
  request.body += '}';
  return request;
}

Request query_call(Input& input, const Known& client) {
  Request request{.method = input.ConsumeBool() ? Method::post : Method::get,
                  .url = "http://cloud.test" + text(input, paths)};
  std::string form = "Version=2012-11-05&Action=" + known(input, operations);
  if (input.ConsumeBool()) form += "&MessageBody=b&MessageGroupId=g&QueueUrl=http://cloud.test/000000000000/dmq.fifo";
  if (input.ConsumeBool()) form += "&ReceiptHandle=" + dmq::encoding::percent_encode(client.handle);
  for (int more = input.ConsumeIntegralInRange(0, 4); more > 0; --more) {
    form += '&' + text(input, members);
    if (input.ConsumeBool()) form += '.' + std::to_string(input.ConsumeIntegralInRange(-1, 12));
    if (input.ConsumeBool()) form += '.' + text(input, members);
    form += '=' + (input.ConsumeBool() ? dmq::encoding::percent_encode(text(input, texts)) : text(input, texts));
  }
  if (input.ConsumeBool()) request.headers.add("Accept", "application/json");
  if (request.method == Method::get) {
    request.url += '?' + form;
  } else {
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(form);
  }
  return request;
}

Request token_call(Input& input) {
  Request request{.method = Method::post, .url = "http://cloud.test/oauth2/token"};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  if (input.ConsumeBool()) request.headers.add("Authorization", header_values[4]);
  request.body = "grant_type=client_credentials&" + input.ConsumeRandomLengthString(128);
  return request;
}

Request publish_call(Input& input, const Known& client) {
  Request request{.method = Method::post, .url = "http://cloud.test/v1/publish-queue"};
  if (input.ConsumeBool()) request.url += "/batch";
  request.headers.add("Authorization", (input.ConsumeBool() ? "Bearer " : "") + client.token);
  if (input.ConsumeBool()) request.headers.add("MessageGroupId", "g");
  if (input.ConsumeBool())
    append_object(request.body, input, client, 0);
  else if (input.ConsumeBool())
    append_value(request.body += R"({"Entries":)", input, client, 1), request.body += '}';
  else
    request.body = input.ConsumeRandomLengthString(64);
  return request;
}

Request any_call(Input& input) {
  Request request{.method = input.PickValueInArray({Method::get, Method::post, Method::put, Method::delete_})};
  request.url = (input.ConsumeBool() ? "http://cloud.test" : "") + text(input, paths);
  if (input.ConsumeBool()) request.url += '?' + input.ConsumeRandomLengthString(64);
  for (int more = input.ConsumeIntegralInRange(0, 4); more > 0; --more)
    request.headers.add(text(input, header_names), text(input, header_values));
  request.body = input.ConsumeRandomLengthString(256);
  return request;
}

Request random_call(Input& input, const Known& client) {
  switch (input.ConsumeIntegralInRange(0, 7)) {
    case 0: return any_call(input);
    case 1: return token_call(input);
    case 2: return publish_call(input, client);
    case 3:
    case 4: return query_call(input, client);
    default: return json_call(input, client);
  }
}

void check(const Response& response) {
  require(response.status >= 100 && response.status <= 599);
  for (const auto& [name, value] : response.headers) {
    require(!name.empty());
    require(name.find_first_of("\r\n: ") == std::string::npos);
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
  require(!response.headers.get("date").empty());
  const std::string_view type = response.headers.get("content-type");
  dmq::json::Document document;
  if (type.find("json") != std::string_view::npos && !response.body.empty())
    require(dmq::json::simdjson_parse(response.body, document, {}).has_value());
  if (type.find("xml") != std::string_view::npos) {
    require(response.body.starts_with("<"));
    require(dmq::encoding::is_utf8(response.body));
  }
}

/// The text between `before` and the next quote, empty when it is not there.
std::string quoted(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + before.size());
  return std::string(text.substr(0, text.find('"')));
}

/// A cloud and a client of it.
struct World {
  LocalCloud cloud;
  dmq::Instant now = dmq::testing::ManualClock::default_start;
  Known client{};
  std::set<PollId> polls{};

  explicit World(bool signature_asked) : cloud(options(signature_asked), &dmq::json::simdjson_parse) {
    Request token{
        .method = Method::post, .url = "http://cloud.test/oauth2/token", .body = "grant_type=client_credentials"};
    token.headers.add("Content-Type", "application/x-www-form-urlencoded");
    token.headers.add("Authorization", header_values[4]);
    send(token);
    Request message{.method = Method::post, .url = "http://cloud.test/v1/publish-queue", .body = "hello"};
    message.headers.add("Authorization", "Bearer " + client.token);
    message.headers.add("MessageGroupId", "g");
    send(message);
    require(!client.token.empty() && cloud.messages("dmq.fifo").size() == 1);
    Request receive{.method = Method::post, .url = "http://cloud.test/"};
    receive.headers.add("X-Amz-Target", "AmazonSQS.ReceiveMessage");
    receive.body = R"({"QueueUrl":"http://cloud.test/000000000000/dmq.fifo"})";
    send(receive);
    require(client.handle.empty() == signature_asked);
  }

  static dmq::testing::LocalCloudOptions options(bool signature_asked) {
    static const auto key = dmq::testing::RsaKey::generate();
    dmq::testing::LocalCloudOptions options{.signing_key = key, .started = dmq::testing::ManualClock::default_start};
    if (!signature_asked) options.access_keys = {};
    options.queues["dead.fifo"] = {{"FifoQueue", "true"}};
    options.queues["dmq.fifo"]["RedrivePolicy"] = texts[16];
    options.queues["standard"] = {};
    return options;
  }

  void learn(const Response& response) {
    check(response);
    for (const auto& [known, before] :
         {std::pair(&client.token, "\"access_token\":\""), std::pair(&client.handle, "\"ReceiptHandle\":\""),
          std::pair(&client.task, "\"TaskHandle\":\"")})
      if (std::string found = quoted(response.body, before); !found.empty()) *known = std::move(found);
  }
  void send(const Request& request) {
    const auto handled = cloud.handle(request, now);
    if (const PollId* poll = std::get_if<PollId>(&handled))
      require(polls.insert(*poll).second);
    else
      learn(std::get<Response>(handled));
    advance();
  }
  void advance() {
    for (const auto& answered : cloud.advance(now)) {
      require(polls.erase(answered.id) == 1);
      learn(answered.response);
    }
    require(polls.empty() || cloud.next_deadline());
    require(!cloud.next_deadline() || *cloud.next_deadline() > now.ticks);
  }
  void wait(dmq::Duration time) {
    const dmq::Ticks end = now.ticks + time;
    for (auto next = cloud.next_deadline(); next && *next <= end; next = cloud.next_deadline()) {
      now = now + (*next - now.ticks);
      advance();
    }
    now = now + (end - now.ticks);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World open_world(false);
  static const World signed_world(true);
  Input input(data, size);
  World world = input.ConsumeIntegralInRange(0, 9) == 0 ? signed_world : open_world;
  for (int calls = 0; calls < 12 && input.remaining_bytes() > 0; ++calls) {
    world.send(random_call(input, world.client));
    if (input.ConsumeBool()) world.wait(std::chrono::seconds(input.ConsumeIntegralInRange(0, 400)));
    if (input.ConsumeIntegralInRange(0, 20) == 0 && !world.polls.empty()) {
      world.cloud.cancel(*world.polls.begin());
      world.polls.erase(world.polls.begin());
    }
  }
  // No poll waits longer than 20 s, no answer of the gateway longer than 29 s.
  world.wait(30s);
  require(world.polls.empty());
  return 0;
}
