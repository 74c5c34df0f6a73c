#include <dmq/lambda/handler.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

using dmq::Delivery;
using dmq::ErrorKind;
using dmq::Result;
using dmq::lambda::MessageHandler;
using dmq::lambda::typed;

namespace {
struct Parcel {
  std::string content;
};
struct Unread {};
}  // namespace

template <>
struct dmq::Codec<Parcel> {
  static Result<Parcel> decode(std::string_view body) {
    if (body == "bad") return Error{.kind = ErrorKind::rejected, .message = "no parcel"};
    return Parcel{std::string(body)};
  }
};

namespace {

using NoResult = decltype([](const Delivery&) {});
using WithResult = decltype([](const Delivery&) -> Result<void> { return {}; });
using ByValue = decltype([](Delivery) {});  // NOLINT(performance-unnecessary-value-param)
using ReturnsBool = decltype([](const Delivery&) { return true; });
using ReturnsValue = decltype([](const Delivery&) -> Result<int> { return 1; });
using Changes = decltype([](Delivery&) {});
using TakesNothing = decltype([] {});
static_assert(MessageHandler<NoResult> && MessageHandler<WithResult> && MessageHandler<ByValue>);
static_assert(MessageHandler<void (*)(const Delivery&)>);
static_assert(!MessageHandler<ReturnsBool> && !MessageHandler<ReturnsValue>);
static_assert(!MessageHandler<Changes> && !MessageHandler<TakesNothing>);

template <class T, class F>
concept HasTyped = requires(F f) { typed<T>(f); };
using TakesParcel = decltype([](const Parcel&) {});
static_assert(HasTyped<Parcel, TakesParcel>);
static_assert(!HasTyped<Unread, decltype([](const Unread&) {})>);
static_assert(!HasTyped<Parcel, decltype([](const Parcel&) { return 1; })>);
static_assert(MessageHandler<decltype(typed<Parcel>(TakesParcel()))>);

}  // namespace

TEST_CASE("a typed handler gets what the codec made of the body") {
  std::string seen;
  auto handler = typed<Parcel>([&](const Parcel& parcel) { seen = parcel.content; });
  CHECK(handler(Delivery{.body = "a book"}).has_value());
  CHECK(seen == "a book");
}

TEST_CASE("a typed handler may take the delivery too, and fail") {
  auto handler = typed<Parcel>([](const Parcel& parcel, const Delivery& delivery) -> Result<void> {
    return dmq::invalid_argument(parcel.content + " in " + delivery.group);
  });
  CHECK(handler(Delivery{.group = "g", .body = "a book"}).error().message == "a book in g");
}

TEST_CASE("a typed handler does not see what the codec refuses") {
  bool called = false;
  auto handler = typed<Parcel>([&](const Parcel&) { called = true; });
  CHECK(handler(Delivery{.body = "bad"}).error().message == "no parcel");
  CHECK_FALSE(called);
}

TEST_CASE("a string is a type like any other, and a handler may be movable only") {
  std::string seen;
  auto handler = typed<std::string>(
      [own = std::make_unique<int>(7), &seen](const std::string& body) { seen = body + std::to_string(*own); });
  CHECK(handler(Delivery{.body = "x"}).has_value());
  CHECK(seen == "x7");
}

TEST_CASE("what a handler throws is an error") {
  auto throws = [](const Delivery&) { throw std::runtime_error("out of stock"); };
  const Result<void> thrown = dmq::lambda::detail::outcome(throws, Delivery{});
  CHECK(thrown.error().kind == ErrorKind::rejected);
  CHECK(thrown.error().message == "the handler threw: out of stock");
  auto throws_odd = [](const Delivery&) { throw 7; };
  CHECK(dmq::lambda::detail::outcome(throws_odd, Delivery{}).error().message ==
        "the handler threw: something that is no std::exception");
  auto throws_ours = [](const Delivery&) -> Result<void> {
    Result<void>(dmq::configuration_error("no table")).value();
    return {};
  };
  CHECK(dmq::lambda::detail::outcome(throws_ours, Delivery{}).error().message == "no table");
}
