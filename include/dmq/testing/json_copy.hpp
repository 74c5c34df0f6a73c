#pragma once

#include <array>
#include <charconv>
#include <string>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The fewest digits that give the same number again.
inline std::string shortest(double number) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr};
}

/// Writes a value as it was read, but for white space.
inline void copy_json(encoding::JsonWriter& json, json::Value value) {
  using json::Kind;
  const bool is_object = value.is(Kind::object);
  if (is_object || value.is(Kind::array)) {
    is_object ? json.begin_object() : json.begin_array();
    for (const json::Value member : value) copy_json(is_object ? json.key(member.name()) : json, member);
    is_object ? json.end_object() : json.end_array();
  } else if (value.string()) {
    json.value(*value.string());
  } else if (value.boolean()) {
    json.value(*value.boolean());
  } else if (value.is(Kind::integer)) {
    json.value(*value.integer());
  } else if (value.number()) {
    json.raw(shortest(*value.number()));
  } else {
    json.null();
  }
}

}  // namespace dmq::inline DMQ_ABI::testing
