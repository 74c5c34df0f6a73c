#pragma once

#include <string>
#include <string_view>

/// Text on one line and in one field: backslash, tab, line feed and carriage return become \\ \t \n \r.
inline std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '\\': out += "\\\\"; break;
      case '\t': out += "\\t"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      default: out += c;
    }
  return out;
}

/// The reverse; a backslash before anything else stands for itself.
inline std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = text[i] == '\\' && i + 1 < text.size() ? text[i + 1] : '\0';
    switch (next) {
      case '\\': out += '\\'; break;
      case 't': out += '\t'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      default: out += text[i]; continue;
    }
    ++i;
  }
  return out;
}
