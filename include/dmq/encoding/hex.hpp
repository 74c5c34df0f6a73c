#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

// All in lower case.

namespace detail {
constexpr void write_hex(char* out, std::span<const std::uint8_t> bytes) noexcept {
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
}
}  // namespace detail

template <std::size_t size>
constexpr std::array<char, 2 * size> hex_digits(const std::array<std::uint8_t, size>& bytes) noexcept {
  std::array<char, 2 * size> out{};
  detail::write_hex(out.data(), bytes);
  return out;
}

inline void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  const std::size_t before = out.size();
  out.resize(before + 2 * bytes.size());
  detail::write_hex(out.data() + before, bytes);
}

inline std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

}  // namespace dmq::inline DMQ_ABI::encoding
