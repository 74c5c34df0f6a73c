#include <doctest/doctest.h>

#include <string>

#include <dmq/sqs/attribute_hash.hpp>

using dmq::Attribute;
using dmq::Attributes;
using dmq::sqs::attributes_md5;
using dmq::sqs::body_md5;

// As AWS answered, but for the one with other than ASCII.
TEST_CASE("the sum of attributes is AWS's") {
  CHECK(attributes_md5({{"timestamp", Attribute::number("1493147359900")}}) == "235c5c510d26fb653d073faed50ae77c");
  CHECK(attributes_md5({{"timestamp", {"Number.java.lang.Long", "1493147359900"}}}) ==
        "2e2e4876d8e0bd6b8c2c8f556831c349");
  CHECK(attributes_md5({{"Help.Me", Attribute::text("Me")},
                        {"Hello", Attribute::text("There")},
                        {"General", Attribute::text("Kenobi")}}) == "4c360f3fdafd970e05fae2f149d997f5");
  CHECK(attributes_md5({{"Hello", Attribute::text("There")}}) == "a311262e065454b75da111d535b8dacd");
  CHECK(attributes_md5({{"color", Attribute::text("blue")},
                        {"count", Attribute::number("3")},
                        {"blob", Attribute::binary("\1\2\3")}}) == "d838729972a4b70e2d2acd9d59ac847c");
  CHECK(attributes_md5(
            {{"AWSTraceHeader",
              Attribute::text("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")}}) ==
        "5ae4d5d7636402d80f4eb6d213245a88");
  CHECK(attributes_md5({{"u", Attribute::text("h\xC3\xA9llo \xE4\xB8\x96\xE7\x95\x8C \xF0\x9F\x98\x80")}}) ==
        "e360c478a785f1b0b876f803293716ca");
}

TEST_CASE("names are sorted by their bytes, capitals first") {
  const Attributes attributes{{"b", Attribute::text("1")}, {"B", Attribute::text("2")}, {"_", Attribute::text("3")}};
  CHECK(attributes.begin()->first == "B");
  CHECK(attributes_md5(attributes) != attributes_md5({{"b", Attribute::text("2")}, {"B", Attribute::text("1")}}));
}

TEST_CASE("the sum of a body is the MD5 of its bytes") {
  CHECK(body_md5("hello") == "5d41402abc4b2a76b9719d911017c592");
  CHECK(body_md5("message") == "78e731027d8fd50ed642340b7c9a63b3");
  CHECK(body_md5("{\"foo\": \"bar\"}") == "94232c5b8fc9272f6f73a1e36eb68fcf");
  CHECK(body_md5("") == "d41d8cd98f00b204e9800998ecf8427e");
  CHECK(attributes_md5({}) == "d41d8cd98f00b204e9800998ecf8427e");
}
