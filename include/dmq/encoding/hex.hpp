#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::encoding {

/// Lower-case hexadecimal.
inline void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
}

inline std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  append_hex(out, bytes);
  return out;
}

}  // namespace dmq::inline DMQ_ABI::encoding
