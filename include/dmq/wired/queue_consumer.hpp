#pragma once

#include <utility>

#include <dmq/consumer.hpp>
#include <dmq/crypto/random_ids.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/wired/queue_access.hpp>

namespace dmq::inline DMQ_ABI {

/// What make_consumer makes, for members and parameters.
template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueConsumer = Consumer<T, auth::SigV4<auth::AnyCredentials>, C, O>;

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

}  // namespace dmq::inline DMQ_ABI
