#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/core/clock.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/http_date.hpp>

/// Dates as servers read and write them.
namespace dmq::inline DMQ_ABI::testing {

inline std::int64_t unix_seconds(WallTime at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

/// "20260101T000000Z", the form of x-amz-date.
inline std::optional<WallTime> parse_amz_date(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) {
    return encoding::parse_number<unsigned>(text.substr(at, size)).value_or(99'999);
  };
  return encoding::CivilTime{.year = static_cast<int>(part(0, 4)),
                             .month = part(4, 2),
                             .day = part(6, 2),
                             .hour = part(9, 2),
                             .minute = part(11, 2),
                             .second = part(13, 2)}
      .to_wall();
}

/// "Thu, 01 Jan 2026 00:00:00 GMT", the form of the Date header.
inline std::string http_date(WallTime at) {
  constexpr std::array weekdays = {"Sun, ", "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, "};
  constexpr std::array months = {" Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ",
                                 " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec "};
  const encoding::CivilTime civil = encoding::CivilTime::from(at);
  std::string text = weekdays[std::chrono::weekday(std::chrono::floor<std::chrono::days>(at)).c_encoding()];
  const auto append = [&](unsigned value, int width, std::string_view after) {
    encoding::append_digits(text, value, width);
    text.append(after);
  };
  append(civil.day, 2, months[civil.month - 1]);
  append(static_cast<unsigned>(civil.year), 4, " ");
  append(civil.hour, 2, ":");
  append(civil.minute, 2, ":");
  append(civil.second, 2, " GMT");
  return text;
}

}  // namespace dmq::inline DMQ_ABI::testing
