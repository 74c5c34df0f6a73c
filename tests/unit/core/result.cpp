#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <dmq/core/result.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Result;

namespace {

struct PublishError : Error {
  int position = 0;
};
struct NoDefault {
  explicit NoDefault(int number) : value(number) {}
  int value;
};

const Error refused{.kind = ErrorKind::rejected, .message = "no"};

}  // namespace

static_assert(!std::is_default_constructible_v<Result<NoDefault>>);
static_assert(std::is_default_constructible_v<Result<int>>);
static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
static_assert(std::is_nothrow_move_constructible_v<Result<std::string>>);
static_assert(!std::is_convertible_v<Result<int>, bool>, "a Result<int> in arithmetic would be its success");
static_assert(std::is_same_v<decltype(std::declval<const Result<int>&>().value()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<Result<int>>().value()), int>, "a range-for over it must own it");

TEST_CASE("a value converts to a result, and so does an error") {
  const Result<std::string> good = std::string("text");
  CHECK(good);
  CHECK(good.value() == "text");
  CHECK(*good == "text");
  CHECK(good->size() == 4);

  const Result<std::string> bad = refused;
  CHECK_FALSE(bad.has_value());
  CHECK(bad.error().message == "no");
}

TEST_CASE("empty braces are the value a type starts with") {
  const auto empty = []() -> Result<std::string> { return {}; };
  CHECK(empty().has_value());
  CHECK(empty().value().empty());
}

TEST_CASE("value() of an error throws it") {
  Result<int> bad = refused;
  for (int form = 0; form < 3; ++form) {
    try {
      if (form == 0) static_cast<void>(bad.value());
      if (form == 1) static_cast<void>(std::as_const(bad).value());
      if (form == 2) static_cast<void>(std::move(bad).value());
      FAIL("nothing was thrown");
    } catch (const dmq::Exception& exception) {
      CHECK(exception.error().kind == ErrorKind::rejected);
      CHECK(exception.error().message == "no");
    }
  }
}

TEST_CASE("a move-only value moves out") {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  CHECK(**result == 7);
  const std::unique_ptr<int> out = std::move(result).value();
  CHECK(*out == 7);
  CHECK(*result == nullptr);

  Result<std::unique_ptr<int>> none = refused;
  CHECK(*std::move(none).value_or(std::make_unique<int>(9)) == 9);
}

TEST_CASE("a value without a default constructor needs none") {
  Result<NoDefault> result = NoDefault(3);
  CHECK(result->value == 3);
  result = refused;
  CHECK_FALSE(result);
  result = NoDefault(4);
  CHECK(result->value == 4);
}

TEST_CASE("a value that is itself an error is a value") {
  PublishError position;
  position.position = 5;
  const Result<PublishError> value = position;
  CHECK(value);
  CHECK(value->position == 5);
  CHECK_FALSE(Result<PublishError>(refused));
}

TEST_CASE("an error type of one's own is kept whole and thrown as its base") {
  PublishError error;
  error.message = "third";
  error.position = 3;
  const Result<int, PublishError> bad = error;
  CHECK(bad.error().position == 3);
  CHECK_THROWS_WITH_AS(static_cast<void>(bad.value()), "protocol (not_sent): third", dmq::Exception);
}

TEST_CASE("value_or falls back on an error only") {
  CHECK(Result<int>(4).value_or(9) == 4);
  CHECK(Result<int>(refused).value_or(9) == 9);
  const Result<std::string> kept = std::string("kept");
  CHECK(kept.value_or("other") == "kept");
}

TEST_CASE("and_then goes on with a value and passes an error on") {
  const auto half = [](int n) -> Result<double> {
    if (n % 2 != 0) return dmq::invalid_argument("odd");
    return n / 2.0;
  };
  CHECK(Result<int>(4).and_then(half).value() == 2.0);
  CHECK(Result<int>(3).and_then(half).error().message == "odd");
  CHECK(Result<int>(refused).and_then(half).error().message == "no");
}

TEST_CASE("transform changes a value, to nothing as well") {
  CHECK(Result<int>(4).transform([](int n) { return std::to_string(n); }).value() == "4");
  CHECK(Result<int>(refused).transform([](int n) { return n; }).error().message == "no");
  int seen = 0;
  const Result<void> done = Result<int>(4).transform([&](int n) { seen = n; });
  CHECK(done);
  CHECK(seen == 4);
}

TEST_CASE("a result without a value succeeds from the start, or holds an error") {
  CHECK(Result<void>());
  CHECK_NOTHROW(Result<void>().value());
  const Result<void> bad = refused;
  CHECK_FALSE(bad);
  CHECK_THROWS_AS(bad.value(), dmq::Exception);
  CHECK(Result<void>().and_then([] { return Result<int>(1); }).value() == 1);
  CHECK(Result<void>(refused).and_then([] { return Result<int>(1); }).error().message == "no");
}
