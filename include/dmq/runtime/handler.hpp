#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>

#include <dmq/codec.hpp>
#include <dmq/engine/claim.hpp>

namespace dmq::inline DMQ_ABI {

namespace detail {
template <class R>
inline constexpr bool is_handlers_answer =
    std::is_void_v<R> || std::same_as<R, Disposition> || std::same_as<R, Result<void>>;

template <class H, class... Arguments>
concept HandlerOf = std::invocable<H&, Arguments...> && is_handlers_answer<std::invoke_result_t<H&, Arguments...>>;
}  // namespace detail

/// What handles a message: a callable that takes a `const Delivery&`, and a `Lease&` if it wants one, and returns
/// nothing (done), a Disposition, or a Result<void> (an error is a failure). An exception is a failure, too. It is
/// called from several threads at once, but for one group one call after the other.
template <class H>
concept Handler = detail::HandlerOf<H, const Delivery&> || detail::HandlerOf<H, const Delivery&, Lease&>;

/// Makes a handler of one that takes a T in place of the body: `f(const T&, const Delivery&)`, `f(const T&, const
/// Delivery&, Lease&)`. A body that is no T is a failure of its message, which is tried again, and in the end goes to
/// the dead-letter queue.
template <Decodable T, class F>
auto decoded(F f) {
  return [f = std::move(f)](const Delivery& delivery, Lease& lease) mutable -> Disposition {
    const Result<T> value = decode<T>(delivery.body);
    if (!value) throw Exception(value.error());
    const auto call = [&] {
      if constexpr (std::invocable<F&, const T&, const Delivery&, Lease&>)
        return f(*value, delivery, lease);
      else
        return f(*value, delivery);
    };
    using Answer = decltype(call());
    static_assert(detail::is_handlers_answer<Answer>, "a handler returns nothing, a Disposition or a Result<void>");
    if constexpr (std::is_void_v<Answer>) {
      call();
      return Disposition::done();
    } else if constexpr (std::same_as<Answer, Result<void>>) {
      if (const Result<void> answer = call(); !answer) throw Exception(answer.error());
      return Disposition::done();
    } else {
      return call();
    }
  };
}

namespace runtime {
/// How messages are handled: `call` gets at most `at_once`, and says of each what came of it.
struct Handling {
  std::function<void(std::span<const engine::Claim>, std::span<engine::Handled>)> call{};
  std::size_t at_once = 1;
};

/// Of what is being thrown.
inline engine::Handled failed_by_exception() {
  try {
    throw;
  } catch (const Exception& exception) {
    return {Disposition::retry(), exception.error()};
  } catch (...) {
    return {Disposition::retry(),
            Error{.kind = ErrorKind::handler, .message = "the handler threw: " + current_exception_text()}};
  }
}

/// Calls a handler; whatever it throws is a failure of the message.
template <Handler H>
engine::Handled handle(H& handler, const engine::Claim& claim) {
  try {
    Lease lease = claim.lease;
    const auto call = [&] {
      if constexpr (detail::HandlerOf<H, const Delivery&, Lease&>)
        return handler(*claim.delivery, lease);
      else
        return handler(*claim.delivery);
    };
    using Answer = decltype(call());
    if constexpr (std::is_void_v<Answer>) {
      call();
      return {};
    } else if constexpr (std::same_as<Answer, Disposition>) {
      return {call()};
    } else {
      const Result<void> answer = call();
      if (answer) return {};
      return {Disposition::retry(), answer.error()};
    }
  } catch (...) {
    return failed_by_exception();
  }
}
}  // namespace runtime

}  // namespace dmq::inline DMQ_ABI
