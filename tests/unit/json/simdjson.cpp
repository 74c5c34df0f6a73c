#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <cstdint>
#include <string>

#include <dmq/json/document.hpp>

using dmq::json::Document;
using dmq::json::Kind;
using support::parse;

namespace {

bool accepts(std::string_view text, dmq::json::Limits limits = {}) {
  Document document;
  const auto parsed = parse(text, document, limits);
  if (!parsed) {
    CHECK(parsed.error().kind == dmq::ErrorKind::protocol);
    CHECK_FALSE(document.root().exists());
  }
  return parsed.has_value();
}

Document parsed(std::string_view text) {
  Document document;
  parse(text, document).value();
  return document;
}

std::string nested(int depth, const std::string& inside = "") {
  std::string text;
  for (int i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : "{\"name\":";
  text += inside.empty() && depth % 2 == 0 ? "0" : inside;
  for (int i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
  return text;
}

}  // namespace

TEST_CASE("a document is parsed whole") {
  const Document document =
      parsed(R"( {"SendMessageResponse":{"ids":["a","b\n\u00e4\u0000",3,-4.5,true,false,null]},"":{}} )");
  const auto ids = document.root()["SendMessageResponse"]["ids"];
  REQUIRE(ids.size() == 7);
  auto at = ids.begin();
  CHECK((*at++).string() == "a");
  CHECK((*at++).string() == std::string("b\n\xc3\xa4\0", 5));
  CHECK((*at++).integer() == 3);
  CHECK((*at++).number() == -4.5);
  CHECK((*at++).boolean() == true);
  CHECK((*at++).boolean() == false);
  CHECK((*at++).is(Kind::null));
  CHECK(at == ids.end());
  CHECK(document.root()[""].is(Kind::object));
  CHECK(document.root()[""].size() == 0);
}

TEST_CASE("of two members with one name the first is found and both are there") {
  const Document document = parsed(R"({"a":1,"a":2})");
  CHECK(document.root()["a"].integer() == 1);
  CHECK(document.root().size() == 2);
}

TEST_CASE("any value may stand alone") {
  for (const char* text : {"0", "\"\"", "null", "true", "[]", "{}", " \t\r\n1 "}) CHECK(accepts(text));
}

TEST_CASE("what is not JSON is refused, and nothing of it is kept") {
  for (const char* text :
       {"",           " ",   "{",   "}",       "[1",        "{\"a\"}",  "{\"a\":}", "{a:1}",  "[1,]",
        "{\"a\":1,}", "'a'", "nul", "tru",     "NaN",       "01",       "+1",       "1.",     ".5",
        "-",          "1e",  "\"",  "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "// c\n1",  "<html>", "\xef\xbb\xbf["})
    CHECK_FALSE(accepts(text));
  CHECK_FALSE(accepts({}));
  CHECK_FALSE(accepts(std::string_view("[1]\0", 4)));
}

TEST_CASE("nothing but white space may follow") {
  CHECK(accepts("{} \n\t\r "));
  for (const char* text : {"{}x", "{} {}", "[],", "1 2", "\"a\"\"b\"", "{}]", "null0"}) CHECK_FALSE(accepts(text));
}

TEST_CASE("text that is not UTF-8 is refused, in strings, in names and around them") {
  for (const char* text :
       {"\"\x80\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc3\"", "{\"\xff\":1}", "[1]\xff"})
    CHECK_FALSE(accepts(text));
}

TEST_CASE("integers are exact within 64 signed bits, and reals beyond") {
  CHECK(parsed("-9223372036854775808").root().integer() == INT64_MIN);
  CHECK(parsed("9223372036854775807").root().integer() == INT64_MAX);
  CHECK(parsed("9007199254740993").root().integer() == 9007199254740993);
  for (const char* text : {"9223372036854775808", "18446744073709551615"}) {
    const Document document = parsed(text);
    CHECK(document.root().is(Kind::real));
    CHECK_FALSE(document.root().integer());
    CHECK(document.root().number().value() > 9.2e18);
  }
}

TEST_CASE("reals are read to the last bit") {
  CHECK(parsed("0.1").root().number() == 0.1);
  CHECK(parsed("1.7976931348623157e308").root().number() == 1.7976931348623157e308);
  CHECK(parsed("5e-324").root().number() == 5e-324);
  CHECK(parsed("1.68e9").root().integer() == 1'680'000'000);
  CHECK_FALSE(parsed("1.5").root().integer());
}

TEST_CASE("arrays and objects go as deep as the limit, whatever is inside the last") {
  for (const int depth : {0, 1, 2, 3, 32, 100}) {
    const dmq::json::Limits limits{.depth = depth};
    CHECK(accepts(nested(depth, depth == 0 ? "1" : ""), limits));
    CHECK(accepts(nested(depth, "1"), limits));
    CHECK_FALSE(accepts(nested(depth + 1), limits));
    CHECK_FALSE(accepts(nested(depth + 1, "1"), limits));
  }
  CHECK(accepts(nested(32)));
  CHECK_FALSE(accepts(nested(33)));
}

TEST_CASE("nesting of any depth is refused without ado") {
  CHECK_FALSE(accepts(std::string(100'000, '[') + std::string(100'000, ']')));
  CHECK_FALSE(accepts(nested(5000), {.depth = 1'000'000}));
}

TEST_CASE("a document larger than the limit is refused before it is read") {
  CHECK(accepts("[1]", {.bytes = 3}));
  CHECK_FALSE(accepts("[1] ", {.bytes = 3}));
  CHECK_FALSE(accepts("[]", {.bytes = 0}));
}

TEST_CASE("large documents are parsed as small ones are") {
  std::string text = "[";
  for (int i = 0; i < 40'000; ++i) text += "\"" + std::to_string(i) + "\",";
  text += "{}]";
  REQUIRE(text.size() > 256U * 1024);
  const Document document = parsed(text);
  CHECK(document.root().size() == 40'001);
  CHECK((*document.root().begin()).string() == "0");
}

TEST_CASE("parsing again leaves nothing of what was there, after a failure too") {
  Document document;
  parse(R"({"a":"a long text that is gone afterwards"})", document).value();
  parse(R"({"b":1})", document).value();
  CHECK_FALSE(document.root()["a"].exists());
  CHECK(document.root()["b"].integer() == 1);

  CHECK_FALSE(parse("{", document));
  CHECK_FALSE(document.root().exists());

  // The member that is too deep has been named, and its value never comes.
  CHECK_FALSE(parse(R"({"a":"text","a name that is gone":[[1]]})", document, {.depth = 1}));
  CHECK_FALSE(document.root().exists());
  parse("1", document).value();
  CHECK(document.root().name().empty());
}

TEST_CASE("an error does not quote the document") {
  Document document;
  CHECK(parse(R"({"secret":"s3cret",})", document).error().message.find("cret") == std::string::npos);
}
