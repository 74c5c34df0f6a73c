#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/aws_settings.hpp>
#include <dmq/auth/chain_settings.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_plan.hpp>
#include <dmq/auth/partition.hpp>
#include <dmq/consume_settings.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/curl_options.hpp>
#include <dmq/http/url.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/sqs/endpoint.hpp>

namespace dmq::inline DMQ_ABI {

/// What a consumer needs, and a producer that publishes straight to the queue.
struct QueueOptions {
  std::string queue_url{};  ///< "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo"
  std::string region{};
  std::string endpoint{};           ///< Where requests go, "https://host"; from_env takes the origin of the queue URL.
  sqs::Fips fips = sqs::Fips::off;  ///< With an empty endpoint only: AWS's own by the region.
  sqs::DualStack dual_stack = sqs::DualStack::off;  ///< The same.
  auth::Credentials credentials{};                  ///< A key, or, when it is empty,
  std::optional<auth::ChainSettings> chain{};       ///< where to look for one.
  PublishSettings publish{};
  ConsumeSettings consume{};
  http::CurlOptions http{};

  /// From SQS_QUEUE_URL and what AWS's tools read from the environment and the shared files (see auth::AwsSettings):
  /// the region, else read off the queue URL; the endpoint, else the origin of the queue URL; AWS_ACCESS_KEY_ID,
  /// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, else a chain (see auth::plan_credentials()), which is asked when a
  /// key is needed; AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT, AWS_CA_BUNDLE; AWS_MAX_ATTEMPTS for publishing.
  /// AWS_RETRY_MODE may be standard, which is what this library does; legacy and adaptive are taken for it. No network.
  /// Errors: configuration, which names the variable and what it should look like.
  /// `plain_http` lets http:// URLs lead to other machines than this one.
  static Result<QueueOptions> from_env(const Environment& environment = Environment::process(),
                                       http::PlainHttp plain_http = http::PlainHttp::loopback_only);

