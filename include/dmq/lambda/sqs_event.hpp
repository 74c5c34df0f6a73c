#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/delivery.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/attribute_hash.hpp>
#include <dmq/sqs/message_json.hpp>
#include <dmq/sqs/received_message.hpp>

/// A consumer that AWS Lambda runs: the queue calls it, and deletes what it does not report as failed.
namespace dmq::inline DMQ_ABI::lambda {

/// A message of an SQS event (AWS Lambda developer guide, "Using Lambda with Amazon SQS"), checked.
struct SqsRecord {
  Delivery delivery{};            ///< `leased_until` is for others to set: an event does not say when its lease ends.
  bool fifo = false;              ///< By the queue's ARN. Messages of standard queues have groups too, and no order.
  std::optional<Error> damage{};  ///< integrity: a sum does not match, or a part is missing.
};

namespace detail {
inline Error not_an_sqs_event(const std::string& why) {
  return {.kind = ErrorKind::protocol, .message = "this is not an SQS event: " + why};
}

inline std::optional<Error> damaged(std::string what) {
  return Error{.kind = ErrorKind::integrity, .message = "the message arrived damaged: " + std::move(what)};
}

/// What is wrong with its body and attributes, which go into the delivery.
inline std::optional<Error> read_content(json::Value record, Delivery& delivery) {
  delivery.body = record["body"].string().value_or("");
  if (delivery.body.empty()) return damaged("its body is missing");
  if (sqs::body_differs(delivery.body, record["md5OfBody"].string().value_or("")))
    return damaged("the MD5 of its body does not match");
  auto attributes = sqs::read_attributes(record["messageAttributes"],
                                         {.type = "dataType", .text = "stringValue", .bytes = "binaryValue"});
  if (!attributes) return damaged("an attribute has no type or no value");
  delivery.attributes = *std::move(attributes);
  // The sum of attributes is null or absent where there is none, and in events that people write.
  const std::string_view theirs = record["md5OfMessageAttributes"].string().value_or("");
  if (theirs.empty()) return std::nullopt;
  if (sqs::attributes_differ(delivery.attributes, theirs)) return damaged("the MD5 of its attributes does not match");
  return std::nullopt;
}

inline SqsRecord read_record(json::Value value, std::string_view id, std::string_view queue) {
  const json::Value system = value["attributes"];
  const auto text = [](json::Value from) { return std::string(from.string().value_or("")); };
  SqsRecord record{
      .delivery = {.message_id = std::string(id),
                   .group = text(system["MessageGroupId"]),
                   .sequence_number = text(system["SequenceNumber"]),
                   .sent_at = sqs::detail::from_milliseconds(system["SentTimestamp"].string().value_or("")),
                   .deduplication_id = text(system["MessageDeduplicationId"]),
                   .trace_header = text(system["AWSTraceHeader"]),
                   .dead_letter_source_arn = text(system["DeadLetterQueueSourceArn"]),
                   .receipt_handle = text(value["receiptHandle"])},
      .fifo = queue.ends_with(".fifo")};
  const auto count = encoding::parse_number<int>(system["ApproximateReceiveCount"].string().value_or(""));
  record.delivery.receive_count = std::max(count.value_or(0), 0);
  record.damage = read_content(value, record.delivery);
  return record;
}
}  // namespace detail

/// The messages of an event, in its order. protocol when it is no SQS event or a message in it has no id, so that no
/// answer could name it. A damaged message is there, with what is wrong with it. Pure.
inline Result<std::vector<SqsRecord>> parse_sqs_event(std::string_view event, json::Parser parse) {
  json::Document document;
  if (Result<void> parsed = parse(event, document, {}); !parsed)
    return detail::not_an_sqs_event(parsed.error().message);
  const json::Value list = document.root()["Records"];
  if (!list.is(json::Kind::array)) return detail::not_an_sqs_event("it has no list of Records");
  std::vector<SqsRecord> records;
  for (const json::Value value : list) {
    const std::string where = "record " + std::to_string(records.size()) + " ";
    if (value["eventSource"].string() != "aws:sqs")
      return detail::not_an_sqs_event(where + "does not come from aws:sqs");
    const std::string_view id = value["messageId"].string().value_or("");
    if (id.empty()) return detail::not_an_sqs_event(where + "has no messageId");
    const std::string_view queue = value["eventSourceARN"].string().value_or("");
    if (queue.empty()) return detail::not_an_sqs_event(where + "has no eventSourceARN");
    records.push_back(detail::read_record(value, id, queue));
  }
  return records;
}

}  // namespace dmq::inline DMQ_ABI::lambda
