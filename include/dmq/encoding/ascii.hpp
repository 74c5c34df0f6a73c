#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <dmq/version.hpp>

/// Text by the rules of protocols: ASCII, whatever the locale.
namespace dmq::inline DMQ_ABI::encoding {

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

inline void append_lower(std::string& out, std::string_view text) {
  std::size_t at = out.size();
  out.append(text);
  for (; at < out.size(); ++at) out[at] = to_lower(out[at]);
}

inline std::string lower(std::string_view text) {
  std::string out;
  append_lower(out, text);
  return out;
}

/// Without spaces, tabs, CR and LF at both ends.
constexpr std::string_view trim(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

namespace detail {
/// True when one of eight bytes is below 0x20, or 0x7F. Exact: the lowest such byte gets no borrow from below, so it
/// shows, and without one none borrows.
inline bool has_control(const char* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  constexpr std::uint64_t ones = 0x0101010101010101;
  const std::uint64_t from_delete = word ^ (ones * 0x7F);
  return ((((word - ones * 0x20) & ~word) | ((from_delete - ones) & ~from_delete)) & (ones * 0x80)) != 0;
}
}  // namespace detail

/// Where the first control character stands that is no tab; npos without one.
inline std::size_t find_control(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    if (i + 8 <= text.size() && !detail::has_control(text.data() + i)) {
      i += 8;
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7F) return i;
    ++i;
  }
  return std::string_view::npos;
}

/// The whole of `text` as a decimal number, else nothing.
template <std::integral Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace dmq::inline DMQ_ABI::encoding
