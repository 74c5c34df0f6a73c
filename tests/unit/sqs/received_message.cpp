#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <chrono>
#include <string>

#include <dmq/sqs/received_message.hpp>

using dmq::Attribute;
using dmq::Attributes;
using dmq::ErrorKind;
using dmq::Result;
using dmq::WallTime;
using dmq::sqs::read_message;
using dmq::sqs::ReceivedMessage;
using std::chrono::milliseconds;

namespace {

Result<ReceivedMessage> read(const std::string& json) {
  dmq::json::Document document;
  support::parse(json, document).value();
  return read_message(document.root());
}

const std::string start =
    R"({"MessageId":"m1","ReceiptHandle":"h1","Body":"hello","MD5OfBody":"5d41402abc4b2a76b9719d911017c592")";

ReceivedMessage with_system(const std::string& attributes) {
  return read(start + R"(,"Attributes":{)" + attributes + "}}").value();
}

std::string damage(const std::string& json) {
  const auto message = read(json);
  if (message) return "";
  CHECK(message.error().kind == ErrorKind::integrity);
  CHECK(message.error().message.find("hello") == std::string::npos);
  return message.error().message;
}

}  // namespace

TEST_CASE("a message is read with its system attributes") {
  const ReceivedMessage message =
      with_system(R"("SenderId":"AIDA","SentTimestamp":"1767225600123","ApproximateReceiveCount":"2",)"
                  R"("ApproximateFirstReceiveTimestamp":"1767225601000","SequenceNumber":"18849496460467696128",)"
                  R"("MessageDeduplicationId":"d","MessageGroupId":"g","AWSTraceHeader":"Root=1",)"
                  R"("DeadLetterQueueSourceArn":"arn:aws:sqs:eu-central-1:1:q.fifo")");
  CHECK(message.message_id == "m1");
  CHECK(message.receipt_handle == "h1");
  CHECK(message.body == "hello");
  CHECK(message.attributes.empty());
  CHECK(message.sender_id == "AIDA");
  CHECK(message.sent_at == WallTime{milliseconds(1'767'225'600'123)});
  CHECK(message.receive_count == 2);
  CHECK(message.first_received_at == WallTime{milliseconds(1'767'225'601'000)});
  CHECK(message.sequence_number == "18849496460467696128");
  CHECK(message.deduplication_id == "d");
  CHECK(message.group == "g");
  CHECK(message.trace_header == "Root=1");
  CHECK(message.dead_letter_source_arn == "arn:aws:sqs:eu-central-1:1:q.fifo");
}

TEST_CASE("without system attributes they are empty") {
  const ReceivedMessage message = read(start + "}").value();
  CHECK(message.group.empty());
  CHECK(message.receive_count == 0);
  CHECK(message.sent_at == WallTime{});
}

TEST_CASE("odd numbers count as none") {
  for (const char* number : {"", "-1", "1.5", "x", "1e3", " 1", "99999999999999999999", "9000000000000"}) {
    CAPTURE(number);
    const ReceivedMessage message = with_system(R"("SentTimestamp":")" + std::string(number) + "\"");
    CHECK(message.sent_at == WallTime{});
  }
  CHECK(with_system(R"("SentTimestamp":"8999999999999")").sent_at == WallTime{milliseconds(8'999'999'999'999)});
  for (const char* number : {"", "-1", "1.5", "x", "2147483648", "-2147483648"})
    CHECK_MESSAGE(with_system(R"("ApproximateReceiveCount":")" + std::string(number) + "\"").receive_count == 0,
                  number);
  CHECK(with_system(R"("ApproximateReceiveCount":"2147483647")").receive_count == 2147483647);
  CHECK(with_system(R"("ApproximateReceiveCount":3)").receive_count == 0);
}

TEST_CASE("attributes are text and bytes, checked by their sum") {
  const ReceivedMessage message =
      read(start +
           R"(,"MD5OfMessageAttributes":"D838729972A4B70E2D2ACD9D59AC847C","MessageAttributes":{)"
           R"("color":{"DataType":"String","StringValue":"blue"},"count":{"DataType":"Number","StringValue":"3"},)"
           R"("blob":{"DataType":"Binary","BinaryValue":"AQID"}}})")
          .value();
  CHECK(message.attributes == Attributes{{"color", Attribute::text("blue")},
                                         {"count", Attribute::number("3")},
                                         {"blob", Attribute::binary("\1\2\3")}});
}

TEST_CASE("a body that was changed is damage") {
  CHECK(
      damage(
          R"({"MessageId":"m1","ReceiptHandle":"h","Body":"hellO","MD5OfBody":"5d41402abc4b2a76b9719d911017c592"})") ==
      "message m1 arrived damaged: the MD5 of its body does not match");
  CHECK(damage(R"({"MessageId":"m1","ReceiptHandle":"h","Body":"hello"})")
            .ends_with("the MD5 of its body does not match"));
}

TEST_CASE("attributes that were changed or lost are damage") {
  const std::string sum = R"(,"MD5OfMessageAttributes":"a311262e065454b75da111d535b8dacd")";
  const std::string there = R"("MessageAttributes":{"Hello":{"DataType":"String","StringValue":"There"}}})";
  CHECK(damage(start + sum + "," + there) == "");
  for (const std::string& json :
       {start + "," + there, start + R"(,"MD5OfMessageAttributes":"d41d8cd98f00b204e9800998ecf8427e",)" + there,
        start + sum + R"(,"MessageAttributes":{"Hello":{"DataType":"String","StringValue":"Here"}}})",
        start + sum + R"(,"MessageAttributes":{}})", start + sum + "}"})
    CHECK_MESSAGE(damage(json).ends_with("the MD5 of its attributes does not match"), json);
  CHECK(damage(start + sum + R"(,"MessageAttributes":{"Hello":{"DataType":"String"}}})")
            .ends_with("an attribute has no type or no value"));
}

TEST_CASE("the sum of no attributes does no harm") {
  CHECK(damage(start + R"(,"MD5OfMessageAttributes":"d41d8cd98f00b204e9800998ecf8427e"})") == "");
  CHECK(damage(start + R"(,"MD5OfMessageAttributes":null,"MessageAttributes":null})") == "");
}

TEST_CASE("a message without id, handle or body is damage") {
  for (const char* json :
       {"{}", "[]", "7", "null", R"({"MessageId":"m","Body":"hello"})", R"({"ReceiptHandle":"h","Body":"hello"})",
        R"({"MessageId":7,"ReceiptHandle":"h","Body":"hello"})"})
    CHECK_MESSAGE(damage(json).ends_with("its id or handle is missing"), json);
  for (const char* json :
       {R"({"MessageId":"m","ReceiptHandle":"h"})", R"({"MessageId":"m","ReceiptHandle":"h","Body":""})"})
    CHECK_MESSAGE(damage(json).ends_with("its body is missing"), json);
}

TEST_CASE("an endless message id is not repeated in full") {
  CHECK(damage(R"({"MessageId":")" + std::string(100'000, 'm') + "\"}").size() < 200);
}
