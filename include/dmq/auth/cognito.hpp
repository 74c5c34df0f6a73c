#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/bearer.hpp>
#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/retry_after.hpp>
#include <dmq/http/url.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::auth::cognito {

/// Where the client secret travels (RFC 6749, 2.3.1).
enum class SecretIn { basic_header, form };

struct ClientOptions {
  std::string token_url{};  ///< "https://DOMAIN.auth.REGION.amazoncognito.com/oauth2/token"
  std::string client_id{};
  Secret client_secret{};
  std::string scope{};  ///< "server/scope", several with a space between; empty: all the client has.
  SecretIn secret_in = SecretIn::basic_header;
  Duration timeout = std::chrono::seconds(10);
  http::PlainHttp plain_http = http::PlainHttp::loopback_only;
};

/// The grant of one Cognito app client with a secret: client credentials (Cognito developer guide, "Token endpoint").
/// Other OAuth2 servers that follow RFC 6749 section 4.4 answer in the same form. Thread-safe.
class ClientCredentials {
 public:
  ClientCredentials(ClientOptions options, json::Parser parser) : options_(std::move(options)), parser_(parser) {}

  /// configuration when the URL or the client id can't be used.
  Result<http::Request> request() const {
    Result<http::Url> url = http::parse_service_url("the token URL", options_.token_url, options_.plain_http);
    if (!url) return std::move(url).error();
    if (options_.client_id.empty()) return configuration_error("the client id is empty");
    if (options_.client_secret.empty()) return configuration_error("the client secret is empty");
    http::Request request{.method = http::Method::post,
                          .url = options_.token_url,
                          .resend = http::Resend::allowed,
                          .timeout = options_.timeout,
                          .response_limit_bytes = 256U * 1024};
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.headers.add("Accept", "application/json");
    encoding::append_form_field(request.body, "grant_type", "client_credentials");
    if (!options_.scope.empty()) encoding::append_form_field(request.body, "scope", options_.scope);
    if (options_.secret_in == SecretIn::form) {
      encoding::append_form_field(request.body, "client_id", options_.client_id);
      encoding::append_form_field(request.body, "client_secret", options_.client_secret.reveal());
    } else {
      request.headers.add("Authorization", basic());
    }
    return request;
  }

  Result<Fetched<Secret>> parse(const http::Response& response, Instant) const {
    json::Document document;
    const Result<void> parsed = parser_(response.body, document, {});
    if (response.status != 200) return refusal(response, parsed ? document.root() : json::Value());
    if (!parsed) return unusable("is " + parsed.error().message);
    const json::Value root = document.root();
    const auto token = root["access_token"].string();
    const auto type = root["token_type"].string().value_or("Bearer");
    const auto seconds = root["expires_in"].integer();
    if (!token || token->empty() || !http::check_header_value("token", *token))
      return unusable("has no usable access_token");
    if (!encoding::equal_ignoring_case(type, "Bearer")) return unusable("is for a token that is not a bearer token");
    if (!seconds || *seconds <= 0) return unusable("does not say how long the token lives (expires_in)");
    constexpr std::int64_t day = 24 * 60 * 60;  // Cognito's longest.
    return Fetched<Secret>{Secret(*token), std::chrono::seconds(std::min(*seconds, day))};
  }

 private:
  // RFC 6749 wants both percent-encoded first; Cognito's ids and secrets are letters and digits.
  std::string basic() const {
    const std::string id = encoding::percent_encode(options_.client_id);
    const std::string secret = encoding::percent_encode(options_.client_secret.reveal());
    return "Basic " + encoding::base64_encode(id + ":" + secret);
  }

  static Error unusable(const std::string& what) {
    return {.kind = ErrorKind::protocol,
            .delivery = DeliveryState::not_sent,
            .message = "the token endpoint's answer " + what,
            .http_status = 200};
  }

  /// The words of RFC 6749 (5.2), and their like. Anything else may repeat what was sent to it, the secret too.
  static std::string error_code(json::Value root) {
    const std::string_view code = root["error"].string().value_or("");
    const bool word =
        code.size() <= 40 && code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
    return std::string(word ? code : "");
  }

  static Error refusal(const http::Response& response, json::Value root) {
    const std::string code = error_code(root);
    Error error{.kind = ErrorKind::configuration,
                .delivery = DeliveryState::not_sent,
                .http_status = response.status,
                .service_code = code,
                .request_id = std::string(response.headers.get("x-amz-cognito-request-id"))};
    error.retry_after = http::retry_after(response);
    if (response.status == 429 || code == "slow_down") {
      error.kind = ErrorKind::throttled;
      error.message = "the token endpoint asks for fewer requests";
    } else if (response.status >= 500) {
      error.kind = ErrorKind::unavailable;
      error.message = "the token endpoint failed";
    } else if (code == "invalid_client") {
      error.kind = ErrorKind::authentication;
      error.message =
          "the token endpoint does not accept the client id and secret: check COGNITO_CLIENT_ID and "
          "COGNITO_CLIENT_SECRET, and that the app client has a secret";
    } else if (code == "invalid_grant" || code == "unauthorized_client" || code == "unsupported_grant_type") {
      error.message = "the app client may not use client credentials: allow that OAuth flow in its settings";
    } else if (code == "invalid_scope") {
      error.message = "the app client does not have the scope: check COGNITO_CLIENT_SCOPE against its custom scopes";
    } else {
      error.message = "the token endpoint refuses the request: check its URL (COGNITO_TOKEN_URL or COGNITO_URL_PREFIX)";
    }
    return error;
  }

  ClientOptions options_;
  json::Parser parser_;
};

static_assert(TokenGrant<ClientCredentials>);

}  // namespace dmq::inline DMQ_ABI::auth::cognito
