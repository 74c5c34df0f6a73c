#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_query_names.hpp>

/// The answers of the query protocol as JSON, for callers that accept it. This JSON is not that of the JSON protocol.
namespace dmq::inline DMQ_ABI::testing {

namespace detail {
/// Members that the JSON form has as null where there is nothing. Not recorded for other structures, which leave out
/// what they do not have.
inline std::vector<std::string_view> nullable_members(std::string_view structure) {
  if (structure == "SendMessage")
    return {"MD5OfMessageAttributes", "MD5OfMessageBody", "MD5OfMessageSystemAttributes", "MessageId",
            "SequenceNumber"};
  if (structure == "ReceiveMessage") return {"messages"};
  if (structure == "Messages") return {"Attributes", "MD5OfMessageAttributes", "MessageAttributes"};
  if (structure == "ListQueues") return {"NextToken", "queueUrls"};
  return {};
}

class QueryJsonAnswer {
 public:
  QueryJsonAnswer(std::string_view operation, encoding::JsonWriter& json) : operation_(operation), json_(json) {}

  /// `name` is that of the operation, or of the list that the structure is in.
  void structure(std::string_view name, json::Value object) {
    std::vector<std::string_view> missing = nullable_members(name);
    json_.begin_object();
    for (const json::Value member : object) {
      const std::string written = member_name(member.name());
      std::erase(missing, std::string_view(written));
      json_.key(written);
      value(member);
    }
    for (const std::string_view absent : missing) json_.key(absent).null();
    json_.end_object();
  }

 private:
  std::string member_name(std::string_view name) const {
    if (name == "Messages") return "messages";
    if (name == "QueueUrls") return "queueUrls";
    if (name == "Successful" || name == "Failed") return element_name(operation_, name);
    return std::string(name);
  }

  void value(json::Value member) {
    if (member.is(json::Kind::array)) {
      json_.begin_array();
      for (const json::Value item : member) item_of(member.name(), item);
      json_.end_array();
    } else if (member.is(json::Kind::object)) {
      map(member);
    } else {
      scalar(member);
    }
  }

  void map(json::Value object) {
    json_.begin_array();
    for (const json::Value entry : object) {
      json_.begin_object().key(key_name(object.name())).value(entry.name()).key("Value");
      item_of("Value", entry);
      json_.end_object();
    }
    json_.end_array();
  }

  void item_of(std::string_view list, json::Value item) {
    if (item.is(json::Kind::object))
      structure(list, item);
    else
      scalar(item);
  }

  void scalar(json::Value plain) {
    if (const auto text = plain.string())
      json_.value(*text);
    else if (plain.is(json::Kind::null))
      json_.null();
    else
      json_.raw(scalar_text(plain));
  }

  std::string_view operation_;
  encoding::JsonWriter& json_;
};
}  // namespace detail

/// As xml_answer(), for a caller that accepts JSON.
inline std::string query_json_answer(std::string_view operation, json::Value result, std::string_view request_id) {
  std::string out;
  encoding::JsonWriter json(out);
  json.begin_object().key(std::string(operation) + "Response").begin_object();
  json.key("ResponseMetadata").begin_object().key("RequestId").value(request_id).end_object();
  if (result.exists()) {
    json.key(std::string(operation) + "Result");
    detail::QueryJsonAnswer(operation, json).structure(operation, result);
  }
  json.end_object().end_object();
  return out;
}

inline std::string query_json_error(const SqsError& error, std::string_view request_id) {
  std::string out;
  encoding::JsonWriter json(out);
  json.begin_object().key("Error").begin_object().key("Code").value(error.service_code);
  json.key("Message").value(query_message(error)).key("Type").value(detail::fault_of(error));
  json.end_object().key("RequestId").value(request_id).end_object();
  return out;
}

}  // namespace dmq::inline DMQ_ABI::testing
