#include <dmq/testing/sqs_service.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

std::string send_members(std::string_view body, std::string_view group = "g") {
  return "\"MessageBody\":\"" + std::string(body) + "\",\"MessageGroupId\":\"" + std::string(group) + "\"";
}

/// Status, type, code in the header, message.
void check_error(const dmq::http::Response& response, int status, std::string_view type, std::string_view code,
                 std::string_view message) {
  CHECK(response.status == status);
  CHECK(response.headers.get("x-amzn-query-error") == std::string(code) + ";Sender");
  CHECK(response.headers.get("content-type") == "application/x-amz-json-1.0");
  CHECK(response.headers.get("x-amzn-requestid").size() == 36);
  const Json json(response.body);
  CHECK(json["__type"].string().value_or("") == type);
  CHECK(json["message"].string().value_or("") == message);
}

void check_invalid(const dmq::http::Response& response, std::string_view message) {
  check_error(response, 400, "com.amazon.coral.service#InvalidParameterValueException", "InvalidParameterValue",
              message);
}

std::string handle_of(const dmq::http::Response& received) {
  return std::string((*Json(received.body)["Messages"].begin())["ReceiptHandle"].string().value_or(""));
}

std::string member(std::string_view name, std::string_view text) {
  return "\"" + std::string(name) + "\":\"" + std::string(text) + "\"";
}

}  // namespace

TEST_CASE("SendMessage answers with id, hashes and a sequence number") {
  Cloud cloud;
  const auto sent = cloud.call("SendMessage", send_members("hello") + R"(,"MessageAttributes":{
      "color":{"DataType":"String","StringValue":"blue"},"count":{"DataType":"Number","StringValue":"3"},
      "blob":{"DataType":"Binary","BinaryValue":"AQID"}},"MessageSystemAttributes":{"AWSTraceHeader":{
      "DataType":"String","StringValue":"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"}})");
  CHECK(sent.status == 200);
  CHECK(sent.headers.get("date") == "Thu, 01 Jan 2026 00:00:00 GMT");
  const Json json(sent.body);
  CHECK(json["MessageId"].string()->size() == 36);
  CHECK(json["MD5OfMessageBody"].string() == "5d41402abc4b2a76b9719d911017c592");
  CHECK(json["MD5OfMessageAttributes"].string() == "d838729972a4b70e2d2acd9d59ac847c");
  CHECK(json["MD5OfMessageSystemAttributes"].string() == "5ae4d5d7636402d80f4eb6d213245a88");
  CHECK(json["SequenceNumber"].string()->size() == 20);

  const Json plain(cloud.call("SendMessage", send_members("message")).body);
  CHECK(plain["MD5OfMessageBody"].string() == "78e731027d8fd50ed642340b7c9a63b3");
  CHECK(plain["SequenceNumber"].string().value() > json["SequenceNumber"].string().value());
  CHECK(plain.size() == 3);
}

TEST_CASE("attribute hashes agree with those recorded from AWS") {
  using dmq::Attribute;
  using dmq::testing::attributes_md5;
  CHECK(attributes_md5({{"timestamp", Attribute::number("1493147359900")}}) == "235c5c510d26fb653d073faed50ae77c");
  CHECK(attributes_md5({{"timestamp", {"Number.java.lang.Long", "1493147359900"}}}) ==
        "2e2e4876d8e0bd6b8c2c8f556831c349");
  CHECK(attributes_md5({{"Help.Me", Attribute::text("Me")},
                        {"Hello", Attribute::text("There")},
                        {"General", Attribute::text("Kenobi")}}) == "4c360f3fdafd970e05fae2f149d997f5");
  CHECK(attributes_md5({{"Hello", Attribute::text("There")}}) == "a311262e065454b75da111d535b8dacd");
  CHECK(attributes_md5({{"u", Attribute::text("héllo 世界 😀")}}) == "e360c478a785f1b0b876f803293716ca");
}

