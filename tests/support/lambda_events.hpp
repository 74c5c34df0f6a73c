#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/attribute_hash.hpp>
#include <support/parser.hpp>

/// SQS events as Lambda gets them.
namespace support {

constexpr std::string_view fifo_arn = "arn:aws:sqs:eu-west-1:123456789012:orders.fifo";
constexpr std::string_view standard_arn = "arn:aws:sqs:eu-west-1:123456789012:orders";

struct EventRecord {
  std::string id{};
  std::string group{};  ///< Empty for none.
  std::string body = R"({"total":42})";
  std::string md5{};  ///< Empty: the right one.
};

inline std::string sqs_event(const std::vector<EventRecord>& records, std::string_view arn = fifo_arn) {
  std::string json;
  dmq::encoding::JsonWriter writer(json);
  writer.begin_object().key("Records").begin_array();
  int sequence = 0;
  for (const EventRecord& record : records) {
    writer.begin_object().key("messageId").value(record.id).key("receiptHandle").value("handle-" + record.id);
    writer.key("body").value(record.body).key("attributes").begin_object();
    writer.key("ApproximateReceiveCount").value("1").key("SentTimestamp").value("1767225600123");
    writer.key("SenderId").value("AIDAEXAMPLE").key("ApproximateFirstReceiveTimestamp").value("1767225600456");
    if (!record.group.empty()) writer.key("MessageGroupId").value(record.group);
    if (!record.group.empty()) writer.key("SequenceNumber").value(std::to_string(10'000 + ++sequence));
    writer.end_object().key("messageAttributes").begin_object().end_object();
    writer.key("md5OfBody").value(record.md5.empty() ? dmq::sqs::body_md5(record.body).value_or("") : record.md5);
    writer.key("eventSource").value("aws:sqs").key("eventSourceARN").value(arn);
    writer.key("awsRegion").value("eu-west-1").end_object();
  }
  writer.end_array().end_object();
  return json;
}

/// The ids of a partial batch response; "malformed" when it is none.
inline std::vector<std::string> failed_ids(std::string_view response) {
  dmq::json::Document document;
  if (!parse(response, document)) return {"malformed"};
  const auto list = document.root()["batchItemFailures"];
  if (!list.is(dmq::json::Kind::array) || document.root().size() != 1) return {"malformed"};
  std::vector<std::string> ids;
  for (const dmq::json::Value item : list) {
    if (item.size() != 1 || !item["itemIdentifier"].string()) return {"malformed"};
    ids.emplace_back(*item["itemIdentifier"].string());
  }
  return ids;
}

}  // namespace support
