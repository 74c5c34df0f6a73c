#include <dmq/testing/sqs_query.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <dmq/auth/sigv4.hpp>
#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::protocol_of;
using dmq::testing::read_query;
using dmq::testing::SqsProtocol;
using support::Cloud;
using support::Json;
namespace http = dmq::http;

namespace {

http::Request form(std::string body, std::string_view path = "/") {
  http::Request request{
      .method = http::Method::post, .url = std::string(Cloud::origin) + std::string(path), .body = std::move(body)};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  return request;
}

/// The JSON that the form stands for.
std::string parameters(std::string_view fields, std::string_view action = "X") {
  return read_query(form("Action=" + std::string(action) + "&" + std::string(fields))).value().parameters;
}

constexpr std::string_view queue_path = "/000000000000/dmq.fifo";

http::Response call(Cloud& cloud, std::string_view fields) {
  return cloud.answer(form(std::string(fields), queue_path));
}

bool holds(const http::Response& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}

/// What stands between the first pair of these tags.
std::string element(const http::Response& response, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::size_t begin = response.body.find(open);
  if (begin == std::string::npos) return "";
  const std::size_t end = response.body.find("</" + std::string(name) + ">", begin);
  return response.body.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

TEST_CASE("the headers tell which protocol a caller speaks") {
  http::Request request = form("");
  CHECK(protocol_of(request) == SqsProtocol::query_xml);
  CHECK(protocol_of({.method = http::Method::get}) == SqsProtocol::query_xml);
  CHECK(protocol_of({.method = http::Method::put}) == SqsProtocol::json);
  request.headers.add("Accept", "text/plain, Application/JSON");
  CHECK(protocol_of(request) == SqsProtocol::query_json);
  request.headers.set("Content-Type", "application/x-amz-json-1.0");
  CHECK(protocol_of(request) == SqsProtocol::json);
  request.headers.set("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("X-Amz-Target", "AmazonSQS.SendMessage");
  CHECK(protocol_of(request) == SqsProtocol::json);
}

TEST_CASE("plain parameters keep their text, and numbers become numbers") {
  CHECK(parameters("MessageBody=a+%26+%2B%22%0A&DelaySeconds=-3&MessageGroupId=7&Empty=") ==
        R"({"Action":"X","DelaySeconds":-3,"Empty":"","MessageBody":"a & +\"\n","MessageGroupId":"7"})");
  CHECK(parameters("DelaySeconds=abc&MaxResults=&WaitTimeSeconds=1e1") ==
        R"({"Action":"X","DelaySeconds":"abc","MaxResults":"","WaitTimeSeconds":"1e1"})");
}

TEST_CASE("lists and maps are flattened, and have names of their own") {
  CHECK(parameters("AttributeName.1=All&MessageAttributeName.2=b&MessageAttributeName.1=a&TagKey.1=k&AWSAccountId.1=1"
                   "&ActionName.1=SendMessage&MessageSystemAttributeName.1=SenderId") ==
        R"({"AWSAccountIds":["1"],"Action":"X","Actions":["SendMessage"],"AttributeNames":["All"],)"
        R"("MessageAttributeNames":["a","b"],"MessageSystemAttributeNames":["SenderId"],"TagKeys":["k"]})");
  CHECK(parameters("Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Attribute.2.Name=Policy&Attribute.2.Value=") ==
        R"({"Action":"X","Attributes":{"DelaySeconds":"5","Policy":""}})");
  CHECK(parameters("Tag.1.Key=a&Tag.1.Value=b", "TagQueue") == R"({"Action":"TagQueue","Tags":{"a":"b"}})");
  CHECK(parameters("Tag.1.Key=a&Tag.1.Value=b", "CreateQueue") == R"({"Action":"CreateQueue","tags":{"a":"b"}})");
}

TEST_CASE("attributes of messages are maps of structures") {
  const std::string expected =
      R"({"Action":"X","MessageAttributes":{"n":{"DataType":"String","StringValue":"v"}},)"
      R"("MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}})";
  const std::string system =
      "&MessageSystemAttribute.1.Name=AWSTraceHeader&MessageSystemAttribute.1.Value.DataType=String"
      "&MessageSystemAttribute.1.Value.StringValue=Root%3D1";
  CHECK(parameters("MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=String"
                   "&MessageAttribute.1.Value.StringValue=v" +
                   system) == expected);
  CHECK(parameters("MessageAttributes.1.Name=n&MessageAttributes.1.Value.DataType=String"
                   "&MessageAttributes.1.Value.StringValue=v" +
                   system) == expected);
  CHECK(parameters("MessageAttribute.1.Name=n&MessageAttribute.1.Value.StringListValue.1=a") ==
        R"({"Action":"X","MessageAttributes":{"n":{"StringListValues":["a"]}}})");
}