TEST_CASE("ReceiveMessage returns what was asked for, and hashes that") {
  Cloud cloud;
  cloud.call("SendMessage", send_members("hi") + R"(,"MessageAttributes":{
      "Hello":{"DataType":"String","StringValue":"There"},"Help.Me":{"DataType":"String","StringValue":"Me"}})");
  const auto receive = [&](std::string_view members) {
    return Json(cloud.call("ReceiveMessage", "\"VisibilityTimeout\":0" + std::string(members)).body);
  };
  const auto message = [](const Json& json) { return *json["Messages"].begin(); };

  const Json bare = receive("");
  CHECK(message(bare).size() == 4);
  CHECK(message(bare)["Body"].string() == "hi");
  CHECK(message(bare)["MD5OfBody"].string() == "49f68a5c8493ec2c0bf489821c21fc3b");
  for (const char* pattern : {"Hello", "Hell.*", "Hello.*"}) {
    const Json one = receive(R"(,"MessageAttributeNames":[")" + std::string(pattern) + "\"]");
    CHECK(message(one)["MessageAttributes"].size() == 1);
    CHECK(message(one)["MD5OfMessageAttributes"].string() == "a311262e065454b75da111d535b8dacd");
  }
  for (const char* pattern : {"All", ".*", "Hel.*"})
    CHECK(
        message(receive(R"(,"MessageAttributeNames":[")" + std::string(pattern) + "\"]"))["MessageAttributes"].size() ==
        2);
  CHECK(message(receive(R"(,"MessageAttributeNames":["None"])")).size() == 4);

  const Json all = receive(R"(,"MessageSystemAttributeNames":["All"])");
  const auto attributes = message(all)["Attributes"];
  CHECK(attributes.size() == 7);
  CHECK(attributes["ApproximateReceiveCount"].string() == "9");
  CHECK(attributes["SentTimestamp"].string() == "1767225600000");
  CHECK(attributes["MessageGroupId"].string() == "g");
  const Json deprecated = receive(R"(,"AttributeNames":["SequenceNumber"])");
  CHECK(message(deprecated)["Attributes"].size() == 1);
  CHECK(message(deprecated)["Attributes"]["SequenceNumber"].string() == attributes["SequenceNumber"].string());
  check_error(cloud.call("ReceiveMessage", R"("AttributeNames":["Nonsense"])"), 400,
              "com.amazonaws.sqs#InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute Nonsense.");
}

TEST_CASE("the trace header comes from the message, or else from the HTTP request") {
  Cloud cloud;
  auto request = Cloud::queue_request("SendMessage", send_members("hi"));
  request.headers.add("X-Amzn-Trace-Id", "Root=1-2-3");
  CHECK(Json(cloud.answer(request).body).size() == 3);
  CHECK(cloud.model.messages("dmq.fifo").front().content.trace_header == "Root=1-2-3");
}

TEST_CASE("an empty receive is an empty object, an operation without output has no body") {
  Cloud cloud;
  CHECK(cloud.call("ReceiveMessage", "").body == "{}");
  cloud.call("SendMessage", send_members("hi"));
  const std::string handle = handle_of(cloud.call("ReceiveMessage", ""));
  const auto changed =
      cloud.call("ChangeMessageVisibility", member("ReceiptHandle", handle) + ",\"VisibilityTimeout\":60");
  CHECK(changed.status == 200);
  CHECK(changed.body.empty());
  const auto deleted = cloud.call("DeleteMessage", member("ReceiptHandle", handle));
  CHECK(deleted.status == 200);
  CHECK(deleted.body.empty());
  CHECK(deleted.headers.get("content-type") == "application/x-amz-json-1.0");
  CHECK(cloud.model.messages("dmq.fifo").empty());
  CHECK(cloud.call("DeleteMessage", member("ReceiptHandle", handle)).status == 200);
  check_invalid(cloud.call("ChangeMessageVisibility", member("ReceiptHandle", handle) + ",\"VisibilityTimeout\":60"),
                "Value " + handle +
                    " for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for "
                    "visibility timeout change.");
}

TEST_CASE("bad handles are refused as SQS refuses them") {
  Cloud cloud;
  cloud.call("SendMessage", send_members("hi"));
  check_error(cloud.call("DeleteMessage", member("ReceiptHandle", "garbage")), 404,
              "com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid",
              "The input receipt handle \"garbage\" is not a valid receipt handle.");
  const std::string handle = handle_of(cloud.call("ReceiveMessage", "\"VisibilityTimeout\":5"));
  cloud.now = cloud.now + 5s;
  check_invalid(cloud.call("DeleteMessage", member("ReceiptHandle", handle)),
                "Value " + handle + " for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.");
  check_error(cloud.call("DeleteMessage", ""), 400, "com.amazon.coral.service#MissingRequiredParameterException",
              "MissingParameter", "The request must contain the parameter ReceiptHandle.");
}

