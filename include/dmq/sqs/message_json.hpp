#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/message.hpp>
#include <dmq/sqs/route.hpp>

/// Messages and their attributes in the JSON of SQS.
namespace dmq::inline DMQ_ABI::sqs {

inline void write_attribute(encoding::JsonWriter& json, const Attribute& attribute) {
  json.begin_object().key("DataType").value(attribute.type);
  if (attribute.is_binary()) {
    json.key("BinaryValue").value(encoding::base64_encode(attribute.value));
  } else {
    json.key("StringValue").value(attribute.value);
  }
  json.end_object();
}

/// The fields of SendMessage but QueueUrl and Id.
inline void write_entry(encoding::JsonWriter& json, const Entry& entry) {
  const Message& message = entry.message;
  json.key("MessageBody").value(message.body);
  if (!message.group.empty()) json.key("MessageGroupId").value(message.group);
  if (!entry.deduplication_id.empty()) json.key("MessageDeduplicationId").value(entry.deduplication_id);
  if (message.delay.count() > 0) json.key("DelaySeconds").value(static_cast<std::int64_t>(message.delay.count()));
  if (!message.attributes.empty()) {
    json.key("MessageAttributes").begin_object();
    for (const auto& [name, attribute] : message.attributes) {
      json.key(name);
      write_attribute(json, attribute);
    }
    json.end_object();
  }
  if (!message.trace_header.empty()) {
    json.key("MessageSystemAttributes").begin_object().key("AWSTraceHeader");
    write_attribute(json, Attribute::text(message.trace_header));
    json.end_object();
  }
}

/// A batch entry's Id is its place, "0" to "9".
inline void write_entries(encoding::JsonWriter& json, EntryBatch batch) {
  json.key("Entries").begin_array();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    json.begin_object().key("Id").value(std::to_string(i));
    write_entry(json, *batch[i]);
    json.end_object();
  }
  json.end_array();
}

/// What the parts of an attribute are called.
struct AttributeNames {
  std::string_view type = "DataType";
  std::string_view text = "StringValue";
  std::string_view bytes = "BinaryValue";
};

/// Nothing when one has no type, or no value of that type.
inline std::optional<Attributes> read_attributes(json::Value object, const AttributeNames& names = {}) {
  Attributes attributes;
  for (const json::Value member : object) {
    Attribute attribute{.type = std::string(member[names.type].string().value_or("")), .value = {}};
    if (attribute.type.empty()) return std::nullopt;
    const auto value = member[attribute.is_binary() ? names.bytes : names.text].string();
    if (!value) return std::nullopt;
    if (attribute.is_binary()) {
      auto bytes = encoding::base64_decode(*value);
      if (!bytes) return std::nullopt;
      attribute.value = *std::move(bytes);
    } else {
      attribute.value = *value;
    }
    attributes.emplace(member.name(), std::move(attribute));
  }
  return attributes;
}

}  // namespace dmq::inline DMQ_ABI::sqs
