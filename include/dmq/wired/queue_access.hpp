#pragma once

#include <string>
#include <utility>

#include <dmq/auth/credentials_chain.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/queue_options.hpp>
#include <dmq/sqs/endpoint.hpp>
#include <dmq/sqs/wire.hpp>

/// What producers, consumers and clients of a queue have in common.
namespace dmq::inline DMQ_ABI::detail {

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

}  // namespace dmq::inline DMQ_ABI::detail
