#pragma once

#include <utility>

#include <dmq/auth/cognito.hpp>
#include <dmq/auth/credentials_chain.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/consumer.hpp>
#include <dmq/core/observers.hpp>
#include <dmq/crypto/random_ids.hpp>
#include <dmq/gateway/batch_route.hpp>
#include <dmq/gateway/publish_route.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/log_observer.hpp>
#include <dmq/metrics_observer.hpp>
#include <dmq/options.hpp>
#include <dmq/producer.hpp>
#include <dmq/sqs/client.hpp>
#include <dmq/sqs/endpoint.hpp>
#include <dmq/sqs/send_route.hpp>

/// Everything, wired: libcurl, simdjson, OpenSSL. A program may include this in the one file that makes its producers
/// and consumers, and producer.hpp and consumer.hpp alone in the others, which then compile faster.
namespace dmq::inline DMQ_ABI {

/// What make_producer, make_consumer and make_client return, for members and parameters.
template <Route R = gateway::PublishRoute, http::HttpTransport T = http::CurlTransport, Observer O = NoObserver,
          Clock C = SystemClock>
using GatewayProducer = Producer<T, R, auth::Bearer<auth::cognito::ClientCredentials>, C, O>;

template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueProducer = Producer<T, sqs::SendRoute, auth::SigV4<auth::AnyCredentials>, C, O>;

template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueConsumer = Consumer<T, auth::SigV4<auth::AnyCredentials>, C, O>;

template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueClient = sqs::Client<T, auth::SigV4<auth::AnyCredentials>, C, O>;

namespace detail {
inline Result<PublishSettings> complete(PublishSettings settings) {
  if (!settings.new_id) settings.new_id = crypto::RandomIds();
  if (Result<void> ok = check(settings); !ok) return std::move(ok).error();
  return settings;
}

/// A FIFO queue takes a deduplication id with each message or makes one itself; a standard queue refuses it.
inline Result<void> check_queue_type(const QueueOptions& options) {
  const bool fifo = options.queue_url.ends_with(".fifo");
  if (fifo != (options.publish.deduplication == Deduplication::none)) return {};
  return configuration_error(fifo ? "SQS_QUEUE_URL is of a FIFO queue: Deduplication::none is for standard queues"
                                  : "SQS_QUEUE_URL is of a standard queue (it does not end in .fifo): set "
                                    "publish.deduplication to Deduplication::none");
}

inline auth::AnyCredentials credentials(const QueueOptions& options) {
  if (!options.credentials.access_key_id.empty())
    return auth::AnyCredentials(auth::StaticCredentials(options.credentials));
  auth::ChainSettings chain = options.chain.value_or(auth::ChainSettings());
  if (chain.region.empty()) chain.region = options.region;
  return auth::AnyCredentials(auth::CredentialsChain(std::move(chain), json::simdjson_parse));
}

inline auth::SigV4<auth::AnyCredentials> signer(const QueueOptions& options) {
  return {credentials(options), {.region = options.region, .service = "sqs"}};
}

inline Result<sqs::Wire> wire(const QueueOptions& options) {
  return sqs::resolve_endpoint({.region = options.region,
                                .custom = options.endpoint,
                                .fips = options.fips,
                                .dual_stack = options.dual_stack,
                                .plain_http = options.http.plain_http})
      .transform([](std::string&& endpoint) { return sqs::Wire(std::move(endpoint), json::simdjson_parse); });
}
}  // namespace detail

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

/// A producer that publishes straight to the queue over `transport`. No I/O. Errors: configuration, invalid_argument.
template <http::HttpTransport T, Observer O = NoObserver, Clock C = SystemClock>
Result<QueueProducer<T, O, C>> make_producer(const QueueOptions& options, T transport, O observer = {}, C clock = {}) {
  if (Result<void> ok = check(options); !ok) return std::move(ok).error();
  if (Result<void> ok = detail::check_queue_type(options); !ok) return std::move(ok).error();
  Result<sqs::Wire> wire = detail::wire(options);
  if (!wire) return std::move(wire).error();
  Result<PublishSettings> settings = detail::complete(options.publish);
  if (!settings) return std::move(settings).error();
  return QueueProducer<T, O, C>(std::move(transport), sqs::SendRoute(*std::move(wire), options.queue_url),
                                detail::signer(options), *std::move(settings), std::move(clock), std::move(observer),
                                crypto::random_seed());
}

/// The same over libcurl.
template <Observer O = NoObserver>
Result<QueueProducer<http::CurlTransport, O>> make_producer(const QueueOptions& options, O observer = {}) {
  return make_producer(options, http::CurlTransport(options.http), std::move(observer));
}

/// A consumer over `transport`. No I/O. Errors: configuration, invalid_argument.
template <http::HttpTransport T, Observer O = NoObserver, Clock C = SystemClock>
Result<QueueConsumer<T, O, C>> make_consumer(const QueueOptions& options, T transport, O observer = {}, C clock = {}) {
  if (Result<void> ok = check(options); !ok) return std::move(ok).error();
  Result<sqs::Wire> wire = detail::wire(options);
  if (!wire) return std::move(wire).error();
  ConsumeSettings settings = options.consume;
  settings.queue_url = options.queue_url;
  if (!settings.new_id) settings.new_id = crypto::RandomIds();
  if (Result<void> ok = check(settings); !ok) return std::move(ok).error();
  return QueueConsumer<T, O, C>(std::move(transport), *std::move(wire), detail::signer(options), std::move(settings),
                                std::move(clock), std::move(observer), crypto::random_seed());
}

/// The same over libcurl.
template <Observer O = NoObserver>
Result<QueueConsumer<http::CurlTransport, O>> make_consumer(const QueueOptions& options, O observer = {}) {
  return make_consumer(options, http::CurlTransport(options.http), std::move(observer));
}

/// The operations of SQS over `transport`, for queues of the account; `options.queue_url` may be empty, see
/// QueueOptions::account_from_env(). No I/O. Errors: configuration.
template <http::HttpTransport T, Observer O = NoObserver, Clock C = SystemClock>
Result<QueueClient<T, O, C>> make_client(const QueueOptions& options, T transport, O observer = {}, C clock = {}) {
  if (Result<void> ok = check_account(options); !ok) return std::move(ok).error();
  Result<sqs::Wire> wire = detail::wire(options);
  if (!wire) return std::move(wire).error();
  return QueueClient<T, O, C>(std::move(transport), *std::move(wire), detail::signer(options), std::move(clock),
                              std::move(observer), crypto::random_seed());
}

/// The same over libcurl.
template <Observer O = NoObserver>
Result<QueueClient<http::CurlTransport, O>> make_client(const QueueOptions& options, O observer = {}) {
  return make_client(options, http::CurlTransport(options.http), std::move(observer));
}

}  // namespace dmq::inline DMQ_ABI
