#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI {

/// How a T becomes the body of a message, and a body a T. Specialise it for a type of your own; each half is needed
/// only where it is used, and is callable from any thread:
///
///     template <>
///     struct dmq::Codec<Order> {
///       static dmq::Result<std::string> encode(const Order& order);     // UTF-8, 1 byte to 1 MiB
///       static dmq::Result<Order> decode(std::string_view body);        // an error when it is no Order
///     };
///
/// An error's message may be logged: it says what is wrong and does not quote the body.
template <class T>
struct Codec;

/// The body as it stands.
template <>
struct Codec<std::string> {
  static Result<std::string> encode(std::string text) { return text; }
  static Result<std::string> decode(std::string_view body) { return std::string(body); }
};

template <class T>
concept Encodable = requires(const T& value) {
  { Codec<T>::encode(value) } -> std::same_as<Result<std::string>>;
};

template <class T>
concept Decodable = requires(std::string_view body) {
  { Codec<T>::decode(body) } -> std::same_as<Result<T>>;
};

/// The error is the codec's; invalid_argument when it throws.
template <Encodable T>
Result<std::string> encode(const T& value) {
  try {
    return Codec<T>::encode(value);
  } catch (...) {
    return invalid_argument("the codec threw while it encoded: " + current_exception_text());
  }
}

/// The error is the codec's; integrity when it throws, since what arrived is not what the program expects.
template <Decodable T>
Result<T> decode(std::string_view body) {
  try {
    return Codec<T>::decode(body);
  } catch (...) {
    return Error{.kind = ErrorKind::integrity,
                 .message = "the codec threw while it decoded: " + current_exception_text()};
  }
}

}  // namespace dmq::inline DMQ_ABI
