#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include <dmq/encoding/http_date.hpp>

namespace dmq::inline DMQ_ABI::encoding {

namespace detail {
/// "Z", "+01:00" or "-0130" as what local time is ahead of UTC.
inline std::optional<Duration> parse_utc_offset(std::string_view text) noexcept {
  if (text == "Z" || text == "z") return Duration::zero();
  if (text.size() == 6 && text[3] != ':') return std::nullopt;
  if ((text.size() != 5 && text.size() != 6) || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const auto hours = parse_number<unsigned>(text.substr(1, 2));
  const auto minutes = parse_number<unsigned>(text.substr(text.size() - 2));
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const Duration offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return text.front() == '+' ? offset : -offset;
}
}  // namespace detail

/// A moment by ISO 8601 with its offset from UTC: "2026-11-24T03:10:56Z", "2026-11-24T04:10:56.123+01:00". Fractions of
/// a second are dropped.
inline std::optional<WallTime> parse_iso_date(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    return parse_number<unsigned>(text.substr(at, size)).value_or(100000);
  };
  if (number(0, 4) > 9999) return std::nullopt;
  const auto local =
      CivilTime{static_cast<int>(number(0, 4)), number(5, 2), number(8, 2), number(11, 2), number(14, 2), number(17, 2)}
          .to_wall();
  std::string_view rest = text.substr(19);
  if (rest.front() == '.') {
    const std::size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto offset = detail::parse_utc_offset(rest);
  if (!local || !offset) return std::nullopt;
  return *local - *offset;
}

}  // namespace dmq::inline DMQ_ABI::encoding
