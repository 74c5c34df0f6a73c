#pragma once

#include <utility>

#include <dmq/auth/cognito.hpp>
#include <dmq/crypto/random_ids.hpp>
#include <dmq/gateway/batch_route.hpp>
#include <dmq/gateway/publish_route.hpp>
#include <dmq/gateway_options.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/producer.hpp>
#include <dmq/wired/complete.hpp>

namespace dmq::inline DMQ_ABI {

/// What make_producer makes of GatewayOptions, for members and parameters.
template <Route R = gateway::PublishRoute, http::HttpTransport T = http::CurlTransport, Observer O = NoObserver,
          Clock C = SystemClock>
using GatewayProducer = Producer<T, R, auth::Bearer<auth::cognito::ClientCredentials>, C, O>;

/// A producer that publishes through the gateway over `transport`: gateway::PublishRoute carries one message a
/// request, gateway::BatchRoute up to ten, and attributes. No I/O. Errors: configuration, invalid_argument.
template <Route R = gateway::PublishRoute, http::HttpTransport T, Observer O = NoObserver, Clock C = SystemClock>
Result<GatewayProducer<R, T, O, C>> make_producer(const GatewayOptions& options, T transport, O observer = {},
                                                  C clock = {}) {
  if (Result<void> ok = check(options); !ok) return std::move(ok).error();
  Result<PublishSettings> settings = detail::complete(options.publish);
  if (!settings) return std::move(settings).error();
  auth::cognito::ClientOptions client = options.client;
  client.plain_http = options.http.plain_http;
  return GatewayProducer<R, T, O, C>(
      std::move(transport), R(options.api_url, json::simdjson_parse),
      auth::Bearer(auth::cognito::ClientCredentials(std::move(client), json::simdjson_parse), options.token_scheme),
      *std::move(settings), std::move(clock), std::move(observer), crypto::random_seed());
}

/// The same over libcurl.
template <Route R = gateway::PublishRoute, Observer O = NoObserver>
Result<GatewayProducer<R, http::CurlTransport, O>> make_producer(const GatewayOptions& options, O observer = {}) {
  return make_producer<R>(options, http::CurlTransport(options.http), std::move(observer));
}

}  // namespace dmq::inline DMQ_ABI
