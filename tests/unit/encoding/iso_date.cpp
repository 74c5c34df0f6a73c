#include <doctest/doctest.h>

#include <chrono>

#include <dmq/encoding/iso_date.hpp>

using dmq::WallTime;
using dmq::encoding::parse_iso_date;

namespace {
constexpr WallTime moment{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z
}

TEST_CASE("dates of ISO 8601 are read in each of their forms") {
  for (const char* text :
       {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00.999Z", "2026-01-01T01:30:00+01:30", "2025-12-31T19:00:00-0500"})
    CHECK_MESSAGE(parse_iso_date(text) == moment, text);
  CHECK(parse_iso_date(dmq::encoding::iso_date(moment)) == moment);
  CHECK(parse_iso_date("2024-02-29T23:59:59Z") == WallTime(std::chrono::seconds(1'709'251'199)));
}

TEST_CASE("what is no date of ISO 8601 is none") {
  for (const char* text :
       {"", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.5", "2026-01-01T00:00:00+1",
        "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00+01x30", "2026-01-01T00:00:00Zx", "202x-01-01T00:00:00Z",
        "2026-01-01T00:00:00+0a:00", "1767225600", "-026-01-01T00:00:00Z"})
    CHECK_MESSAGE(!parse_iso_date(text), text);
}
