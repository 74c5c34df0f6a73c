#include <doctest/doctest.h>

#include <array>

#include <dmq/encoding/hex.hpp>

TEST_CASE("hexadecimal is two lower-case digits a byte") {
  const std::array<std::uint8_t, 6> bytes{0x00, 0x09, 0x0a, 0x7f, 0x80, 0xff};
  CHECK(dmq::encoding::hex(bytes) == "00090a7f80ff");
  CHECK(dmq::encoding::hex({}).empty());
}

TEST_CASE("hexadecimal is appended to what was there") {
  std::string out = "x";
  dmq::encoding::append_hex(out, std::array<std::uint8_t, 1>{0xa5});
  CHECK(out == "xa5");
}
