#pragma once

#include <concepts>
#include <stop_token>

#include <dmq/auth/value_cache.hpp>
#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// What a response says of the token or signature that was sent.
enum class Verdict {
  ok,           ///< Nothing against it; the rest is for the route or operation to read.
  stale_value,  ///< The value is not accepted (any more): a fresh one may be.
  skew,         ///< Our clock was wrong; the authority has corrected itself: sign again.
};

/// How requests are authorised. To write one, give a type
/// - `value_type`: what is fetched and cached, a token or credentials;
/// - `fetch(transport, now, stop)`: gets one, blocking; called by one thread at a time;
/// - `authorize(request, value, now)`: adds it to a request; invalid_argument when it can't;
/// - `verdict(response, now)`: judges an answer that is no success (2xx);
/// - `refresh_policy()`: when the value is fetched anew.
/// authorize and verdict are called concurrently.
template <class A, class Transport>
concept Authority =
    http::HttpTransport<Transport> && std::move_constructible<A> &&
    requires(A& authority, Transport& transport, http::Request& request, const typename A::value_type& value,
             const http::Response& response, Instant now, std::stop_token stop) {
      { authority.fetch(transport, now, stop) } -> std::same_as<Result<Fetched<typename A::value_type>>>;
      { authority.authorize(request, value, now) } -> std::same_as<Result<void>>;
      { authority.verdict(response, now) } -> std::same_as<Verdict>;
      { authority.refresh_policy() } -> std::same_as<RefreshPolicy>;
    };

}  // namespace dmq::inline DMQ_ABI::auth
