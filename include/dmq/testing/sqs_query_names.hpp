#pragma once

#include <string>
#include <string_view>

#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>

/// Answers of the query protocol, made from those of the JSON protocol. In an answer a member that is an object is a
/// map; elements of lists and values of maps may be structures.
namespace dmq::inline DMQ_ABI::testing {

/// The message has a wording of its own for a queue that does not exist.
inline std::string_view query_message(const SqsError& error) {
  return error.service_code == "AWS.SimpleQueueService.NonExistentQueue"
             ? "The specified queue does not exist for this wsdl version."
             : std::string_view(error.message);
}

namespace detail {
/// What the query protocol calls an element of the list or map `member` of the answer to `operation`.
inline std::string element_name(std::string_view operation, std::string_view member) {
  if (member == "Successful" || member == "Results") return std::string(operation) + "ResultEntry";
  if (member == "Failed") return "BatchResultErrorEntry";
  if (member == "queueUrls") return "QueueUrl";
  return std::string(member.substr(0, member.size() - 1));  // Messages, QueueUrls, Attributes, MessageAttributes, Tags.
}

inline std::string_view key_name(std::string_view map) {
  return map == "Tags" ? "Key" : "Name";
}

inline std::string scalar_text(json::Value value) {
  if (const auto text = value.string()) return std::string(*text);
  if (const auto number = value.integer()) return std::to_string(*number);
  return value.boolean().value_or(false) ? "true" : "false";
}

inline std::string_view fault_of(const SqsError& error) {
  return error.http_status < 500 ? "Sender" : "Receiver";
}
}  // namespace detail

}  // namespace dmq::inline DMQ_ABI::testing
