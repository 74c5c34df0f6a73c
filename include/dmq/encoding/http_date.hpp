#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/core/clock.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::encoding {

/// The fields of a date in UTC.
struct CivilTime {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;

  static CivilTime from(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto days = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(days);
    const auto of_day = static_cast<unsigned>((seconds - days).count());
    return {int(date.year()), unsigned(date.month()), unsigned(date.day()),
            of_day / 3600,    of_day / 60 % 60,       of_day % 60};
  }

  /// Nothing when there is no such date, or when it is not of the years 1970 to 2261: nanoseconds end in 2262, and
  /// those of any two dates between must be comparable.
  std::optional<WallTime> to_wall() const {
    using namespace std::chrono;
    const year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    if (year < 1970 || year > 2261) return std::nullopt;
    return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  }
};

inline void append_digits(std::string& out, unsigned value, int width) {
  std::array<char, 10> digits{};
  for (int i = width - 1; i >= 0; --i, value /= 10)
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  out.append(digits.data(), static_cast<std::size_t>(width));
}

/// "20150830T123600Z", as Signature Version 4 writes time.
inline std::string amz_date(WallTime time) {
  const CivilTime civil = CivilTime::from(time);
  std::string out;
  out.reserve(16);
  append_digits(out, static_cast<unsigned>(civil.year), 4);
  append_digits(out, civil.month, 2);
  append_digits(out, civil.day, 2);
  out.push_back('T');
  append_digits(out, civil.hour, 2);
  append_digits(out, civil.minute, 2);
  append_digits(out, civil.second, 2);
  out.push_back('Z');
  return out;
}

/// "2026-11-24T03:10:56.123Z".
inline std::string iso_date(WallTime time) {
  const CivilTime civil = CivilTime::from(time);
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time - std::chrono::floor<std::chrono::seconds>(time));
  std::string out;
  const auto part = [&](unsigned value, int width, char after) {
    append_digits(out, value, width);
    out.push_back(after);
  };
  part(static_cast<unsigned>(civil.year), 4, '-');
  part(civil.month, 2, '-');
  part(civil.day, 2, 'T');
  part(civil.hour, 2, ':');
  part(civil.minute, 2, ':');
  part(civil.second, 2, '.');
  part(static_cast<unsigned>(milliseconds.count()), 3, 'Z');
  return out;
}

/// A date as RFC 9110 (5.6.7) tells senders to write it: "Sun, 06 Nov 1994 08:49:37 GMT".
inline std::optional<WallTime> parse_http_date(std::string_view text) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t size) {
    return parse_number<unsigned>(text.substr(at, size)).value_or(100000);
  };
  const std::size_t month = months.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0 || number(12, 4) > 9999) return std::nullopt;
  return CivilTime{static_cast<int>(number(12, 4)),
                   static_cast<unsigned>(month / 3 + 1),
                   number(5, 2),
                   number(17, 2),
                   number(20, 2),
                   number(23, 2)}
      .to_wall();
}

}  // namespace dmq::inline DMQ_ABI::encoding
