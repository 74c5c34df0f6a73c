#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <dmq/codec.hpp>
#include <dmq/core/result.hpp>
#include <dmq/delivery.hpp>

namespace dmq::inline DMQ_ABI::lambda {

namespace detail {
template <class R>
concept Outcome = std::is_void_v<R> || std::same_as<R, Result<void>>;

template <class F, class... Arguments>
concept ReturnsOutcome = std::invocable<F&, Arguments...> && Outcome<std::invoke_result_t<F&, Arguments...>>;

/// What a handler returned or threw.
template <class F, class... Arguments>
Result<void> outcome(F& handler, const Arguments&... arguments) {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Arguments&...>>) {
      std::invoke(handler, arguments...);
      return {};
    } else {
      return std::invoke(handler, arguments...);
    }
  } catch (const Exception& exception) {
    return exception.error();
  } catch (...) {
    return Error{.kind = ErrorKind::rejected, .message = "the handler threw: " + current_exception_text()};
  }
}
}  // namespace detail

/// What handles a message: a callable that takes a `const Delivery&` and returns nothing or a Result<void>. An error
/// that it returns and an exception that it throws mean the same: the message failed, and comes again. What the error
/// says may be logged, so it should not quote the body.
template <class H>
concept MessageHandler = detail::ReturnsOutcome<H, const Delivery&>;

/// A MessageHandler of one that takes a T, or a T and the delivery it came in: `typed<Order>([](const Order& order)
/// {...})`. A body that Codec<T> does not decode is a failure of its message.
template <Decodable T, class F>
  requires detail::ReturnsOutcome<F, const T&> || detail::ReturnsOutcome<F, const T&, const Delivery&>
auto typed(F handler) {
  return [handler = std::move(handler)](const Delivery& delivery) mutable -> Result<void> {
    Result<T> value = decode<T>(delivery.body);
    if (!value) return std::move(value).error();
    if constexpr (detail::ReturnsOutcome<F, const T&>) {
      return detail::outcome(handler, *std::as_const(value));
    } else {
      return detail::outcome(handler, *std::as_const(value), delivery);
    }
  };
}

}  // namespace dmq::inline DMQ_ABI::lambda
