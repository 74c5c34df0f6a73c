#include <dmq/testing/sqs_query_json.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <support/parser.hpp>

namespace {

std::string answer(std::string_view operation, std::string_view json) {
  dmq::json::Document document;
  support::parse(json, document, {}).value();
  return dmq::testing::query_json_answer(operation, document.root(), "id");
}

std::string wrapped(std::string_view operation, std::string_view result) {
  const std::string name(operation);
  return "{\"" + name + "Response\":{\"ResponseMetadata\":{\"RequestId\":\"id\"},\"" + name +
         "Result\":" + std::string(result) + "}}";
}

}  // namespace

TEST_CASE("the JSON of the query protocol has null for what a send does not give") {
  CHECK(answer("SendMessage", R"({"MessageId":"m","MD5OfMessageBody":"h"})") ==
        wrapped("SendMessage", R"({"MessageId":"m","MD5OfMessageBody":"h","MD5OfMessageAttributes":null,)"
                               R"("MD5OfMessageSystemAttributes":null,"SequenceNumber":null})"));
  CHECK(answer("SendMessage", R"({"MessageId":"m","MD5OfMessageBody":"h","MD5OfMessageAttributes":"a",
                                  "MD5OfMessageSystemAttributes":"s","SequenceNumber":"1"})") ==
        wrapped("SendMessage", R"({"MessageId":"m","MD5OfMessageBody":"h","MD5OfMessageAttributes":"a",)"
                               R"("MD5OfMessageSystemAttributes":"s","SequenceNumber":"1"})"));
}

TEST_CASE("messages are a list under a small letter, and maps are lists of names and values") {
  CHECK(answer("ReceiveMessage", "{}") == wrapped("ReceiveMessage", R"({"messages":null})"));
  CHECK(answer("ReceiveMessage", R"({"Messages":[{"Body":"\"","Attributes":{"SenderId":"x"},
                   "MessageAttributes":{"n":{"StringValue":"v","DataType":"String"}}},{"Body":"b"}]})") ==
        wrapped("ReceiveMessage",
                R"({"messages":[{"Body":"\"","Attributes":[{"Name":"SenderId","Value":"x"}],)"
                R"("MessageAttributes":[{"Name":"n","Value":{"StringValue":"v","DataType":"String"}}],)"
                R"("MD5OfMessageAttributes":null},)"
                R"({"Body":"b","Attributes":null,"MD5OfMessageAttributes":null,"MessageAttributes":null}]})"));
  CHECK(answer("ListQueueTags", R"({"Tags":{"a":"b"}})") ==
        wrapped("ListQueueTags", R"({"Tags":[{"Key":"a","Value":"b"}]})"));
  CHECK(answer("ListQueues", R"({"QueueUrls":["u"]})") ==
        wrapped("ListQueues", R"({"queueUrls":["u"],"NextToken":null})"));
}

TEST_CASE("entries of a batch keep the names they have in XML, truth and numbers are not text") {
  CHECK(answer("SendMessageBatch", R"({"Successful":[{"Id":"a"}],"Failed":[{"Id":"b","SenderFault":true}]})") ==
        wrapped("SendMessageBatch", R"({"SendMessageBatchResultEntry":[{"Id":"a"}],)"
                                    R"("BatchResultErrorEntry":[{"Id":"b","SenderFault":true}]})"));
  CHECK(answer("CancelMessageMoveTask", R"({"ApproximateNumberOfMessagesMoved":2})") ==
        wrapped("CancelMessageMoveTask", R"({"ApproximateNumberOfMessagesMoved":2})"));
}

TEST_CASE("without an output there is only the id of the request, and an error stands alone") {
  CHECK(dmq::testing::query_json_answer("DeleteMessage", {}, "id") ==
        R"({"DeleteMessageResponse":{"ResponseMetadata":{"RequestId":"id"}}})");
  CHECK(dmq::testing::query_json_error(dmq::testing::missing_parameter("MessageGroupId"), "id") ==
        R"({"Error":{"Code":"MissingParameter","Message":"The request must contain the parameter MessageGroupId.",)"
        R"("Type":"Sender"},"RequestId":"id"})");
}