TEST_CASE("the entries of a batch have a name for each operation, and stand in the order of their numbers") {
  CHECK(parameters("DeleteMessageBatchRequestEntry.10.Id=j&DeleteMessageBatchRequestEntry.2.Id=b"
                   "&DeleteMessageBatchRequestEntry.2.ReceiptHandle=h",
                   "DeleteMessageBatch") ==
        R"({"Action":"DeleteMessageBatch","Entries":[{"Id":"b","ReceiptHandle":"h"},{"Id":"j"}]})");
  CHECK(parameters("SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n"
                   "&SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringListValue.1=v"
                   "&SendMessageBatchRequestEntry.1.DelaySeconds=1&DeleteMessageBatchRequestEntry.1=x",
                   "SendMessageBatch") == R"({"Action":"SendMessageBatch","Entries":[{"DelaySeconds":1,"Id":"a",)"
                                          R"("MessageAttributes":{"n":{"StringListValues":["v"]}}}]})");
}

TEST_CASE("a lone element needs no number, and a name without a value stands for an empty list") {
  CHECK(parameters("AttributeName=All") == R"({"Action":"X","AttributeNames":["All"]})");
  CHECK(parameters("Attribute.Name=DelaySeconds&Attribute.Value=5") ==
        R"({"Action":"X","Attributes":{"DelaySeconds":"5"}})");
  CHECK(parameters("AttributeNames=&Entries=") == R"({"Action":"X","AttributeNames":[],"Entries":[]})");
}

