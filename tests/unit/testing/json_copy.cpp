#include <dmq/testing/json_copy.hpp>

#include <doctest/doctest.h>

#include <string>

#include <support/cloud.hpp>

TEST_CASE("a value is written as it was read, but for white space") {
  for (const char* text : {R"({"a":[1,-2,{"b":null}],"c":"text","d":true,"e":false,"f":{},"g":[]})",
                           R"([9007199254740993,0])", R"(["\"\\\n","é"])", "[0.5,1e-07,-2.25e+300]"}) {
    std::string out;
    dmq::encoding::JsonWriter json(out);
    dmq::testing::copy_json(json, support::Json(text).root());
    CHECK(out == text);
  }
  std::string out;
  dmq::encoding::JsonWriter json(out);
  dmq::testing::copy_json(json, support::Json(" { \"a\" : [ 1 , 0.5 ] } ").root());
  CHECK(support::Json(out)["a"].size() == 2);
  CHECK(out.starts_with(R"({"a":[1,0.5)"));
}
