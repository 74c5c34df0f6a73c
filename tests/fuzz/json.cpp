// The parser: what it accepts can be walked, and every string in it survives writing and parsing again.

#include <cstdint>
#include <string>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/json/simdjson.hpp>

#include "require.hpp"

using dmq::json::Kind;
using dmq::json::Value;

namespace {

void check_text(std::string_view text) {
  require(dmq::encoding::is_utf8(text));
  std::string json;
  dmq::encoding::append_json_string(json, text);
  dmq::json::Document again;
  require(dmq::json::simdjson_parse(json, again).has_value());
  require(again.root().string() == text);
}

void walk(Value value, int depth) {
  require(depth <= 32);
  require(value.exists());
  if (const auto text = value.string()) check_text(*text);
  if (const auto whole = value.integer()) require(value.number() == static_cast<double>(*whole));
  std::size_t count = 0;
  for (const Value inner : value) {
    ++count;
    walk(inner, depth + 1);
    if (!value.is(Kind::object)) continue;
    check_text(inner.name());
    require(value[inner.name()].exists());
  }
  require(count == value.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static dmq::json::Document document;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (dmq::json::simdjson_parse(text, document)) {
    walk(document.root(), 0);
  } else {
    require(!document.root().exists());
  }
  return 0;
}
