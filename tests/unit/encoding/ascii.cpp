#include <doctest/doctest.h>

#include <cstdint>

#include <dmq/encoding/ascii.hpp>

using namespace dmq::encoding;

TEST_CASE("only the letters A to Z have another case") {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    CHECK(to_lower(c) == (i >= 'A' && i <= 'Z' ? static_cast<char>(i + 32) : c));
  }
  CHECK(lower("X-Amz-Date \xc3\x84") == "x-amz-date \xc3\x84");
}

TEST_CASE("names are equal whatever their case, and no others are") {
  CHECK(equal_ignoring_case("Content-Type", "content-TYPE"));
  CHECK(equal_ignoring_case("", ""));
  CHECK_FALSE(equal_ignoring_case("Content-Type", "Content-Typ"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
}

TEST_CASE("trimming takes white space from both ends only") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim("a") == "a");
  CHECK(trim(" \t\r\n").empty());
  CHECK(trim("").empty());
}

TEST_CASE("a number is the whole text or nothing") {
  CHECK(parse_number<int>("-12") == -12);
  CHECK(parse_number<std::uint8_t>("255") == 255);
  for (const char* text : {"", " 1", "1 ", "+1", "1.0", "0x1", "1e3", "--1", "-"}) CHECK_FALSE(parse_number<int>(text));
  CHECK_FALSE(parse_number<int>({}));
}

TEST_CASE("a number that its type cannot hold is nothing") {
  CHECK_FALSE(parse_number<std::uint8_t>("256"));
  CHECK_FALSE(parse_number<std::uint16_t>("-1"));
  CHECK(parse_number<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK_FALSE(parse_number<std::int64_t>("9223372036854775808"));
}

TEST_CASE("a control character is found wherever it stands, tabs are none") {
  for (int c = 0; c < 256; ++c) {
    const bool is_control = (c < 0x20 && c != '\t') || c == 0x7F;
    for (std::size_t size = 1; size <= 20; ++size) {
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, at % 2 == 0 ? '\t' : '\xFF');
        text[at] = static_cast<char>(c);
        REQUIRE(dmq::encoding::find_control(text) == (is_control ? at : std::string::npos));
      }
    }
  }
  CHECK(dmq::encoding::find_control("") == std::string::npos);
  CHECK(dmq::encoding::find_control(std::string("a\nb\0", 4)) == 1);
}
