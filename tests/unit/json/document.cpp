#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

#include <dmq/json/document.hpp>

using dmq::json::Document;
using dmq::json::Kind;
using dmq::json::Value;

static_assert(std::forward_iterator<Value::Iterator>);

namespace {

/// {"a": [1, {}, []], "b": {"c": "text", "c": "again"}, "d": null, "e": true}
Document sample() {
  Document document;
  const auto root = document.open(Kind::object);
  document.name("a");
  const auto array = document.open(Kind::array);
  document.add(std::int64_t{1});
  document.close(document.open(Kind::object));
  document.close(document.open(Kind::array));
  document.close(array);
  document.name("b");
  const auto object = document.open(Kind::object);
  document.name("c");
  document.add("text");
  document.name("c");
  document.add("again");
  document.close(object);
  document.name("d");
  document.add_null();
  document.name("e");
  document.add(true);
  document.close(root);
  return document;
}

Document one(auto value) {
  Document document;
  document.add(value);
  return document;
}

}  // namespace

TEST_CASE("a document that nothing was put into has no root") {
  const Document document;
  CHECK_FALSE(document.root().exists());
}

TEST_CASE("a path leads to the value, the first of two members with one name") {
  const Document document = sample();
  CHECK(document.root()["b"]["c"].string() == "text");
  CHECK(document.root()["e"].boolean() == true);
  CHECK(document.root()["d"].exists());
  CHECK(document.root()["d"].is(Kind::null));
}

TEST_CASE("a path to what is not there gives missing values to its end") {
  const Document document = sample();
  for (const Value missing : {Value(), document.root()["x"], document.root()["x"]["y"]["z"], document.root()["d"]["x"],
                              document.root()["a"]["a"], document.root()["b"]["c"]["c"], document.root()[""]}) {
    CHECK_FALSE(missing.exists());
    CHECK_FALSE(missing.is(Kind::null));
    CHECK_FALSE(missing.string());
    CHECK_FALSE(missing.integer());
    CHECK_FALSE(missing.number());
    CHECK_FALSE(missing.boolean());
    CHECK(missing.name().empty());
    CHECK(missing.size() == 0);
    CHECK(missing.begin() == missing.end());
  }
}

TEST_CASE("a value is of its own kind and no other") {
  const Document document = sample();
  CHECK_FALSE(document.root()["b"]["c"].integer());
  CHECK_FALSE(document.root()["b"]["c"].boolean());
  CHECK_FALSE(document.root()["e"].integer());
  CHECK_FALSE(document.root()["e"].string());
  CHECK_FALSE(document.root()["d"].string());
  CHECK_FALSE(document.root()["d"].boolean());
  CHECK_FALSE(document.root()["a"].string());
}

TEST_CASE("iteration visits the elements, not what is inside them") {
  const Document document = sample();
  std::string names;
  for (const Value member : document.root()) names.append(member.name());
  CHECK(names == "abde");
  std::size_t elements = 0;
  for (const Value element : document.root()["a"]) {
    ++elements;
    CHECK(element.name().empty());
  }
  CHECK(elements == 3);
  CHECK(document.root().size() == 4);
  CHECK(document.root()["b"].size() == 2);
}

TEST_CASE("empty objects and arrays, and what is neither, have nothing to iterate") {
  const Document document = sample();
  for (const Value element : document.root()["a"]) {
    CHECK(element.begin() == element.end());
    CHECK(element.size() == 0);
  }
  CHECK(document.root()["e"].begin() == document.root()["e"].end());
  CHECK(Value::Iterator() == Value::Iterator());
}

TEST_CASE("a literal is text, not a boolean") {
  CHECK(one("literal").root().string() == "literal");
}

TEST_CASE("integers are exact to both ends") {
  CHECK(one(std::numeric_limits<std::int64_t>::min()).root().integer() == INT64_MIN);
  CHECK(one(std::numeric_limits<std::int64_t>::max()).root().integer() == INT64_MAX);
  CHECK(one(std::int64_t{-1}).root().number() == -1.0);
}

TEST_CASE("a real is an integer only without a fraction and where reals are exact") {
  CHECK(one(12.0).root().integer() == 12);
  CHECK(one(-0.0).root().integer() == 0);
  CHECK(one(1e15).root().integer() == 1'000'000'000'000'000);
  for (const double real : {0.5, -1.25, 1e16, -1e19, 1e300, HUGE_VAL, -HUGE_VAL, std::nan("")})
    CHECK_FALSE(one(real).root().integer());
  CHECK(one(0.5).root().number() == 0.5);
}

TEST_CASE("clearing forgets values, text and a name that waits for its value") {
  Document document;
  document.open(Kind::object);
  document.name("first");
  document.add("text");
  document.name("a name that nothing followed");
  document.clear();
  CHECK_FALSE(document.root().exists());
  document.add("a text so long that the name's place is inside it");
  CHECK(document.root().name().empty());
}

TEST_CASE("a copy of a document stands alone") {
  Document document = sample();
  const Document copy = document;
  document.clear();
  CHECK(copy.root()["b"]["c"].string() == "text");
}
