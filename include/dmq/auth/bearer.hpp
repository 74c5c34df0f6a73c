#pragma once

#include <concepts>
#include <cstddef>
#include <stop_token>
#include <utility>

#include <dmq/auth/authority.hpp>
#include <dmq/core/secret.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// How a machine gets a token from an OAuth2 server (RFC 6749). To write one, give a type
/// - `request()`: the request to the token endpoint;
/// - `parse(response, now)`: the access token out of the answer; authentication when the client is not accepted (then
///   it is not asked again), configuration or authorization for what only a person can mend, throttled, unavailable or
///   protocol otherwise.
/// Both are pure.
template <class G>
concept TokenGrant =
    std::move_constructible<G> && requires(const G& grant, const http::Response& response, Instant now) {
      { grant.request() } -> std::same_as<Result<http::Request>>;
      { grant.parse(response, now) } -> std::same_as<Result<Fetched<Secret>>>;
    };

/// API Gateway takes `Bearer TOKEN` and the token alone.
enum class TokenScheme { bearer, raw };

/// Authorises with an access token in the Authorization header (RFC 6750).
template <TokenGrant Grant>
class Bearer {
 public:
  using value_type = Secret;

  /// The gateway refuses a request with more header bytes than this (API Gateway quotas).
  static constexpr std::size_t header_limit_bytes = 10240;
  static constexpr std::size_t transport_fields_bytes = 128;

  explicit Bearer(Grant grant, TokenScheme scheme = TokenScheme::bearer) : grant_(std::move(grant)), scheme_(scheme) {}

  RefreshPolicy refresh_policy() const {
    return {.if_refused =
                "the gateway refuses even a token that was just fetched: check that the method asks for a scope which "
                "this client has, that it expects access tokens and not id tokens, and that it trusts this user pool"};
  }

  template <http::HttpTransport Transport>
  Result<Fetched<Secret>> fetch(Transport& transport, Instant now, std::stop_token stop) {
    Result<http::Request> request = grant_.request();
    if (!request) return std::move(request).error();
    Result<http::Response> response = transport.send(*request, std::move(stop));
    if (!response) return std::move(response).error();
    return grant_.parse(*response, now);
  }

  Result<void> authorize(http::Request& request, const Secret& token, Instant) const {
    std::string value(scheme_ == TokenScheme::bearer ? "Bearer " : "");
    value.append(token.reveal());
    request.headers.set("Authorization", value);
    Secret::wipe(value.data(), value.size());
    // The transport adds Host, which is a part of the URL, and short fields of its own.
    const std::size_t bytes = request.headers.wire_bytes() + request.url.size() + transport_fields_bytes;
    if (bytes <= header_limit_bytes) return {};
    return invalid_argument("the headers have " + std::to_string(bytes) +
                            " bytes with the token; the gateway takes 10240");
  }

  Verdict verdict(const http::Response& response, Instant) const noexcept {
    return response.status == 401 ? Verdict::stale_value : Verdict::ok;
  }

 private:
  Grant grant_;
  TokenScheme scheme_;
};

}  // namespace dmq::inline DMQ_ABI::auth