TEST_CASE("neither a high number nor a deep name costs more than its text") {
  CHECK(parameters("TagKey.18446744073709551615=z&TagKey.1000000000=a") == R"({"Action":"X","TagKeys":["a","z"]})");
  std::string deep = "XRequestEntry.1.";
  for (int i = 0; i < 100'000; ++i) deep += "XRequestEntry.1.";
  CHECK(parameters(deep + "Id=a") == R"({"Action":"X","Entries":[{"Entries":[{"Entries":[{"Entries":[null]}]}]}]})");
  CHECK(parameters(std::string(100'000, '.') + "=a") == R"({"Action":"X"})");
}

TEST_CASE("the queue is a parameter, or the path") {
  const auto url = [](std::string_view fields, std::string_view path) {
    const std::string text = read_query(form("Action=X" + std::string(fields), path)).value().parameters;
    return std::string(Json(text)["QueueUrl"].string().value_or("none"));
  };
  CHECK(url("", "/") == "none");
  CHECK(url("", "/1/q") == "http://cloud.test/1/q");
  CHECK(url("", "/1/q/") == "http://cloud.test/1/q");
  CHECK(url("&QueueUrl=u", "/1/q") == "u");
}

TEST_CASE("a message goes the whole way over the query protocol") {
  Cloud cloud;
  const auto sent = call(cloud,
                         "Action=SendMessage&Version=2012-11-05&MessageBody=%3Ca%26%0D%0A&MessageGroupId=g"
                         "&MessageAttribute.1.Name=Hello&MessageAttribute.1.Value.DataType=String"
                         "&MessageAttribute.1.Value.StringValue=There");
  CHECK(sent.status == 200);
  CHECK(sent.headers.get("content-type") == "text/xml");
  CHECK_FALSE(sent.headers.find("x-amzn-query-error"));
  CHECK(element(sent, "RequestId") == sent.headers.get("x-amzn-requestid"));
  CHECK(element(sent, "MD5OfMessageBody") == dmq::testing::md5_text("<a&\r\n"));
  CHECK(element(sent, "MD5OfMessageAttributes") == "a311262e065454b75da111d535b8dacd");
  CHECK(element(sent, "SequenceNumber").size() == 20);
  CHECK(cloud.model.calls("SendMessage") == 1);

  const auto received = call(cloud, "Action=ReceiveMessage&AttributeName.1=MessageGroupId&MessageAttributeName.1=All");
  CHECK(element(received, "MessageId") == element(sent, "MessageId"));
  CHECK(element(received, "Body") == "&lt;a&amp;&#xD;\n");
  CHECK(element(received, "Attribute") == "<Name>MessageGroupId</Name><Value>g</Value>");
  CHECK(element(received, "MessageAttribute") ==
        "<Name>Hello</Name><Value><StringValue>There</StringValue><DataType>String</DataType></Value>");

  const std::string handle = element(received, "ReceiptHandle");
  const auto changed = call(cloud,
                            "Action=ChangeMessageVisibilityBatch&ChangeMessageVisibilityBatchRequestEntry.1.Id=a"
                            "&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=9"
                            "&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=" +
                                dmq::encoding::percent_encode(handle));
  CHECK(
      holds(changed, "<ChangeMessageVisibilityBatchResultEntry><Id>a</Id></ChangeMessageVisibilityBatchResultEntry>"));
  const auto deleted = call(cloud, "Action=DeleteMessage&ReceiptHandle=" + dmq::encoding::percent_encode(handle));
  CHECK(deleted.status == 200);
  CHECK(holds(deleted, "/\"><ResponseMetadata><RequestId>"));
  CHECK(cloud.model.messages("dmq.fifo").empty());
  CHECK(holds(call(cloud, "Action=ReceiveMessage"), "<ReceiveMessageResult></ReceiveMessageResult>"));
}

TEST_CASE("a GET with a query string is a call too, and with Accept it is answered in JSON") {
  Cloud cloud;
  http::Request request{.url = std::string(Cloud::origin) + "/?Action=GetQueueUrl&QueueName=dmq.fifo"};
  CHECK(element(cloud.answer(request), "QueueUrl") == "http://cloud.test/000000000000/dmq.fifo");
  request.headers.add("Accept", "application/json");
  const auto response = cloud.answer(request);
  CHECK(response.headers.get("content-type") == "application/json");
  const Json json(response.body);
  CHECK(json["GetQueueUrlResponse"]["GetQueueUrlResult"]["QueueUrl"].string() ==
        "http://cloud.test/000000000000/dmq.fifo");
  CHECK(json["GetQueueUrlResponse"]["ResponseMetadata"]["RequestId"].string() ==
        response.headers.get("x-amzn-requestid"));
}

TEST_CASE("errors of the query protocol have the codes of that protocol") {
  Cloud cloud;
  const auto error = [&](std::string_view fields, std::string_view path = queue_path) {
    const auto response = cloud.answer(form(std::string(fields), path));
    CHECK(response.headers.get("content-type") == "text/xml");
    CHECK(element(response, "Type") == "Sender");
    return std::to_string(response.status) + " " + element(response, "Code") + ": " + element(response, "Message");
  };
  CHECK(error("Version=2012-11-05") == "400 MissingAction: The request must contain the parameter Action.");
  CHECK(error("Action=Nonsense").starts_with("400 InvalidAction: "));
  CHECK(error("Action=PurgeQueue&a=%zz").starts_with("404 MalformedQueryString: "));
  CHECK(error("Action=PurgeQueue&a=1&a=2").starts_with("404 MalformedQueryString: "));
  CHECK(error("Action=SendMessage&MessageBody=%FF").starts_with("400 MalformedInput: "));
  CHECK(error("Action=SendMessage&MessageBody=a&MessageGroupId=g&DelaySeconds=abc") ==
        "400 MalformedInput: The value of DelaySeconds has the wrong type.");
  CHECK(error("Action=SendMessage&MessageBody=a") ==
        "400 MissingParameter: The request must contain the parameter MessageGroupId.");
  CHECK(error("Action=DeleteMessage&ReceiptHandle=%22") ==
        "404 ReceiptHandleIsInvalid: The input receipt handle &quot;&quot;&quot; is not a valid receipt handle.");
  CHECK(error("Action=ReceiveMessage", "/000000000000/other.fifo") ==
        "400 AWS.SimpleQueueService.NonExistentQueue: The specified queue does not exist for this wsdl version.");
  CHECK(error("Action=SendMessageBatch&SendMessageBatchRequestEntry=")
            .starts_with("400 AWS.SimpleQueueService.EmptyBatchRequest: "));

  auto request = form("Action=ReceiveMessage&MaxNumberOfMessages=11", queue_path);
  request.headers.add("Accept", "application/json");
  const auto response = cloud.answer(request);
  CHECK(response.status == 400);
  const Json json(response.body);
  CHECK(json["Error"]["Code"].string() == "InvalidParameterValue");
  CHECK(json["Error"]["Type"].string() == "Sender");
  CHECK(json["RequestId"].string() == response.headers.get("x-amzn-requestid"));
}

TEST_CASE("every operation is known to the query protocol") {
  Cloud cloud;
  for (const char* operation : {"AddPermission",
                                "CancelMessageMoveTask",
                                "ChangeMessageVisibility",
                                "ChangeMessageVisibilityBatch",
                                "CreateQueue",
                                "DeleteMessage",
                                "DeleteMessageBatch",
                                "DeleteQueue",
                                "GetQueueAttributes",
                                "GetQueueUrl",
                                "ListDeadLetterSourceQueues",
                                "ListMessageMoveTasks",
                                "ListQueueTags",
                                "ListQueues",
                                "PurgeQueue",
                                "ReceiveMessage",
                                "RemovePermission",
                                "SendMessage",
                                "SendMessageBatch",
                                "SetQueueAttributes",
                                "StartMessageMoveTask",
                                "TagQueue",
                                "UntagQueue"}) {
    CAPTURE(operation);
    const auto response = cloud.answer(form("Action=" + std::string(operation)));
    CHECK(element(response, "Code") != "InvalidAction");
    CHECK(element(response, "RequestId").size() == 36);
  }
}

TEST_CASE("a long poll is answered in the protocol in which it was asked") {
  Cloud cloud;
  const auto poll = [&](std::string_view accept, std::string_view wait) {
    auto request = form("Action=ReceiveMessage&WaitTimeSeconds=" + std::string(wait), queue_path);
    request.headers.add("Accept", accept);
    return std::get<dmq::testing::PollId>(cloud.handle(request));
  };
  const auto xml = poll("*/*", "20");
  const auto json = poll("application/json", "5");
  const auto plain =
      std::get<dmq::testing::PollId>(cloud.handle(Cloud::queue_request("ReceiveMessage", "\"WaitTimeSeconds\":5")));
  cloud.model.cancel(poll("*/*", "20"));
  call(cloud, "Action=SendMessage&MessageBody=hi&MessageGroupId=g");
  auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].id == xml);
  CHECK(element(answered[0].response, "Body") == "hi");
  cloud.now = cloud.now + 5s;
  answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].id == json);
  CHECK(answered[0].response.headers.get("content-type") == "application/json");
  CHECK(Json(answered[0].response.body)["ReceiveMessageResponse"]["ReceiveMessageResult"]["messages"].is(
      dmq::json::Kind::null));
  CHECK(answered[1].id == plain);
  CHECK(answered[1].response.body == "{}");
}

