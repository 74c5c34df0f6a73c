#include <dmq/lambda/sqs_event.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <support/lambda_events.hpp>
#include <support/parser.hpp>

using dmq::ErrorKind;
using dmq::lambda::SqsRecord;
using support::sqs_event;

namespace {

dmq::Result<std::vector<SqsRecord>> read(std::string_view event) {
  return dmq::lambda::parse_sqs_event(event, support::parse);
}

/// The same text with its first `from` replaced.
std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

constexpr std::string_view whole = R"({"Records": [{
  "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a==",
  "body": "{\"total\":42}",
  "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1545082649183", "SenderId": "AIDAIENQZJOLO23YVJ4VO",
    "ApproximateFirstReceiveTimestamp": "1545082649185", "SequenceNumber": "18849496460467696128",
    "MessageGroupId": "order-7", "MessageDeduplicationId": "7-1",
    "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
    "DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders.fifo"},
  "messageAttributes": {
    "color": {"stringValue": "blue", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
    "count": {"stringValue": "3", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
    "blob": {"binaryValue": "AQID", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"}},
  "md5OfBody": "2c7ba3de1d8ab8e8c9ac6d22ae1ad4fa", "md5OfMessageAttributes": "d838729972a4b70e2d2acd9d59ac847c",
  "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:dead.fifo",
  "awsRegion": "eu-west-1"}]})";

/// With the sum of its body put in.
std::string event() {
  return with(std::string(whole), "2c7ba3de1d8ab8e8c9ac6d22ae1ad4fa", dmq::sqs::body_md5(R"({"total":42})").value());
}

std::string damage(std::string_view text) {
  const auto records = read(text).value();
  REQUIRE(records.size() == 1);
  if (!records[0].damage) return "";
  CHECK(records[0].damage->kind == ErrorKind::integrity);
  return records[0].damage->message;
}

}  // namespace