TEST_CASE("parameters out of range are refused with SQS's words") {
  Cloud cloud;
  check_invalid(
      cloud.call("ReceiveMessage", "\"MaxNumberOfMessages\":11"),
      "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.");
  check_invalid(cloud.call("ReceiveMessage", "\"WaitTimeSeconds\":21"),
                "Value 21 for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= 20, if provided.");
  check_invalid(cloud.call("SendMessage", send_members("hi") + ",\"DelaySeconds\":2"),
                "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not "
                "valid for this queue type.");
  CHECK(cloud.call("SendMessage", send_members("hi") + ",\"DelaySeconds\":0").status == 200);
  check_invalid(cloud.call("SendMessage", send_members("hi", "group 123")),
                "Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include "
                "alphanumeric and punctuation characters. 1 to 128 in length.");
  check_error(cloud.call("SendMessage", send_members("", "g")), 400,
              "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter",
              "The request must contain the parameter MessageBody.");
  check_error(cloud.call("SendMessage", member("MessageBody", "x")), 400,
              "com.amazon.coral.service#MissingRequiredParameterException", "MissingParameter",
              "The request must contain the parameter MessageGroupId.");
  CHECK(cloud.call("SendMessage", send_members("\\u0001")).headers.get("x-amzn-query-error") ==
        "InvalidMessageContents;Sender");
  CHECK(cloud.call("SendMessage", send_members("\\u007f\\u0085\\ud83d\\ude00")).status == 200);
  check_invalid(cloud.call("SendMessage", send_members(std::string(1'048'577, 'x'))),
                "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.");
  CHECK(cloud.call("SendMessage", send_members(std::string(1'048'576, 'x'))).status == 200);
  check_invalid(cloud.call("SendMessage",
                           send_members("hi") + R"(,"MessageAttributes":{"X":{"DataType":"String","StringValue":""}})"),
                "Message (user) attribute 'X' must contain a non-empty value of type 'String'.");
  CHECK(cloud
            .call("SendMessage",
                  send_members("hi") + R"(,"MessageAttributes":{"X":{"DataType":"String","StringListValues":["a"]}})")
            .headers.get("x-amzn-query-error") == "AWS.SimpleQueueService.UnsupportedOperation;Sender");
}

TEST_CASE("a queue without content-based deduplication asks for an id") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("plain.fifo", {{"FifoQueue", "true"}}, cloud.now));
  constexpr std::string_view text =
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
  check_invalid(cloud.call("SendMessage", send_members("hi"), "plain.fifo"), text);
  check_invalid(cloud.call("SendMessageBatch", "\"Entries\":[{\"Id\":\"1\"," + send_members("hi") + "}]", "plain.fifo"),
                text);
  CHECK(cloud.call("SendMessage", send_members("hi") + "," + member("MessageDeduplicationId", "d"), "plain.fifo")
            .status == 200);
}

TEST_CASE("standard queues take groups and delays, not deduplication ids") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("standard", {}, cloud.now));
  CHECK(Json(cloud.call("SendMessage", send_members("hi") + ",\"DelaySeconds\":5", "standard").body).size() == 2);
  CHECK(cloud.call("ReceiveMessage", "", "standard").body == "{}");
  cloud.now = cloud.now + 5s;
  const Json received(cloud.call("ReceiveMessage", R"("AttributeNames":["All"])", "standard").body);
  const auto attributes = (*received["Messages"].begin())["Attributes"];
  CHECK(attributes["MessageGroupId"].string() == "g");
  CHECK_FALSE(attributes["SequenceNumber"].exists());
  CHECK(cloud.call("SendMessage", send_members("hi") + "," + member("MessageDeduplicationId", "d"), "standard")
            .headers.get("x-amzn-query-error") == "InvalidParameterValue;Sender");
}

