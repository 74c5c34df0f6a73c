#include <doctest/doctest.h>

#include <string>

#include <dmq/core/random.hpp>
#include <dmq/encoding/base64.hpp>

using dmq::encoding::Base64;
using dmq::encoding::base64_decode;
using dmq::encoding::base64_encode;

TEST_CASE("base64 has the vectors of RFC 4648") {
  const char* const vectors[][2] = {{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64_encode(plain) == text);
    CHECK(base64_decode(text) == plain);
  }
}

TEST_CASE("the URL alphabet has - and _ and no padding") {
  CHECK(base64_encode("\xfb\xff\xfe", Base64::standard) == "+//+");
  CHECK(base64_encode("\xfb\xff\xfe", Base64::url) == "-__-");
  CHECK(base64_encode("f", Base64::url) == "Zg");
  CHECK(base64_decode("Zg", Base64::url) == "f");
  CHECK(base64_decode("-__-", Base64::url) == "\xfb\xff\xfe");
}

TEST_CASE("each alphabet refuses the characters of the other, and all others") {
  CHECK_FALSE(base64_decode("-__-", Base64::standard));
  CHECK_FALSE(base64_decode("+//+", Base64::url));
  CHECK_FALSE(base64_decode("Zg==", Base64::url));
  for (int c = 0; c < 256; ++c) {
    const std::string text{'Z', 'm', static_cast<char>(c), 'v'};
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    CHECK(base64_decode(text).has_value() == (letter || c == '+' || c == '/'));
    CHECK(base64_decode(text, Base64::url).has_value() == (letter || c == '-' || c == '_'));
  }
}

TEST_CASE("a wrong length or padding is refused") {
  for (const char* text :
       {"Z", "Zg", "Zm8", "Zg=", "Zg===", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zg=g", "=Zg=", "Zm9vZ"})
    CHECK_FALSE(base64_decode(text));
  for (const char* text : {"Z", "A", "Zm9vZ", "Zm9vA", "Z=", "=", "Zm8="})
    CHECK_FALSE(base64_decode(text, Base64::url));
}

TEST_CASE("bits left over must be zero, so each value has one spelling") {
  const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  int ones = 0;
  int twos = 0;
  for (const char c : alphabet) {
    if (base64_decode(std::string{'Z', c, '=', '='})) ++ones;
    if (base64_decode(std::string{'Z', 'm', c, '='})) ++twos;
  }
  CHECK(ones == 4);
  CHECK(twos == 16);
  CHECK_FALSE(base64_decode("Zh", Base64::url));
}

TEST_CASE("what was encoded decodes to itself, and what decodes was so encoded") {
  dmq::Random random(64);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random.below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(random.next());
    for (const Base64 variant : {Base64::standard, Base64::url}) {
      const std::string text = base64_encode(bytes, variant);
      CHECK(base64_decode(text, variant) == bytes);
      std::string changed = text;
      if (!changed.empty()) changed[random.below(changed.size())] = "AZaz09+/-_=\n"[random.below(12)];
      if (const auto decoded = base64_decode(changed, variant)) CHECK(base64_encode(*decoded, variant) == changed);
    }
  }
}
