#include <dmq/codec.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <dmq/encoding/ascii.hpp>

namespace {

struct Order {
  int total = 0;
};

/// Can be read only.
struct Notice {};

}  // namespace

template <>
struct dmq::Codec<Order> {
  static Result<std::string> encode(const Order& order) {
    if (order.total < 0) return invalid_argument("a total is at least 0");
    if (order.total > 999) throw std::length_error("three digits");
    return std::to_string(order.total);
  }
  static Result<Order> decode(std::string_view body) {
    if (body == "?") throw std::out_of_range("a question");
    const auto total = encoding::parse_number<int>(body);
    if (!total) return Error{.kind = ErrorKind::rejected, .message = "not a number"};
    return Order{*total};
  }
};

template <>
struct dmq::Codec<Notice> {
  static Result<Notice> decode(std::string_view) { return Notice{}; }
};

static_assert(dmq::Encodable<Order> && dmq::Decodable<Order>);
static_assert(dmq::Encodable<std::string> && dmq::Decodable<std::string>);
static_assert(dmq::Decodable<Notice> && !dmq::Encodable<Notice>);
static_assert(!dmq::Encodable<int> && !dmq::Decodable<int>);

TEST_CASE("a codec makes bodies of values and values of bodies") {
  CHECK(dmq::encode(Order{42}).value() == "42");
  CHECK(dmq::decode<Order>("42").value().total == 42);
}

TEST_CASE("a string is its own body") {
  using namespace std::string_literals;
  CHECK(dmq::encode("a\0b"s).value() == "a\0b"s);
  CHECK(dmq::decode<std::string>("a\0b"s).value() == "a\0b"s);
}

TEST_CASE("a codec's error is passed on") {
  CHECK(dmq::encode(Order{-1}).error().message == "a total is at least 0");
  const auto bad = dmq::decode<Order>("x");
  CHECK(bad.error().kind == dmq::ErrorKind::rejected);
  CHECK(bad.error().message == "not a number");
}

TEST_CASE("an exception of a codec becomes an error") {
  const auto encoded = dmq::encode(Order{1000});
  CHECK(encoded.error().kind == dmq::ErrorKind::invalid_argument);
  CHECK(encoded.error().message == "the codec threw while it encoded: three digits");
  const auto decoded = dmq::decode<Order>("?");
  CHECK(decoded.error().kind == dmq::ErrorKind::integrity);
  CHECK(decoded.error().message == "the codec threw while it decoded: a question");
}
