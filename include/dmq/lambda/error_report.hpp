#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/core/error.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/utf8.hpp>

namespace dmq::inline DMQ_ABI::lambda {

/// Whose fault an error is: Lambda shows "Function.protocol", "Runtime.configuration".
enum class Blame { function, runtime };

/// The error's name in the form that the runtime API recommends, category and reason.
inline std::string error_type(const Error& error, Blame blame) {
  std::string type = blame == Blame::function ? "Function." : "Runtime.";
  return type.append(to_string(error.kind));
}

/// The body that tells the runtime API of an error; bytes that are not UTF-8 become question marks.
inline std::string error_report(const Error& error, Blame blame) {
  std::string message;
  const std::string told = error.describe();
  for (std::string_view rest = told; !rest.empty();) {
    const std::size_t size = encoding::detail::decode_utf8(rest).size;
    message.append(size > 0 ? rest.substr(0, size) : "?");
    rest.remove_prefix(std::max<std::size_t>(size, 1));
  }
  std::string json;
  encoding::JsonWriter writer(json);
  writer.begin_object().key("errorMessage").value(message).key("errorType").value(error_type(error, blame));
  writer.key("stackTrace").begin_array().end_array().end_object();
  return json;
}

}  // namespace dmq::inline DMQ_ABI::lambda
