#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <dmq/core/random.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// 128 bits that SQS writes as "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// Version 4.
  static Uuid random(Random& random) {
    return {(random.next() & 0xffff'ffff'ffff'0fff) | 0x4000, (random.next() >> 4) | 0x8000'0000'0000'0000};
  }

  /// Of a text that text() made.
  static Uuid parse(std::string_view text) {
    Uuid uuid;
    for (const char c : text) {
      if (c == '-') continue;
      uuid.high = (uuid.high << 4) | (uuid.low >> 60);
      uuid.low = (uuid.low << 4) | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return uuid;
  }

  std::string text() const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    int digit = 0;
    for (char& c : text) {
      if (c == '-') continue;
      const std::uint64_t half = digit < 16 ? high : low;
      c = digits[(half >> (60 - 4 * (digit % 16))) & 15];
      ++digit;
    }
    return text;
  }

  friend bool operator==(const Uuid&, const Uuid&) = default;
};

/// A random UUID as text.
inline std::string make_uuid(Random& random) {
  return Uuid::random(random).text();
}

}  // namespace dmq::inline DMQ_ABI::testing
