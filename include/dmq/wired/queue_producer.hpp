#pragma once

#include <utility>

#include <dmq/crypto/random_ids.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/producer.hpp>
#include <dmq/sqs/send_route.hpp>
#include <dmq/wired/complete.hpp>
#include <dmq/wired/queue_access.hpp>

namespace dmq::inline DMQ_ABI {

/// What make_producer makes of QueueOptions, for members and parameters.
template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueProducer = Producer<T, sqs::SendRoute, auth::SigV4<auth::AnyCredentials>, C, O>;

namespace detail {
/// A FIFO queue takes a deduplication id with each message or makes one itself; a standard queue refuses it.
inline Result<void> check_queue_type(const QueueOptions& options) {
  const bool fifo = options.queue_url.ends_with(".fifo");
  if (fifo != (options.publish.deduplication == Deduplication::none)) return {};
  return configuration_error(fifo ? "SQS_QUEUE_URL is of a FIFO queue: Deduplication::none is for standard queues"
                                  : "SQS_QUEUE_URL is of a standard queue (it does not end in .fifo): set "
                                    "publish.deduplication to Deduplication::none");
}
}  // namespace detail

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

}  // namespace dmq::inline DMQ_ABI
