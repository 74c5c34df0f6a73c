#include <dmq/testing/form.hpp>

#include <doctest/doctest.h>

using dmq::testing::Form;
using dmq::testing::parse_form;

TEST_CASE("a form has names and values, decoded") {
  CHECK(parse_form("") == Form{});
  CHECK(parse_form("a=1&b=x+y%26z&%63=") == Form{{"a", "1"}, {"b", "x y&z"}, {"c", ""}});
  CHECK(parse_form("a&&b=c=d&") == Form{{"a", ""}, {"b", "c=d"}});
}

TEST_CASE("a form that is ambiguous or wrongly encoded is none") {
  CHECK_FALSE(parse_form("a=1&a=1"));
  CHECK_FALSE(parse_form("a=%4"));
  CHECK_FALSE(parse_form("%zz=1"));
}
