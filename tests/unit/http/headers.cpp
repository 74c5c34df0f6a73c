#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/http/headers.hpp>

using dmq::http::check_header_value;
using dmq::http::Headers;

static_assert(std::forward_iterator<Headers::Iterator>);

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs(const Headers& headers) {
  Pairs out;
  for (const auto [name, value] : headers) out.emplace_back(name, value);
  return out;
}

}  // namespace

TEST_CASE("fields keep their order, their case and their repetitions") {
  Headers headers;
  headers.add("Host", "example.com:80");
  headers.add("x-a", "1");
  headers.add("X-A", "");
  CHECK(pairs(headers) == Pairs{{"Host", "example.com:80"}, {"x-a", "1"}, {"X-A", ""}});
  CHECK(headers.size() == 3);
  CHECK(headers.begin().line() == "Host: example.com:80");
  CHECK(std::distance(headers.begin(), headers.end()) == 3);
}

TEST_CASE("a name is found whatever its case, the first of several") {
  Headers headers;
  headers.add("Retry-After", "1");
  headers.add("retry-after", "2");
  CHECK(headers.find("RETRY-AFTER") == "1");
  CHECK_FALSE(headers.find("Retry"));
  CHECK_FALSE(headers.find(""));
  CHECK(headers.get("Retry-Afterr").empty());
}

TEST_CASE("headers without fields have no first one") {
  const Headers headers;
  CHECK(headers.begin() == headers.end());
  CHECK(headers.empty());
  CHECK(headers.size() == 0);
  CHECK(headers.wire_bytes() == 0);
  CHECK_FALSE(headers.find("a"));
  CHECK(Headers::Iterator() == Headers::Iterator());
}

TEST_CASE("on the wire a field is its name, a colon, a space, its value and two bytes of line end") {
  Headers headers;
  headers.add("A", "bc");
  headers.add("D", "");
  CHECK(headers.wire_bytes() == std::string("A: bc\r\nD: \r\n").size());
}

TEST_CASE("a value may come in two parts") {
  Headers headers;
  headers.add("X", "one", "two");
  headers.add("Y", "a\r\nZ: 1", "b\nZ: 2");
  CHECK(headers.get("X") == "onetwo");
  CHECK(headers.get("Y") == "ab");
  headers.add("V", headers.get("X"), headers.get("Y"));
  CHECK(headers.get("V") == "onetwoab");
  CHECK(headers.size() == 3);
}

TEST_CASE("no value and no name adds a field or cuts the next") {
  Headers headers;
  headers.add("A", "1\r\nEvil: yes");
  headers.add("B", "2\nEvil: yes");
  headers.add("C", std::string_view("3\0Evil: yes", 11));
  headers.add("D\r\nEvil: yes\r\nE", "4");
  headers.add(std::string_view("F\0Evil", 6), "5");
  headers.add("G: 6\r\nEvil", "7");
  headers.add("", "8");
  CHECK(pairs(headers) == Pairs{{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", "4"}, {"F", "5"}, {"G", "7"}, {"", "8"}});
}

TEST_CASE("a field may be set to, or added from, another of the same headers") {
  for (const std::size_t size : {1U, 5U, 200U}) {
    Headers headers;
    const std::string value(size, 'v');
    headers.add("A", value);
    headers.add("B", headers.get("A"));
    headers.set("A", headers.get("B"));
    headers.set("C", headers.get("A"));
    headers.set(headers.begin().operator*().name, "n");
    headers.remove((*headers.begin()).name);
    CHECK(pairs(headers) == Pairs{{"C", value}, {"B", "n"}});
    headers.remove((*headers.begin()).name);
    CHECK(pairs(headers) == Pairs{{"B", "n"}});
    const std::string long_name(1000, 'N');  // Makes the buffer grow before the value is read.
    headers.add(long_name, headers.get("B"));
    CHECK(headers.get(long_name) == "n");
  }
}

TEST_CASE("moved-from headers are empty and can be used again") {
  Headers headers;
  headers.add("A", "1");
  const Headers moved = std::move(headers);
  CHECK(headers.size() == 0);
  CHECK(headers.wire_bytes() == 0);
  headers.add("B", "2");
  CHECK(pairs(headers) == Pairs{{"B", "2"}});
  CHECK(pairs(moved) == Pairs{{"A", "1"}});
}

TEST_CASE("headers do as a list of pairs does") {
  dmq::Random random(9110);
  for (int round = 0; round < 300; ++round) {
    Headers headers;
    Pairs expected;
    for (int step = 0; step < 20; ++step) {
      const std::string name(1, "aAbBcC"[random.below(6)]);
      const std::string value(random.below(30), "xyz: "[random.below(5)]);
      const auto same = [&](const auto& field) { return dmq::encoding::equal_ignoring_case(field.first, name); };
      switch (random.below(4)) {
        case 0:
          headers.remove(name);
          std::erase_if(expected, same);
          break;
        case 1:
          headers.set(name, value);
          std::erase_if(expected, same);
          expected.emplace_back(name, value);
          break;
        default: headers.add(name, value); expected.emplace_back(name, value);
      }
      if (random.chance(0.02)) {
        headers.clear();
        expected.clear();
      }
      REQUIRE(pairs(headers) == expected);
      REQUIRE(headers.size() == expected.size());
      REQUIRE(headers.empty() == expected.empty());
      const auto first = std::find_if(expected.begin(), expected.end(), same);
      REQUIRE(headers.find(name).has_value() == (first != expected.end()));
      if (first != expected.end()) REQUIRE(headers.get(name) == first->second);
    }
  }
}

TEST_CASE("a header value has no control character but the tab") {
  for (int c = 0; c < 256; ++c) {
    const bool good = c == '\t' || (c >= 0x20 && c != 0x7F);
    CHECK(check_header_value("X", std::string{'a', static_cast<char>(c)}).has_value() == good);
  }
  const auto refused = check_header_value("MessageGroupId", "ab\nsecret");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == dmq::ErrorKind::invalid_argument);
  CHECK(refused.error().message.find("MessageGroupId") != std::string::npos);
  CHECK(refused.error().message.find("byte 2") != std::string::npos);
  CHECK(refused.error().message.find("secret") == std::string::npos);
}