TEST_CASE("an SQS event becomes deliveries with all that it says") {
  const auto records = read(event()).value();
  REQUIRE(records.size() == 1);
  CHECK(records[0].fifo);
  CHECK_FALSE(records[0].damage.has_value());
  const dmq::Delivery& delivery = records[0].delivery;
  CHECK(delivery.message_id == "059f36b4-87a3-44ab-83d2-661975830a7d");
  CHECK(delivery.receipt_handle == "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a==");
  CHECK(delivery.body == R"({"total":42})");
  CHECK(delivery.group == "order-7");
  CHECK(delivery.sequence_number == "18849496460467696128");
  CHECK(delivery.deduplication_id == "7-1");
  CHECK(delivery.trace_header == "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
  CHECK(delivery.dead_letter_source_arn == "arn:aws:sqs:eu-west-1:123456789012:orders.fifo");
  CHECK(delivery.receive_count == 3);
  CHECK(delivery.sent_at == dmq::WallTime(std::chrono::milliseconds(1545082649183)));
  REQUIRE(delivery.attributes.size() == 3);
  CHECK(delivery.attributes.at("color") == dmq::Attribute::text("blue"));
  CHECK(delivery.attributes.at("count") == dmq::Attribute::number("3"));
  CHECK(delivery.attributes.at("blob") == dmq::Attribute::binary("\1\2\3"));
}

TEST_CASE("whether a queue is FIFO is told by its ARN and not by its messages' groups") {
  CHECK(read(sqs_event({{.id = "a", .group = "g"}}, support::fifo_arn)).value()[0].fifo);
  const auto records = read(sqs_event({{.id = "a", .group = "g"}}, support::standard_arn)).value();
  CHECK_FALSE(records[0].fifo);
  CHECK(records[0].delivery.group == "g");
}

TEST_CASE("an event without messages is one") {
  CHECK(read(R"({"Records":[]})").value().empty());
}

TEST_CASE("a body or attributes that do not match their sum are damage") {
  CHECK(damage(event()).empty());
  const std::string wrong_body = "the message arrived damaged: the MD5 of its body does not match";
  CHECK(damage(with(event(), R"(\"total\":42)", R"(\"total\":43)")) == wrong_body);
  CHECK(damage(with(event(), "md5OfBody", "md5OfNothing")) == wrong_body);
  const std::string wrong_attributes = "the message arrived damaged: the MD5 of its attributes does not match";
  CHECK(damage(with(event(), "\"blue\"", "\"red\"")) == wrong_attributes);
  CHECK(damage(with(event(), "\"messageAttributes\"", "\"lost\"")) == wrong_attributes);
}

TEST_CASE("sums may be in upper case, and that of the attributes null or absent") {
  CHECK(damage(with(event(), "d838729972a4b70e2d2acd9d59ac847c", "D838729972A4B70E2D2ACD9D59AC847C")).empty());
  CHECK(damage(with(event(), "\"d838729972a4b70e2d2acd9d59ac847c\"", "null")).empty());
  CHECK(damage(with(event(), "md5OfMessageAttributes", "nothing")).empty());
}

TEST_CASE("a missing body and an attribute without type or value are damage") {
  const std::string no_body = "the message arrived damaged: its body is missing";
  CHECK(damage(with(event(), "\"body\"", "\"nobody\"")) == no_body);
  CHECK(damage(with(event(), R"("{\"total\":42}")", "42")) == no_body);
  CHECK(damage(with(event(), R"("{\"total\":42}")", "null")) == no_body);
  CHECK(damage(with(event(), R"("{\"total\":42}")", "\"\"")) == no_body);
  const std::string no_value = "the message arrived damaged: an attribute has no type or no value";
  CHECK(damage(with(event(), "\"dataType\": \"String\"", "\"x\": 1")) == no_value);
  CHECK(damage(with(event(), "\"stringValue\": \"blue\"", "\"stringValue\": 1")) == no_value);
  CHECK(damage(with(event(), "AQID", "A*ID")) == no_value);
}

TEST_CASE("what stands in the system attributes may be missing or nonsense") {
  const auto bare = read(with(event(), "\"attributes\"", "\"none\"")).value();
  CHECK(bare[0].delivery.group.empty());
  CHECK(bare[0].delivery.receive_count == 0);
  CHECK(bare[0].delivery.sent_at == dmq::WallTime());
  CHECK(read(with(event(), "\"3\"", "\"-3\"")).value()[0].delivery.receive_count == 0);
  CHECK(read(with(event(), "\"1545082649183\"", "\"99999999999999999999\"")).value()[0].delivery.sent_at ==
        dmq::WallTime());
}

TEST_CASE("what is no SQS event is refused, saying why and without quoting it") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not a JSON document: it is empty"},
      {"null", "it has no list of Records"},
      {"[]", "it has no list of Records"},
      {"{}", "it has no list of Records"},
      {R"({"Records":{}})", "it has no list of Records"},
      {R"({"Records":null})", "it has no list of Records"},
      {R"({"records":[]})", "it has no list of Records"},
      {R"({"Records":[1]})", "record 0 does not come from aws:sqs"},
      {R"({"Records":[[]]})", "record 0 does not come from aws:sqs"},
      {with(event(), "\"aws:sqs\"", "\"aws:kinesis\""), "record 0 does not come from aws:sqs"},
      {with(event(), "\"messageId\"", "\"MessageId\""), "record 0 has no messageId"},
      {with(event(), "\"059f36b4-87a3-44ab-83d2-661975830a7d\"", "\"\""), "record 0 has no messageId"},
      {with(event(), "\"059f36b4-87a3-44ab-83d2-661975830a7d\"", "null"), "record 0 has no messageId"},
      {with(event(), "\"059f36b4-87a3-44ab-83d2-661975830a7d\"", "7"), "record 0 has no messageId"},
      {with(event(), "\"eventSourceARN\"", "\"eventSourceArn\""), "record 0 has no eventSourceARN"},
  };
  for (const auto& [text, why] : cases) {
    CAPTURE(text);
    const auto refused = read(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::protocol);
    CHECK(refused.error().message == "this is not an SQS event: " + why);
  }
  const std::string text = event();
  CHECK(read(text.substr(0, text.size() / 2)).error().message.find("total") == std::string::npos);
  CHECK(read(text + "x").error().kind == ErrorKind::protocol);
}
