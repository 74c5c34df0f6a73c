#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Of a message group, a message or a receive: 1 to 128 ASCII letters, digits and punctuation.
inline SqsResult<void> check_identifier(std::string_view name, std::string_view id) {
  bool valid = !id.empty() && id.size() <= 128;
  for (const char c : id) valid = valid && c > ' ' && c < '\x7F';
  if (valid) return {};
  return invalid_parameter(
      id, name, std::string(name) + " can only include alphanumeric and punctuation characters. 1 to 128 in length.");
}

/// Reads the members of a JSON object and keeps the first thing that is wrong, so that a reader takes one member after
/// the other and asks at the end. A member of the wrong type is a SerializationException; null is absence.
class SqsParameters {
 public:
  explicit SqsParameters(json::Value object) : object_(object) {}

  bool has(std::string_view name) const { return object_[name].exists() && !object_[name].is(json::Kind::null); }

  std::string text(std::string_view name) {
    if (!has(name)) return {};
    const auto value = object_[name].string();
    if (!value) fail(wrong_type(name));
    return std::string(value.value_or(""));
  }

  std::optional<std::int64_t> integer(std::string_view name) {
    if (!has(name)) return std::nullopt;
    const auto value = object_[name].integer();
    if (!value) fail(wrong_type(name));
    return value;
  }

  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high,
                                      std::string_view rule) {
    const auto value = integer(name);
    if (value && (*value < low || *value > high)) fail(invalid_parameter(std::to_string(*value), name, rule));
    return value;
  }

  std::vector<std::string> texts(std::string_view name) {
    std::vector<std::string> all;
    if (has(name) && !object_[name].is(json::Kind::array)) fail(wrong_type(name));
    for (const json::Value item : object_[name]) {
      if (!item.string()) fail(wrong_type(name));
      all.emplace_back(item.string().value_or(""));
    }
    return all;
  }

  /// See check_identifier().
  std::string identifier(std::string_view name) {
    std::string id = text(name);
    if (auto checked = check_identifier(name, id); has(name) && !checked) fail(std::move(checked).error());
    return id;
  }

  /// The value of `result`, or its error kept.
  template <class T>
  T take(SqsResult<T> result) {
    if (result) return *std::move(result);
    fail(std::move(result).error());
    return T{};
  }

  /// `value`, when everything was right.
  template <class T>
  SqsResult<T> finish(T value) const {
    if (error_) return *error_;
    return value;
  }

 private:
  static SqsError wrong_type(std::string_view name) {
    return malformed_input("The value of " + std::string(name) + " has the wrong type.");
  }
  void fail(SqsError error) {
    if (!error_) error_ = std::move(error);
  }

  json::Value object_;
  std::optional<SqsError> error_;
};

}  // namespace dmq::inline DMQ_ABI::testing
