#pragma once

#include <string>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::testing {

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
    json.raw(std::to_string(*value.number()));
  } else {
    json.null();
  }
}

}  // namespace dmq::inline DMQ_ABI::testing
