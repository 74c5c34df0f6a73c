#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

/// What a scan of text found, and the offset in bytes where it found it.
struct TextFault {
  enum class Kind { none, ill_formed, forbidden };
  Kind kind = Kind::none;
  std::size_t offset = 0;
  char32_t code_point = 0;  ///< Of a forbidden character.
};

namespace detail {
struct Decoded {
  char32_t code_point = 0;
  std::size_t size = 0;  ///< 0: ill-formed.
};

/// One character by the table of well-formed sequences in the Unicode standard (3.9, table 3-7): no overlong forms,
/// no surrogates, nothing above U+10FFFF.
inline Decoded decode_utf8(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) -> std::uint32_t { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return {};
  const std::uint32_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const std::uint32_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < low || byte(1) > high) return {};
  std::uint32_t code_point = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code_point = code_point << 6 | (byte(i) & 0x3F);
  }
  return {code_point, size};
}

/// The characters SQS takes in a message: #x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF.
constexpr bool is_message_character(char32_t c) noexcept {
  return c >= 0x20 ? c != 0xFFFE && c != 0xFFFF : c == '\t' || c == '\n' || c == '\r';
}

/// True when each of eight bytes is ASCII from the space on. Exact: without a byte below it, none borrows.
inline bool all_printable(const char* bytes) noexcept {
  std::uint64_t word;
  std::memcpy(&word, bytes, 8);
  constexpr std::uint64_t ones = 0x0101010101010101;
  return ((word | (word - ones * 0x20)) & (ones * 0x80)) == 0;
}
}  // namespace detail

/// The first place where `text` is not UTF-8, or holds a character that SQS refuses (SQS API, SendMessage).
inline TextFault find_message_fault(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size() && detail::all_printable(text.data() + i)) {
      i += 8;
      continue;
    }
    const detail::Decoded next = detail::decode_utf8(text.substr(i));
    if (next.size == 0) return {TextFault::Kind::ill_formed, i, 0};
    if (!detail::is_message_character(next.code_point)) return {TextFault::Kind::forbidden, i, next.code_point};
    i += next.size;
  }
  return {};
}

inline bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    const detail::Decoded next = detail::decode_utf8(text.substr(i));
    if (next.size == 0) return false;
    i += next.size;
  }
  return true;
}

}  // namespace dmq::inline DMQ_ABI::encoding
