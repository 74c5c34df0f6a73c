#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

/// Letters, digits and "-._~": what RFC 3986 leaves as it is.
constexpr bool is_unreserved(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// Percent-encodes everything but unreserved characters and those in `keep`.
inline void append_percent(std::string& out, std::string_view text, std::string_view keep = {}) {
  constexpr char digits[] = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
  }
}

inline std::string percent_encode(std::string_view text, std::string_view keep = {}) {
  std::string out;
  append_percent(out, text, keep);
  return out;
}

/// In a form ("application/x-www-form-urlencoded") a plus sign is a space; in a path it is a plus sign.
enum class Plus { literal, space };

/// Nothing when a percent sign is not followed by two hexadecimal digits.
inline std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = digit(text[i + 1]);
      const int low = digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high << 4 | low));
      i += 2;
    }
  }
  return out;
}

/// Adds `name=value` to a form, with "&" between fields.
inline void append_form_field(std::string& form, std::string_view name, std::string_view value) {
  if (!form.empty()) form.push_back('&');
  append_percent(form, name);
  form.push_back('=');
  append_percent(form, value);
}

}  // namespace dmq::inline DMQ_ABI::encoding
