#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

#include <dmq/encoding/http_date.hpp>

using dmq::WallTime;
using dmq::encoding::amz_date;
using dmq::encoding::CivilTime;
using dmq::encoding::iso_date;
using dmq::encoding::parse_http_date;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST_CASE("a time is written as signatures and logs want it") {
  const WallTime time{seconds(1'440'938'160) + milliseconds(7)};
  CHECK(amz_date(time) == "20150830T123600Z");
  CHECK(iso_date(time) == "2015-08-30T12:36:00.007Z");
  CHECK(amz_date(WallTime{}) == "19700101T000000Z");
  CHECK(iso_date(WallTime{milliseconds(1'709'251'199'999)}) == "2024-02-29T23:59:59.999Z");
}

TEST_CASE("parts of a millisecond are cut off, before 1970 too") {
  CHECK(iso_date(WallTime{nanoseconds(1'999'999)}) == "1970-01-01T00:00:00.001Z");
  CHECK(iso_date(WallTime{nanoseconds(-1)}) == "1969-12-31T23:59:59.999Z");
  CHECK(amz_date(WallTime{nanoseconds(-1)}) == "19691231T235959Z");
}

TEST_CASE("the date of a header is read") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == WallTime{seconds(784'111'777)});
  CHECK(parse_http_date("Thu, 01 Jan 1970 00:00:00 GMT") == WallTime{});
  CHECK(parse_http_date("Thu, 29 Feb 2024 23:59:59 GMT") == WallTime{seconds(1'709'251'199)});
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == WallTime{seconds(1'483'228'800)});
}

TEST_CASE("what is written is read again, on each day of two centuries") {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  for (WallTime day{}; day < WallTime{std::chrono::hours(24 * 365 * 200)}; day += std::chrono::hours(24 * 7 + 5)) {
    const std::string iso = iso_date(day);
    const CivilTime civil = CivilTime::from(day);
    REQUIRE(civil.to_wall() == day);
    const std::string text = "Mon, " + iso.substr(8, 2) + " " + std::string(months.substr((civil.month - 1) * 3, 3)) +
                             " " + iso.substr(0, 4) + " " + iso.substr(11, 8) + " GMT";
    REQUIRE(parse_http_date(text) == day);
  }
}

TEST_CASE("what is not such a date is nothing") {
  for (const char* text : {"",
                           "Sun",
                           "Sun, 06 Nov 1994 08:49:37",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 00 Nov 1994 08:49:37 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 anF 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, -6 Nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov +994 08:49:37 GMT",
                           "Sun, 06-Nov-1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994T08:49:37 GMT",
                           "Sun, 06 Nov 1994 08.49.37 GMT",
                           "Sun, 29 Feb 2023 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 GMT "})
    CHECK_MESSAGE(!parse_http_date(text), text);
}

TEST_CASE("years that nanoseconds can't hold, or whose distance they can't, are nothing") {
  for (const char* text : {"Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT",
                           "Wed, 01 Jan 2262 00:00:00 GMT", "Wed, 31 Dec 1969 23:59:59 GMT"})
    CHECK_MESSAGE(!parse_http_date(text), text);
  const auto last = parse_http_date("Tue, 31 Dec 2261 23:59:59 GMT");
  REQUIRE(last);
  CHECK(*last - WallTime{} > std::chrono::hours(24 * 365 * 291));
  CHECK(WallTime{} - *last < std::chrono::hours(0));
}
