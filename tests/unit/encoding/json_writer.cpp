#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/encoding/json_writer.hpp>

using dmq::encoding::append_json_string;
using dmq::encoding::JsonWriter;

namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// Byte by byte.
std::string escaped_slowly(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c == '"' || c == '\\')
      out += std::string("\\") + c;
    else if (byte < 0x20)
      out += std::string("\\u00") + (byte < 16 ? '0' : '1') + "0123456789abcdef"[byte % 16];
    else
      out += c;
  }
  return out + '"';
}

}  // namespace

TEST_CASE("every byte is escaped as JSON has it, at every place around the eight-byte scan") {
  for (std::size_t size = 1; size <= 18; ++size)
    for (std::size_t at = 0; at < size; ++at)
      for (int c = 0; c < 256; ++c) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        REQUIRE(escaped(text) == escaped_slowly(text));
      }
  CHECK(escaped("") == "\"\"");
  CHECK(escaped({}) == "\"\"");
}

TEST_CASE("text is read to its end and no further") {
  for (std::size_t size = 0; size <= 18; ++size) {
    const std::vector<char> exact(size, 'x');  // Nothing behind it, for the address sanitizer to see.
    CHECK(escaped({exact.data(), size}).size() == size + 2);
  }
}

TEST_CASE("the eight-byte scan misses nothing whatever its neighbours are") {
  dmq::Random random(88);
  for (int round = 0; round < 200'000; ++round) {
    char bytes[8];
    bool expected = false;
    for (char& c : bytes) {
      // Around the values where a subtraction borrows.
      c = "\x00\x01\x1f\x20\x21\"#[\\]\x7f\x80\xa2\xdc\xff      "[random.below(21)];
      expected = expected || (c >= 0 && c < ' ') || c == '"' || c == '\\';
    }
    REQUIRE(dmq::encoding::detail::may_need_escape(bytes) == expected);
  }
}

TEST_CASE("a string comes back from the parser as it was") {
  dmq::Random random(8259);
  dmq::json::Document document;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t parts = random.below(12); parts > 0; --parts) {
      text.append(random.below(10), 'y');
      text.push_back(static_cast<char>(random.below(128)));
      if (random.chance(0.3)) text.append("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x80\xa8");
    }
    REQUIRE(support::parse(escaped(text), document));
    REQUIRE(document.root().string() == text);
  }
}

TEST_CASE("commas stand between members and elements, and nowhere else") {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .key("a")
      .value("x")
      .key("b")
      .begin_array()
      .value(1)
      .value(true)
      .null()
      .begin_object()
      .end_object();
  json.begin_array().end_array().end_array().key("c").begin_object().key("d").value(false).end_object();
  json.key("e").raw("{\"f\":2}").end_object();
  CHECK(out == R"({"a":"x","b":[1,true,null,{},[]],"c":{"d":false},"e":{"f":2}})");
}

TEST_CASE("names are escaped as values are") {
  std::string out;
  JsonWriter(out).begin_object().key("a\"\n").value("b\\").end_object();
  CHECK(out == R"({"a\"\n":"b\\"})");
}

TEST_CASE("integers are written whole, to both ends") {
  std::string out;
  JsonWriter(out).begin_array().value(INT64_MIN).value(INT64_MAX).value(0).value(-1).end_array();
  CHECK(out == "[-9223372036854775808,9223372036854775807,0,-1]");
}

TEST_CASE("text of any type is text, never a boolean") {
  std::string out;
  const std::string text = "s";
  JsonWriter(out).begin_array().value(text).value("c").value(std::string_view("v")).value(text.c_str()).end_array();
  CHECK(out == R"(["s","c","v","s"])");
}

template <class T>
concept Writable = requires(JsonWriter json, T value) { json.value(value); };
static_assert(!Writable<const void*> && !Writable<const unsigned char*> && Writable<bool>);

TEST_CASE("a writer appends to what was there") {
  std::string out = "x=";
  JsonWriter(out).begin_array().end_array();
  CHECK(out == "x=[]");
}
