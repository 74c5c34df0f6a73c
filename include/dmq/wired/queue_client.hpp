#pragma once

#include <utility>

#include <dmq/crypto/random_ids.hpp>
#include <dmq/http/curl_transport.hpp>
#include <dmq/sqs/client.hpp>
#include <dmq/wired/queue_access.hpp>

namespace dmq::inline DMQ_ABI {

/// What make_client makes, for members and parameters.
template <http::HttpTransport T = http::CurlTransport, Observer O = NoObserver, Clock C = SystemClock>
using QueueClient = sqs::Client<T, auth::SigV4<auth::AnyCredentials>, C, O>;

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
