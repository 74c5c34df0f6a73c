#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

namespace detail {
/// True when one of eight bytes has to be escaped in a JSON string: below 0x20, a quote or a backslash. Exact: in each
/// subtraction the lowest byte that is looked for gets no borrow from below, so it shows, and without one none borrows.
inline bool may_need_escape(const char* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  constexpr std::uint64_t ones = 0x0101010101010101;
  const auto has_zero = [](std::uint64_t w) { return (w - ones) & ~w & (ones * 0x80); };
  return (((word - ones * 0x20) & ~word & (ones * 0x80)) | has_zero(word ^ (ones * '"')) |
          has_zero(word ^ (ones * '\\'))) != 0;
}
}  // namespace detail

/// Appends `text` as a JSON string with its quotes. Well-formed UTF-8 goes out as it is.
inline void append_json_string(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t clean = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size() && !detail::may_need_escape(text.data() + i)) {
      i += 8;
      continue;
    }
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') {
      ++i;
      continue;
    }
    out.append(text, clean, i - clean);
    out.push_back('\\');
    switch (c) {
      case '"':
      case '\\': out.push_back(c); break;
      case '\n': out.push_back('n'); break;
      case '\r': out.push_back('r'); break;
      case '\t': out.push_back('t'); break;
      default:
        out.append("u00");
        out.push_back(digits[c >> 4]);
        out.push_back(digits[c & 15]);
    }
    clean = ++i;
  }
  out.append(text, clean);
  out.push_back('"');
}

/// Writes JSON into a string it does not own. Commas are its own business; the caller opens and closes in order.
///
///     JsonWriter json(out);
///     json.begin_object().key("QueueUrl").value(url).key("MaxNumberOfMessages").value(10).end_object();
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) noexcept : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    first_ = true;
    return *this;
  }

  JsonWriter& value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  /// Only of a bool: any pointer would convert to one.
  JsonWriter& value(std::same_as<bool> auto truth) { return raw(truth ? "true" : "false"); }
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(std::int64_t number) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return raw({digits, static_cast<std::size_t>(end - digits)});
  }
  JsonWriter& null() { return raw("null"); }

  /// A value that is JSON already.
  JsonWriter& raw(std::string_view json) {
    separate();
    out_.append(json);
    return *this;
  }

 private:
  JsonWriter& open(char bracket) {
    separate();
    out_.push_back(bracket);
    first_ = true;
    return *this;
  }

  JsonWriter& close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
  }

  void separate() {
    if (!first_) out_.push_back(',');
    first_ = false;
  }

  std::string& out_;
  bool first_ = true;
};

}  // namespace dmq::inline DMQ_ABI::encoding
