#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/uuid.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The members of a JSON object in a state, and the first thing that is wrong with any of them.
class StateFields {
 public:
  StateFields(json::Value object, std::string& fault) : object_(object), fault_(fault) {
    if (!object_.is(json::Kind::object)) blame("", "is no object");
  }

  json::Value operator[](std::string_view name) const { return object_[name]; }
  /// Text, or bytes that are none, as write_text() wrote them. Empty when it is missing.
  std::string text(std::string_view name) const {
    const json::Value value = object_[name];
    if (!value.exists()) return {};
    if (const auto plain = value.string()) return std::string(*plain);
    const auto bytes = encoding::base64_decode(value["base64"].string().value_or("?"));
    if (!bytes) blame(name, "is no text");
    return bytes.value_or(std::string());
  }
  /// An integer from `least` to `most`; 0 when it is missing.
  std::int64_t number(std::string_view name, std::int64_t least, std::int64_t most) const {
    const json::Value value = object_[name];
    if (!value.exists()) return 0;
    const auto number = value.integer();
    if (!number || *number < least || *number > most) blame(name, "is out of range");
    return number.value_or(0);
  }
  /// Of SQS's own form; all zeros when it is something else.
  Uuid uuid(std::string_view name) const {
    const std::string text = this->text(name);
    const Uuid uuid = Uuid::parse(text);
    if (uuid.text() != text) blame(name, "is no UUID");
    return uuid;
  }

  void blame(std::string_view name, std::string_view what) const {
    if (!fault_.empty()) return;
    fault_.append("\"").append(name).append("\" ").append(what);
  }

 private:
  json::Value object_;
  std::string& fault_;
};

/// Text as a string; bytes that are no UTF-8 as an object with their Base64.
inline void write_text(encoding::JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  if (encoding::is_utf8(text))
    json.value(text);
  else
    json.begin_object().key("base64").value(encoding::base64_encode(text)).end_object();
}

}  // namespace dmq::inline DMQ_ABI::testing
