#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/http/headers.hpp>

namespace dmq::inline DMQ_ABI::http {

enum class Method { get, post, put, delete_ };

constexpr std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::get: return "GET";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::delete_: return "DELETE";
  }
  return "GET";
}

/// Whether the transport may send a request a second time by itself, when a reused connection turns out dead after
/// the request was written. Allowed only where doing it twice does no harm.
enum class Resend { forbidden, allowed };

struct Request {
  Method method = Method::get;
  std::string url{};
  Headers headers{};
  std::string body{};
  Resend resend = Resend::forbidden;
  Duration timeout = std::chrono::seconds(30);           ///< For the whole exchange, name resolution included.
  std::size_t response_limit_bytes = 16U * 1024 * 1024;  ///< A larger body ends the exchange.
};

struct Response {
  int status = 0;
  Headers headers{};
  std::string body{};
  /// The request went out more than once: an earlier sending, which has no answer, may have been carried out.
  bool resent = false;
};

}  // namespace dmq::inline DMQ_ABI::http
