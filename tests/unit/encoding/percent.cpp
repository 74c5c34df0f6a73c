#include <doctest/doctest.h>

#include <string>

#include <dmq/core/random.hpp>
#include <dmq/encoding/percent.hpp>

using namespace dmq::encoding;

TEST_CASE("everything but letters, digits and -._~ is encoded, in upper case") {
  const std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    CHECK((percent_encode({&c, 1}).size() == 1) == (plain.find(c) != std::string_view::npos));
  }
  CHECK(percent_encode(" +%/\xc3\xa4") == "%20%2B%25%2F%C3%A4");
  CHECK(percent_encode("a/b c", "/") == "a/b%20c");
}

TEST_CASE("a percent sign without two hexadecimal digits does not decode") {
  for (const char* text : {"%", "%4", "a%", "a%4", "%g1", "%1g", "%%41", "% 1", "%-1", "%+1", "%0x"})
    CHECK_FALSE(percent_decode(text, Plus::literal));
}

TEST_CASE("digits of both cases decode, each byte as it is") {
  CHECK(percent_decode("%41%e2%E2%00z", Plus::literal) == std::string("A\xe2\xe2\0z", 5));
  CHECK(percent_decode("", Plus::literal) == "");
  CHECK(percent_decode("%2541", Plus::literal) == "%41");
}

TEST_CASE("a plus sign is a space only in a form") {
  CHECK(percent_decode("a+b%2B", Plus::space) == "a b+");
  CHECK(percent_decode("a+b%2B", Plus::literal) == "a+b+");
}

TEST_CASE("what was encoded decodes to itself, as a path and as a form") {
  dmq::Random random(37);
  for (int round = 0; round < 1000; ++round) {
    std::string bytes(random.below(30), '\0');
    for (char& c : bytes) c = random.chance(0.5) ? "%+ aF09&="[random.below(9)] : static_cast<char>(random.next());
    CHECK(percent_decode(percent_encode(bytes), Plus::space) == bytes);
    CHECK(percent_decode(percent_encode(bytes, "+&="), Plus::literal) == bytes);
  }
}

TEST_CASE("no value adds a field to a form") {
  std::string form;
  append_form_field(form, "grant_type", "client_credentials");
  append_form_field(form, "scope", "a/b c&scope=d");
  append_form_field(form, "empty", "");
  CHECK(form == "grant_type=client_credentials&scope=a%2Fb%20c%26scope%3Dd&empty=");
}