TEST_CASE("queries are signed like other requests, by their body or by their query string") {
  Cloud cloud({.signing_key = support::signing_key()});
  const auto sign = [&](http::Request request) {
    const dmq::auth::SigningScope scope{"us-east-1", "sqs"};
    const dmq::Secret secret("local-cloud-secret-key");
    const std::string day = dmq::encoding::amz_date(cloud.now.wall).substr(0, 8);
    dmq::auth::sign(request, {.access_key_id = "AKIALOCALCLOUD000000"}, dmq::auth::signing_key(secret, day, scope),
                    scope, cloud.now.wall)
        .value();
    return request;
  };
  http::Request posted = sign(form("Action=ListQueues", "/"));
  CHECK(element(cloud.answer(posted), "QueueUrl") == "http://cloud.test/000000000000/dmq.fifo");
  posted.body += "&QueueNamePrefix=d";
  CHECK(element(cloud.answer(posted), "Code") == "SignatureDoesNotMatch");

  http::Request got = sign({.url = std::string(Cloud::origin) + "/?QueueNamePrefix=%25&Action=ListQueues"});
  CHECK(holds(cloud.answer(got), "<ListQueuesResult></ListQueuesResult>"));
  got.url.replace(got.url.find("%25"), 3, "d");
  const auto refused = cloud.answer(got);
  CHECK(refused.status == 403);
  CHECK(element(refused, "Code") == "SignatureDoesNotMatch");
  CHECK(element(cloud.answer(form("Action=ListQueues")), "Code") == "AccessDenied");
  CHECK(cloud.model.calls("ListQueues") == 2);
}
