#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A refusal by SQS. `http_status`, `message` and `service_code` (the name in the query protocol) are those of Error.
struct SqsError : Error {
  std::string type{};  ///< The `__type` of the JSON protocol.
};

template <class T>
using SqsResult = Result<T, SqsError>;

inline SqsError sqs_error(int status, std::string type, std::string query_code, std::string message) {
  SqsError error;
  error.kind = ErrorKind::rejected;
  error.delivery = DeliveryState::rejected;
  error.http_status = status;
  error.type = std::move(type);
  error.service_code = std::move(query_code);
  error.message = std::move(message);
  return error;
}

/// The errors that SQS itself defines: their query codes have a prefix, or a name of their own.
inline SqsError modelled_error(std::string_view name, std::string query_code, std::string message, int status = 400) {
  return sqs_error(status, "com.amazonaws.sqs#" + std::string(name), std::move(query_code), std::move(message));
}
inline SqsError simple_queue_error(std::string_view name, std::string message, int status = 400) {
  return modelled_error(name, "AWS.SimpleQueueService." + std::string(name), std::move(message), status);
}
/// Those of the framework that AWS services are made with.
inline SqsError framework_error(std::string_view name, std::string query_code, std::string message, int status = 400) {
  return sqs_error(status, "com.amazon.coral.service#" + std::string(name), std::move(query_code), std::move(message));
}

inline SqsError queue_does_not_exist() {
  return modelled_error("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
                        "The specified queue does not exist.");
}
inline SqsError queue_name_exists(std::string_view attribute) {
  return modelled_error(
      "QueueNameExists", "QueueAlreadyExists",
      "A queue already exists with the same name and a different value for attribute " + std::string(attribute));
}
inline SqsError invalid_parameter(std::string message) {
  return framework_error("InvalidParameterValueException", "InvalidParameterValue", std::move(message));
}
inline SqsError invalid_parameter(std::string_view value, std::string_view parameter, std::string_view reason) {
  std::string message = "Value ";
  message.append(value).append(" for parameter ").append(parameter).append(" is invalid. Reason: ").append(reason);
  return invalid_parameter(std::move(message));
}
inline SqsError missing_parameter(std::string_view name) {
  return framework_error("MissingRequiredParameterException", "MissingParameter",
                         "The request must contain the parameter " + std::string(name) + ".");
}
inline SqsError malformed_input(std::string message) {
  return framework_error("SerializationException", "MalformedInput", std::move(message));
}
inline SqsError unknown_operation() {
  return framework_error("UnknownOperationException", "InvalidAction", "The operation is not known.");
}
inline SqsError unsupported_operation(std::string message) {
  return simple_queue_error("UnsupportedOperation", std::move(message));
}
inline SqsError invalid_message_contents() {
  return modelled_error("InvalidMessageContents", "InvalidMessageContents",
                        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | "
                        "#xE000 to #xFFFD | #x10000 to #x10FFFF.");
}
inline SqsError unknown_attribute(std::string_view name) {
  return modelled_error("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute " + std::string(name) + ".");
}
inline SqsError invalid_attribute_value(std::string_view name) {
  return modelled_error("InvalidAttributeValue", "InvalidAttributeValue",
                        "Invalid value for the parameter " + std::string(name) + ".");
}
inline SqsError over_limit() {
  return modelled_error("OverLimit", "OverLimit", "Too many messages in flight.", 403);
}
inline SqsError invalid_handle(std::string_view handle) {
  return modelled_error("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid",
                        "The input receipt handle \"" + std::string(handle) + "\" is not a valid receipt handle.", 404);
}
inline SqsError expired_handle(std::string_view handle) {
  return invalid_parameter(handle, "ReceiptHandle", "The receipt handle has expired.");
}

}  // namespace dmq::inline DMQ_ABI::testing