TEST_CASE("requests that SQS can't make sense of") {
  Cloud cloud;
  const auto error = [&](const dmq::http::Request& request) {
    return std::string(cloud.answer(request).headers.get("x-amzn-query-error"));
  };
  CHECK(error(Cloud::request("SendMessage", "{")) == "MalformedInput;Sender");
  CHECK(error(Cloud::request("SendMessage", "[]")) == "MalformedInput;Sender");
  CHECK(error(Cloud::queue_request("SendMessage", "\"MessageBody\":1")) == "MalformedInput;Sender");
  CHECK(error(Cloud::queue_request("ReceiveMessage", "\"MaxNumberOfMessages\":\"1\"")) == "MalformedInput;Sender");
  CHECK(error(Cloud::request("Nonsense", "{}")) == "InvalidAction;Sender");
  CHECK(error({.method = dmq::http::Method::put, .url = "http://cloud.test/"}) == "InvalidAction;Sender");
  for (const char* body : {"{}", R"({"QueueUrl":"nonsense"})", R"({"QueueUrl":"http://x/111111111111/dmq.fifo"})",
                           R"({"QueueUrl":"http://x/000000000000/other.fifo"})"})
    check_error(cloud.answer(Cloud::request("ReceiveMessage", body)), 400, "com.amazonaws.sqs#QueueDoesNotExist",
                "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.");
}

TEST_CASE("SQS answers on the queue's own path, whatever the host") {
  Cloud cloud;
  auto request = Cloud::queue_request("SendMessage", send_members("hi"));
  request.url = "http://elsewhere:1234/000000000000/dmq.fifo";
  CHECK(cloud.answer(request).status == 200);
}

TEST_CASE("a batch fails entry by entry, in order, and leaves out empty lists") {
  Cloud cloud;
  const auto entry = [](std::string_view id, std::string_view body) {
    return "{\"Id\":\"" + std::string(id) + "\"," + send_members(body) + "}";
  };
  const auto batch = [&](const std::string& entries) {
    return cloud.call("SendMessageBatch", "\"Entries\":[" + entries + "]");
  };
  const Json mixed(batch(entry("a", "1") + "," + entry("b", "\\u0000") + "," + entry("c", "2")).body);
  CHECK(mixed["Successful"].size() == 2);
  const auto failure = *mixed["Failed"].begin();
  CHECK(failure["Id"].string() == "b");
  CHECK(failure["SenderFault"].boolean() == true);
  CHECK(failure["Code"].string() == "InvalidMessageContents");
  const auto held = cloud.model.messages("dmq.fifo", "g");
  REQUIRE(held.size() == 2);
  CHECK(held[0].content.body == "1");
  CHECK(held[1].content.body == "2");
  CHECK_FALSE(Json(batch(entry("a", "3")).body)["Failed"].exists());
  CHECK_FALSE(Json(batch(entry("a", "")).body)["Successful"].exists());

  const auto refused = [&](const std::string& entries, std::string_view name, std::string_view message) {
    check_error(batch(entries), 400, "com.amazonaws.sqs#" + std::string(name),
                "AWS.SimpleQueueService." + std::string(name), message);
  };
  refused("", "EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request.");
  refused(entry("a", "x") + "," + entry("a", "y"), "BatchEntryIdsNotDistinct", "Id a repeated.");
  refused(entry("a b", "x"), "InvalidBatchEntryId",
          "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
          "letters long.");
  std::string many = entry("0", "x");
  for (int i = 1; i < 20; ++i) many += "," + entry(std::to_string(i), "x");
  refused(many, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent 20.");
  refused(entry("a", std::string(1'000'000, 'x')) + "," + entry("b", std::string(48'577, 'x')), "BatchRequestTooLong",
          "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.");
  check_invalid(batch(R"({"Id":"a","MessageBody":"x"})"), "The request must contain the parameter MessageGroupId.");
}

TEST_CASE("an entry over the queue's own limit fails alone") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("small", {{"MaximumMessageSize", "1024"}}, cloud.now));
  const Json json(cloud
                      .call("SendMessageBatch",
                            R"("Entries":[{"Id":"a","MessageBody":")" + std::string(1025, 'x') + "\"}]", "small")
                      .body);
  const auto failure = *json["Failed"].begin();
  CHECK(failure["Code"].string() == "InvalidParameterValue");
  CHECK(failure["Message"].string() ==
        "One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes.");
}

TEST_CASE("batches of deletes and of changes") {
  Cloud cloud;
  cloud.call("SendMessage", send_members("hi"));
  const std::string handle = handle_of(cloud.call("ReceiveMessage", ""));
  const auto entries = [&](std::string_view more) {
    return "\"Entries\":[{\"Id\":\"a\"," + member("ReceiptHandle", handle) + std::string(more) +
           "},{\"Id\":\"b\",\"ReceiptHandle\":\"garbage\"" + std::string(more) + "}]";
  };
  for (const char* operation : {"ChangeMessageVisibilityBatch", "DeleteMessageBatch"}) {
    const Json json(cloud.call(operation, entries(",\"VisibilityTimeout\":30")).body);
    CHECK((*json["Successful"].begin())["Id"].string() == "a");
    CHECK((*json["Failed"].begin())["Id"].string() == "b");
    CHECK((*json["Failed"].begin())["Code"].string() == "ReceiptHandleIsInvalid");
  }
  CHECK(cloud.model.messages("dmq.fifo").empty());
}

TEST_CASE("queues: create, find, describe, list, purge") {
  Cloud cloud;
  const auto create = [&](std::string_view name, std::string_view attributes) {
    return cloud.answer(Cloud::request("CreateQueue", "{\"QueueName\":\"" + std::string(name) + "\",\"Attributes\":{" +
                                                          std::string(attributes) + "}}"));
  };
  const auto code = [&](const dmq::http::Response& response) {
    return std::string(response.headers.get("x-amzn-query-error"));
  };
  CHECK(create("new.fifo", R"("FifoQueue":"true","DelaySeconds":"1")").body ==
        R"({"QueueUrl":"http://cloud.test/000000000000/new.fifo"})");
  CHECK(create("new.fifo", R"("FifoQueue":"true","DelaySeconds":"1")").status == 200);
  check_error(create("new.fifo", R"("FifoQueue":"true","DelaySeconds":"2")"), 400, "com.amazonaws.sqs#QueueNameExists",
              "QueueAlreadyExists",
              "A queue already exists with the same name and a different value for attribute DelaySeconds");
  CHECK(code(create("other.fifo", "")) == "InvalidParameterValue;Sender");
  CHECK(code(create("bad name", "")) == "InvalidParameterValue;Sender");
  CHECK(code(create("other", R"("Nonsense":"1")")) == "InvalidAttributeName;Sender");
  CHECK(code(create("other", R"("DelaySeconds":"901")")) == "InvalidAttributeValue;Sender");
  CHECK(cloud.answer(Cloud::request("GetQueueUrl", R"({"QueueName":"new.fifo"})")).status == 200);
  CHECK(code(cloud.answer(Cloud::request("GetQueueUrl", R"({"QueueName":"none"})"))) ==
        "AWS.SimpleQueueService.NonExistentQueue;Sender");
  CHECK(cloud.answer(Cloud::request("ListQueues", R"({"QueueNamePrefix":"none"})")).body == "{}");
  CHECK(Json(cloud.answer(Cloud::request("ListQueues", "{}")).body)["QueueUrls"].size() == 2);

  for (const char* body : {"1", "2", "3"}) cloud.call("SendMessage", send_members(body));
  cloud.call("ReceiveMessage", "");
  const Json described(cloud.call("GetQueueAttributes", R"("AttributeNames":["All"])").body);
  CHECK(described["Attributes"]["ApproximateNumberOfMessages"].string() == "2");
  CHECK(described["Attributes"]["ApproximateNumberOfMessagesNotVisible"].string() == "1");
  CHECK(described["Attributes"]["QueueArn"].string() == "arn:aws:sqs:us-east-1:000000000000:dmq.fifo");
  CHECK(cloud.call("GetQueueAttributes", "").body == "{}");
  CHECK(code(cloud.call("GetQueueAttributes", R"("AttributeNames":["Nonsense"])")) == "InvalidAttributeName;Sender");

  CHECK(cloud.call("PurgeQueue", "").body.empty());
  CHECK(cloud.model.messages("dmq.fifo").empty());
  check_error(cloud.call("PurgeQueue", ""), 403, "com.amazonaws.sqs#PurgeQueueInProgress",
              "AWS.SimpleQueueService.PurgeQueueInProgress",
              "Only one PurgeQueue operation on dmq.fifo is allowed every 60 seconds.");
  cloud.now = cloud.now + 60s;
  CHECK(cloud.call("PurgeQueue", "").status == 200);
}

TEST_CASE("a receive attempt id that can't be repeated is refused") {
  Cloud cloud;
  cloud.call("SendMessage", send_members("hi"));
  const auto receive = [&] { return cloud.call("ReceiveMessage", member("ReceiveRequestAttemptId", "id")); };
  const std::string handle = handle_of(receive());
  CHECK(handle_of(receive()) == handle);
  cloud.call("ChangeMessageVisibility", member("ReceiptHandle", handle) + ",\"VisibilityTimeout\":60");
  check_invalid(receive(), "The receiveRequestAttemptId is not valid anymore since the receive call is not retryable.");
}