  /// The same for make_client(), which needs no queue: SQS_QUEUE_URL may be absent. Then the region has to be set, and
  /// the endpoint is AWS's own unless another is set.
  static Result<QueueOptions> account_from_env(const Environment& environment = Environment::process(),
                                               http::PlainHttp plain_http = http::PlainHttp::loopback_only);
};

/// configuration when a part is missing or malformed; the factories in wired/ ask this first.
Result<void> check(const QueueOptions& options);
/// All but the queue, which make_client() needs not.
Result<void> check_account(const QueueOptions& options);

namespace detail {
/// A key of the environment as it is now, else a chain, which could be asked as far as one can tell without the
/// network.
inline Result<void> read_credentials(QueueOptions& options, const Environment& environment) {
  const auth::EnvironmentCredentials key(environment);
  if (key.present() && !environment.find("AWS_CREDENTIAL_EXPIRATION")) {
    Result<auth::Credentials> credentials = key.read();
    if (!credentials) return std::move(credentials).error();
    options.credentials = *std::move(credentials);
    return {};
  }
  options.chain =
      auth::ChainSettings{.environment = environment, .region = options.region, .plain_http = options.http.plain_http};
  if (Result<auth::CredentialsPlan> plan = auth::plan_credentials(*options.chain, nullptr); !plan)
    return std::move(plan).error();
  return {};
}

inline Result<void> read_endpoint(QueueOptions& options, const auth::AwsSettings& aws, const std::string& origin) {
  Result<bool> fips = aws.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  if (!fips) return std::move(fips).error();
  Result<bool> dual_stack = aws.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  if (!dual_stack) return std::move(dual_stack).error();
  Result<std::optional<std::string>> url = aws.endpoint_url("SQS", "sqs");
  if (!url) return std::move(url).error();
  if (*fips) options.fips = sqs::Fips::on;
  if (*dual_stack) options.dual_stack = sqs::DualStack::on;
  // The host of a queue URL is the usual one, whichever is to be asked.
  options.endpoint = url->value_or(*fips || *dual_stack ? "" : origin);
  return {};
}

inline Result<void> read_retry(QueueOptions& options, const auth::AwsSettings& aws) {
  const std::string mode = aws.find("AWS_RETRY_MODE", "retry_mode").value_or("standard");
  if (mode != "standard" && mode != "legacy" && mode != "adaptive")
    return configuration_error("AWS_RETRY_MODE (in profiles: retry_mode) should be standard, legacy or adaptive");
  Result<int> attempts = aws.number("AWS_MAX_ATTEMPTS", "max_attempts", 1, 1000, options.publish.retry.max_attempts);
  if (!attempts) return std::move(attempts).error();
  options.publish.retry.max_attempts = *attempts;
  return {};
}

/// An SQS queue URL ends in "/ACCOUNT/NAME".
inline Result<void> check_queue_url(std::string_view name, const std::string& text, http::PlainHttp plain) {
  Result<http::Url> url = http::parse_service_url(name, text, plain);
  if (!url) return std::move(url).error();
  const std::size_t slash = url->path.rfind('/');
  if (slash == 0 || slash + 1 == url->path.size() || !url->query.empty())
    return configuration_error(std::string(name) +
                               " should be like https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo");
  return {};
}
}  // namespace detail

inline Result<void> check(const QueueOptions& options) {
  if (Result<void> ok = detail::check_queue_url("SQS_QUEUE_URL", options.queue_url, options.http.plain_http); !ok)
    return ok;
  return check_account(options);
}

inline Result<void> check_account(const QueueOptions& options) {
  const http::PlainHttp plain = options.http.plain_http;
  if (auto endpoint = sqs::resolve_endpoint({.region = options.region,
                                             .custom = options.endpoint,
                                             .custom_name = "AWS_ENDPOINT_URL_SQS (or AWS_ENDPOINT_URL)",
                                             .fips = options.fips,
                                             .dual_stack = options.dual_stack,
                                             .plain_http = plain});
      !endpoint)
    return std::move(endpoint).error();
  if (!auth::is_region_name(options.region)) return configuration_error("AWS_REGION should be a region like us-east-1");
  const bool has_id = !options.credentials.access_key_id.empty();
  const bool has_secret = !options.credentials.secret_access_key.empty();
  if (!has_id && !has_secret && options.chain) return {};
  if (!has_id || !has_secret)
    return configuration_error(
        "AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is empty; without a key there has to be a "
        "chain (QueueOptions::chain)");
  if (Result<void> ok = http::check_header_value("AWS_ACCESS_KEY_ID", options.credentials.access_key_id); !ok)
    return configuration_error(ok.error().message);
  if (Result<void> ok = http::check_header_value("AWS_SESSION_TOKEN", options.credentials.session_token.reveal()); !ok)
    return configuration_error(ok.error().message);
  return {};
}

inline Result<QueueOptions> QueueOptions::from_env(const Environment& environment, http::PlainHttp plain_http) {
  if (Result<std::string> url = environment.require(
          "SQS_QUEUE_URL", "the URL of the queue, like https://sqs.REGION.amazonaws.com/ACCOUNT/NAME.fifo");
      !url)
    return std::move(url).error();
  return account_from_env(environment, plain_http);
}

inline Result<QueueOptions> QueueOptions::account_from_env(const Environment& environment, http::PlainHttp plain_http) {
  QueueOptions options;
  options.http.plain_http = plain_http;
  options.queue_url = environment.find("SQS_QUEUE_URL").value_or("");
  http::Url url;
  if (!options.queue_url.empty()) {
    if (Result<void> ok = detail::check_queue_url("SQS_QUEUE_URL", options.queue_url, plain_http); !ok)
      return std::move(ok).error();
    url = *http::Url::parse(options.queue_url);
  }
  Result<auth::AwsSettings> aws = auth::AwsSettings::read(environment);
  if (!aws) return std::move(aws).error();
  std::optional<std::string> named = aws->region();
  if (!named && url.host.starts_with("sqs.")) named = url.host.substr(4, url.host.find('.', 4) - 4);
  Result<std::string> region = auth::require_region(std::move(named));
  if (!region) return std::move(region).error();
  options.region = *std::move(region);
  if (Result<void> ok = detail::read_credentials(options, environment); !ok) return std::move(ok).error();
  if (Result<void> ok = detail::read_endpoint(options, *aws, options.queue_url.empty() ? "" : url.origin()); !ok)
    return std::move(ok).error();
  if (Result<void> ok = detail::read_retry(options, *aws); !ok) return std::move(ok).error();
  options.http.ca_file = aws->find("AWS_CA_BUNDLE", "ca_bundle").value_or("");
  options.consume.queue_url = options.queue_url;
  if (Result<void> ok = check_account(options); !ok) return std::move(ok).error();
  return options;
}

}  // namespace dmq::inline DMQ_ABI
