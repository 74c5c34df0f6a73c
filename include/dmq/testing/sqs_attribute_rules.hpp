#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/json/document.hpp>
#include <dmq/message.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_parameters.hpp>

/// Attributes of messages: reading, checking, writing. The wording of refusals is AWS's where it is known: for an
/// empty value, and for a list.
namespace dmq::inline DMQ_ABI::testing {

inline SqsResult<Attribute> read_attribute(json::Value member) {
  for (const std::string_view list : {"StringListValues", "BinaryListValues"})
    if (member[list].size() > 0)
      return unsupported_operation("Message attribute list values in SendMessage operation are not supported.");
  SqsParameters parameters(member);
  Attribute attribute{.type = parameters.text("DataType")};
  attribute.value = parameters.text(attribute.is_binary() ? "BinaryValue" : "StringValue");
  if (attribute.is_binary()) {
    auto bytes = encoding::base64_decode(attribute.value);
    if (!bytes) return malformed_input("BinaryValue is not Base64.");
    attribute.value = *std::move(bytes);
  }
  return parameters.finish(std::move(attribute));
}

inline SqsResult<Attributes> read_attributes(json::Value object) {
  Attributes attributes;
  for (const json::Value member : object) {
    auto attribute = read_attribute(member);
    if (!attribute) return std::move(attribute).error();
    attributes.insert_or_assign(std::string(member.name()), *std::move(attribute));
  }
  return attributes;
}

/// AWSTraceHeader, the only system attribute that may be sent.
inline SqsResult<std::string> read_trace_header(json::Value object) {
  auto attributes = read_attributes(object);
  if (!attributes) return std::move(attributes).error();
  if (attributes->empty()) return std::string();
  const auto& [name, attribute] = *attributes->begin();
  if (attributes->size() > 1 || name != "AWSTraceHeader")
    return invalid_parameter("Message system attribute name '" + name + "' is invalid.");
  if (attribute.type != "String" || attribute.value.empty())
    return invalid_parameter("Message system attribute 'AWSTraceHeader' must be a non-empty value of type 'String'.");
  return attribute.value;
}

namespace detail {
inline SqsError attribute_error(std::string_view name, std::string_view what) {
  return invalid_parameter("Message (user) attribute '" + std::string(name) + "' " + std::string(what));
}

inline bool is_attribute_name(std::string_view name) {
  const std::string small = encoding::lower(name);
  bool valid = !name.empty() && name.size() <= 256 && !name.starts_with('.') && !name.ends_with('.') &&
               !small.starts_with("aws.") && !small.starts_with("amazon.");
  for (const char c : small)
    valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.');
  return valid;
}

inline bool is_number(std::string_view text) {
  const std::size_t digits = text.find_first_of("0123456789");
  return digits != std::string_view::npos && text.size() <= 64 &&
         text.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}
}  // namespace detail

inline SqsResult<void> check_attribute(std::string_view name, const Attribute& attribute) {
  if (!detail::is_attribute_name(name)) return detail::attribute_error(name, "has an invalid name.");
  const std::string_view type = attribute.type;
  const std::string kind(type.substr(0, type.find('.')));
  if (type.size() > 256 || (kind != "String" && kind != "Number" && kind != "Binary"))
    return invalid_parameter("The message attribute '" + std::string(name) +
                             "' has an invalid message attribute type, the set of supported type prefixes is Binary, "
                             "Number, and String.");
  if (attribute.value.empty())
    return detail::attribute_error(name, "must contain a non-empty value of type '" + kind + "'.");
  if (kind == "Number" && !detail::is_number(attribute.value))
    return detail::attribute_error(name, "has a value that is not a number.");
  if (kind == "String" && encoding::find_message_fault(attribute.value).kind != encoding::TextFault::Kind::none)
    return invalid_message_contents();
  return {};
}

inline SqsResult<void> check_attributes(const Attributes& attributes) {
  if (attributes.size() > 10)
    return invalid_parameter("Number of message attributes [" + std::to_string(attributes.size()) +
                             "] exceeds the allowed maximum [10].");
  for (const auto& [name, attribute] : attributes)
    if (auto checked = check_attribute(name, attribute); !checked) return checked;
  return {};
}

inline void write_attributes(encoding::JsonWriter& json, const Attributes& attributes) {
  json.begin_object();
  for (const auto& [name, attribute] : attributes) {
    json.key(name).begin_object();
    if (attribute.is_binary())
      json.key("BinaryValue").value(encoding::base64_encode(attribute.value));
    else
      json.key("StringValue").value(attribute.value);
    json.key("DataType").value(attribute.type).end_object();
  }
  json.end_object();
}

}  // namespace dmq::inline DMQ_ABI::testing
