#pragma once

#include <algorithm>
#include <chrono>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/http/curl_exchange.hpp>
#include <dmq/http/request_rules.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

/// One exchange among many of a multi: what CurlExchange does, with the completion that comes of it and the time it
/// has. Used by one thread at a time.
struct CurlFlight {
  using Clock = std::chrono::steady_clock;

  explicit CurlFlight(const CurlOptions& options);
  CurlFlight(const CurlFlight&) = delete;
  CurlFlight& operator=(const CurlFlight&) = delete;

  /// Before the handle enters the multi; it then carries a pointer to `completion` (CURLINFO_PRIVATE). Errors:
  /// invalid_argument, configuration, timeout (a limit of nothing); not_sent.
  Result<void> prepare();

  CurlExchange exchange;
  Completion completion{};  ///< With the request, from before prepare() on.
  Clock::time_point deadline{};
};

inline CurlFlight::CurlFlight(const CurlOptions& options) : exchange(options) {
  curl_easy_setopt(exchange.handle(), CURLOPT_PRIVATE, static_cast<void*>(&completion));
}

inline Result<void> CurlFlight::prepare() {
  const Request& request = completion.request;
  if (Result<void> checked = check_headers(request.headers); !checked) return checked;
  if (request.timeout <= Duration::zero())
    return Error{.kind = ErrorKind::timeout, .message = "the time limit of the request leaves no time to send it"};
  // Bounded, so that a limit of "for ever" can be added to a time.
  deadline = Clock::now() + std::min<Duration>(request.timeout, std::chrono::hours(24 * 24));
  if (Result<void> prepared = exchange.prepare(request, request.timeout); !prepared) return prepared;
  // Over TLS the handshake tells whether a connection takes more streams, and waiting for it saves connections. In the
  // clear only an answer would tell, and a slow one would hold the others up.
  const bool is_tls = encoding::equal_ignoring_case(std::string_view(request.url).substr(0, 6), "https:");
  curl_easy_setopt(exchange.handle(), CURLOPT_PIPEWAIT, is_tls ? 1L : 0L);
  return {};
}

}  // namespace dmq::inline DMQ_ABI::http::detail
