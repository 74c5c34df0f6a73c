#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

/// RFC 4648 section 4 ("+/", padded) and section 5 ("-_", not padded), as JSON Web Tokens use it.
enum class Base64 { standard, url };

namespace detail {
constexpr std::string_view base64_alphabet(Base64 variant) {
  return variant == Base64::standard ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
                                     : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
}

constexpr std::array<std::int8_t, 256> base64_digits(Base64 variant) {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  const std::string_view alphabet = base64_alphabet(variant);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return digits;
}
}  // namespace detail

inline std::string base64_encode(std::string_view bytes, Base64 variant = Base64::standard) {
  const std::string_view alphabet = detail::base64_alphabet(variant);
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at])); };
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out.push_back(alphabet[(group >> shift) & 63]);
  }
  if (const std::size_t rest = bytes.size() - i; rest > 0) {
    const std::uint32_t group = byte(i) << 16 | (rest == 2 ? byte(i + 1) << 8 : 0);
    out.push_back(alphabet[group >> 18]);
    out.push_back(alphabet[(group >> 12) & 63]);
    if (rest == 2) out.push_back(alphabet[(group >> 6) & 63]);
    if (variant == Base64::standard) out.append(3 - rest, '=');
  }
  return out;
}

/// Nothing when `text` has a character outside the alphabet, a wrong length or padding, or bits left over that are
/// not zero: each value has one spelling.
inline std::optional<std::string> base64_decode(std::string_view text, Base64 variant = Base64::standard) {
  static constexpr std::array standard = detail::base64_digits(Base64::standard);
  static constexpr std::array url = detail::base64_digits(Base64::url);
  if (variant == Base64::standard) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const auto& digits = variant == Base64::standard ? standard : url;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::int8_t digit = digits[static_cast<unsigned char>(c)];
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 255));
    }
  }
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace dmq::inline DMQ_ABI::encoding
