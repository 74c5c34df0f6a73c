#include <dmq/testing/sqs_xml.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <support/parser.hpp>

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  dmq::testing::append_xml_text(out, text);
  return out;
}

std::string answer(std::string_view operation, std::string_view json) {
  dmq::json::Document document;
  support::parse(json, document, {}).value();
  return dmq::testing::xml_answer(operation, document.root(), "id");
}

/// The answer without what all have around the result.
std::string result(std::string_view operation, std::string_view json) {
  const std::string text = answer(operation, json);
  const std::string name = std::string(operation) + "Result>";
  const std::size_t begin = text.find("<" + name) + name.size() + 1;
  return text.substr(begin, text.find("</" + name) - begin);
}

}  // namespace

TEST_CASE("XML text escapes what is markup, and the carriage return, which readers would change") {
  CHECK(escaped("a<b>&\"c'\t\n\r") == "a&lt;b&gt;&amp;&quot;c'\t\n&#xD;");
  CHECK(escaped("h\xC3\xA9\xF0\x9F\x98\x80\x7F") == "h\xC3\xA9\xF0\x9F\x98\x80\x7F");
}

TEST_CASE("what XML cannot carry becomes the replacement character") {
  CHECK(escaped(std::string_view("\0\x01\x1F", 3)) == "\uFFFD\uFFFD\uFFFD");
  CHECK(escaped("a\uFFFE\uFFFF\uFFFDb\uFFFC") == "a\uFFFD\uFFFD\uFFFDb\uFFFC");
  CHECK(escaped("\xEF\xBF") == "\xEF\xBF");
}

TEST_CASE("an answer is the result, where there is one, and the id of the request") {
  CHECK(answer("GetQueueUrl", R"({"QueueUrl":"http://h/1/a&b"})") ==
        "<?xml version=\"1.0\"?><GetQueueUrlResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">"
        "<GetQueueUrlResult><QueueUrl>http://h/1/a&amp;b</QueueUrl></GetQueueUrlResult>"
        "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetQueueUrlResponse>");
  CHECK(dmq::testing::xml_answer("DeleteQueue", {}, "id") ==
        "<?xml version=\"1.0\"?><DeleteQueueResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">"
        "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteQueueResponse>");
}

TEST_CASE("lists and maps of an answer are flattened under the names of the query protocol") {
  CHECK(result("ReceiveMessage",
               R"({"Messages":[{"Body":"a","Attributes":{"SenderId":"x","SentTimestamp":"1"},
                   "MessageAttributes":{"n":{"BinaryValue":"AQID","DataType":"Binary"}}},{"Body":"b"}]})") ==
        "<Message><Body>a</Body><Attribute><Name>SenderId</Name><Value>x</Value></Attribute>"
        "<Attribute><Name>SentTimestamp</Name><Value>1</Value></Attribute><MessageAttribute><Name>n</Name>"
        "<Value><BinaryValue>AQID</BinaryValue><DataType>Binary</DataType></Value></MessageAttribute></Message>"
        "<Message><Body>b</Body></Message>");
  CHECK(result("ListQueues", R"({"QueueUrls":["u","v"],"NextToken":"t"})") ==
        "<QueueUrl>u</QueueUrl><QueueUrl>v</QueueUrl><NextToken>t</NextToken>");
  CHECK(result("ListDeadLetterSourceQueues", R"({"queueUrls":["u"]})") == "<QueueUrl>u</QueueUrl>");
  CHECK(result("GetQueueAttributes", R"({"Attributes":{"QueueArn":"arn"}})") ==
        "<Attribute><Name>QueueArn</Name><Value>arn</Value></Attribute>");
  CHECK(result("ListQueueTags", R"({"Tags":{"a<":"b"}})") == "<Tag><Key>a&lt;</Key><Value>b</Value></Tag>");
}

TEST_CASE("batches and move tasks have entries that are named after the operation") {
  CHECK(result("SendMessageBatch",
               R"({"Successful":[{"Id":"a"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"c"},
                   {"Id":"d","SenderFault":false}]})") ==
        "<SendMessageBatchResultEntry><Id>a</Id></SendMessageBatchResultEntry>"
        "<BatchResultErrorEntry><Id>b</Id><SenderFault>true</SenderFault><Code>c</Code></BatchResultErrorEntry>"
        "<BatchResultErrorEntry><Id>d</Id><SenderFault>false</SenderFault></BatchResultErrorEntry>");
  CHECK(result("DeleteMessageBatch", R"({"Successful":[{"Id":"a"}]})") ==
        "<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry>");
  CHECK(result("ListMessageMoveTasks", R"({"Results":[{"StartedTimestamp":1442428276921,"TaskHandle":null}]})") ==
        "<ListMessageMoveTasksResultEntry><StartedTimestamp>1442428276921</StartedTimestamp>"
        "</ListMessageMoveTasksResultEntry>");
  CHECK(result("CancelMessageMoveTask", R"({"ApproximateNumberOfMessagesMoved":102})") ==
        "<ApproximateNumberOfMessagesMoved>102</ApproximateNumberOfMessagesMoved>");
}

TEST_CASE("an error tells whose fault it is") {
  CHECK(dmq::testing::xml_error(dmq::testing::queue_does_not_exist(), "id") ==
        "<?xml version=\"1.0\"?><ErrorResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><Error>"
        "<Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code>"
        "<Message>The specified queue does not exist for this wsdl version.</Message><Detail/></Error>"
        "<RequestId>id</RequestId></ErrorResponse>");
  const auto internal = dmq::testing::sqs_error(500, "t", "InternalError", "a < b");
  CHECK(dmq::testing::xml_error(internal, "id")
            .find("<Type>Receiver</Type><Code>InternalError</Code>"
                  "<Message>a &lt; b</Message>") != std::string::npos);
}
