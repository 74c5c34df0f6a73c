#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// Of a queue: keys of 1 to 128 characters, values of up to 256. SQS keeps up to 50.
using Tags = std::map<std::string, std::string, std::less<>>;

namespace detail {
inline std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

inline Result<void> check_tag_key(std::string_view key) {
  if (!key.empty() && count_characters(key) <= 128) return {};
  return invalid_argument("a tag's key must have 1 to 128 characters, not " + std::to_string(count_characters(key)));
}

inline Result<void> check_tags(const Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (Result<void> ok = check_tag_key(key); !ok) return ok;
    if (count_characters(value) > 256)
      return invalid_argument("a tag's value must have up to 256 characters, not " +
                              std::to_string(count_characters(value)));
  }
  return {};
}

/// Maps from text to text, which tags and attributes are.
inline void write_texts(encoding::JsonWriter& json, const Tags& texts) {
  json.begin_object();
  for (const auto& [key, value] : texts) json.key(key).value(value);
  json.end_object();
}

inline Tags read_texts(json::Value object) {
  Tags texts;
  for (const json::Value member : object) texts.emplace(member.name(), member.string().value_or(""));
  return texts;
}
}  // namespace detail

}  // namespace dmq::inline DMQ_ABI::sqs
