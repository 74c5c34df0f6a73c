#pragma once

#include <optional>
#include <string>
#include <utility>

#include <dmq/auth/bearer.hpp>
#include <dmq/auth/cognito.hpp>
#include <dmq/auth/partition.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/curl_options.hpp>
#include <dmq/http/url.hpp>
#include <dmq/publish_settings.hpp>

namespace dmq::inline DMQ_ABI {

/// What a producer needs that publishes through the gateway.
struct GatewayOptions {
  std::string api_url{};  ///< The route: "https://ID.execute-api.REGION.amazonaws.com/STAGE/publish-queue".
  auth::TokenScheme token_scheme = auth::TokenScheme::bearer;
  auth::cognito::ClientOptions client{};
  PublishSettings publish{};
  http::CurlOptions http{};

  /// From API_URL, COGNITO_CLIENT_ID, COGNITO_CLIENT_SECRET, COGNITO_CLIENT_SCOPE (may be absent), and for the token
  /// endpoint COGNITO_TOKEN_URL, or COGNITO_URL_PREFIX with AWS_REGION. Errors: configuration, which names the
  /// variable and what it should look like.
  /// `plain_http` lets http:// URLs lead to other machines than this one.
  static Result<GatewayOptions> from_env(const Environment& environment = Environment::process(),
                                         http::PlainHttp plain_http = http::PlainHttp::loopback_only);
};

/// configuration when a part is missing or malformed; the factories in wired/ ask this first.
Result<void> check(const GatewayOptions& options);

namespace detail {
inline Result<std::string> token_url_from(const Environment& environment) {
  if (auto url = environment.find("COGNITO_TOKEN_URL")) return *std::move(url);
  const auto prefix = environment.find("COGNITO_URL_PREFIX");
  if (!prefix)
    return configuration_error(
        "environment variable COGNITO_TOKEN_URL is not set, nor COGNITO_URL_PREFIX; the first should be like "
        "https://PREFIX.auth.REGION.amazoncognito.com/oauth2/token, the second the PREFIX of the user pool's domain");
  if (!auth::is_region_name(*prefix))
    return configuration_error(
        "environment variable COGNITO_URL_PREFIX should be the first label of the user pool's "
        "domain: lower-case letters, digits and hyphens");
  std::optional<std::string> named = environment.find("AWS_REGION");
  if (!named) named = environment.find("AWS_DEFAULT_REGION");
  Result<std::string> region = auth::require_region(std::move(named));
  if (!region) return region;
  return "https://" + *prefix + ".auth." + *region + ".amazoncognito.com/oauth2/token";
}
}  // namespace detail

inline Result<void> check(const GatewayOptions& options) {
  const http::PlainHttp plain = options.http.plain_http;
  if (auto url = http::parse_service_url("API_URL", options.api_url, plain); !url) return std::move(url).error();
  if (auto url = http::parse_service_url("COGNITO_TOKEN_URL", options.client.token_url, plain); !url)
    return std::move(url).error();
  if (options.client.client_id.empty()) return configuration_error("COGNITO_CLIENT_ID is empty");
  if (options.client.client_secret.empty()) return configuration_error("COGNITO_CLIENT_SECRET is empty");
  if (Result<void> ok = http::check_header_value("COGNITO_CLIENT_ID", options.client.client_id); !ok)
    return configuration_error(ok.error().message);
  return {};
}

inline Result<GatewayOptions> GatewayOptions::from_env(const Environment& environment, http::PlainHttp plain_http) {
  GatewayOptions options;
  options.http.plain_http = plain_http;
  Result<std::string> url = environment.require(
      "API_URL", "the URL of the publish route, like https://ID.execute-api.REGION.amazonaws.com/STAGE/publish-queue");
  if (!url) return std::move(url).error();
  Result<std::string> id = environment.require("COGNITO_CLIENT_ID", "the id of the producer's app client");
  if (!id) return std::move(id).error();
  Result<std::string> secret = environment.require("COGNITO_CLIENT_SECRET", "the secret of the producer's app client");
  if (!secret) return std::move(secret).error();
  Result<std::string> token_url = detail::token_url_from(environment);
  if (!token_url) return std::move(token_url).error();
  options.api_url = *std::move(url);
  options.client.token_url = *std::move(token_url);
  options.client.client_id = *std::move(id);
  options.client.client_secret = Secret(*secret);
  options.client.scope = environment.find("COGNITO_CLIENT_SCOPE").value_or("");
  options.http.ca_file = environment.find("AWS_CA_BUNDLE").value_or("");
  if (Result<void> ok = check(options); !ok) return std::move(ok).error();
  return options;
}

}  // namespace dmq::inline DMQ_ABI
