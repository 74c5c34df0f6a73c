#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/aws_settings.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_json.hpp>
#include <dmq/auth/metadata_request.hpp>
#include <dmq/core/random.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/request_rules.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// How the metadata service of an EC2 instance is asked.
struct InstanceOptions {
  enum class Version1 { allowed, disabled };

  std::string endpoint = "http://169.254.169.254";
  Version1 version_1 = Version1::allowed;  ///< Whether to do without a session token when none is given.
  Tries tries{};

  /// AWS_EC2_METADATA_SERVICE_ENDPOINT before AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE (IPv4, IPv6);
  /// AWS_EC2_METADATA_V1_DISABLED; AWS_METADATA_SERVICE_TIMEOUT in seconds and AWS_METADATA_SERVICE_NUM_ATTEMPTS.
  /// http:// to another host than loopback and the service's own addresses has to be allowed. Errors: configuration.
  static Result<InstanceOptions> from(const AwsSettings& settings, http::PlainHttp plain_http);
};

/// The keys of the role that an EC2 instance has, from its metadata service, version 2 (EC2 user guide, "Use the
/// Instance Metadata Service"). Keys that are near their end or past it, which the service gives while it has trouble
/// to renew them, are used on for 17 to 25 minutes.
class InstanceCredentials {
 public:
  InstanceCredentials(InstanceOptions options, json::Parser parser, Sleep sleep)
      : options_(std::move(options)), parser_(parser), sleep_(std::move(sleep)) {}

  /// Errors: configuration (the instance has no role, or the service refuses), protocol, unavailable, throttled, and
  /// those of the transport.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport& transport, Instant now, const std::stop_token& stop) const {
    const auto ask = [&](http::Method method, std::string_view path, const http::Headers& headers) {
      return ask_metadata(transport,
                          {.method = method, .url = options_.endpoint + std::string(path), .headers = headers},
                          options_.tries, sleep_, stop);
    };
    http::Headers headers;
    headers.add("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    Result<Secret> token = read_token(ask(http::Method::put, "/latest/api/token", headers));
    if (!token) return std::move(token).error();
    headers.clear();
    if (!token->empty()) headers.add("x-aws-ec2-metadata-token", token->reveal());

    std::string path = "/latest/meta-data/iam/security-credentials/";
    Result<std::string> role = read_role(ask(http::Method::get, path, headers));
    if (!role) return std::move(role).error();
    Result<http::Response> keys = ask(http::Method::get, path + encoding::percent_encode(*role, "+=,@"), headers);
    if (!keys) return std::move(keys).error();
    if (keys->status != 200) return refusal(keys->status);
    return parse(*keys, now);
  }

 private:
  static constexpr std::string_view service = "the instance metadata service";
  static constexpr std::string_view source = "the keys of the instance metadata service";

  static Error refusal(int status) {
    Error error = metadata_refusal(service, status);
    if (status == 404) error.message = "the instance has no IAM role";
    // Its session token did not come in time, which is no refusal for good.
    if (status == 401)
      return {.kind = ErrorKind::timeout,
              .message =
                  "the instance metadata service gave no session token in time and takes no request without one; "
                  "in a container its hop limit has to be 2",
              .http_status = status};
    return error;
  }

  /// Empty when the service is to be asked without one.
  Result<Secret> read_token(Result<http::Response> response) const {
    const bool by_version_1 = response ? response->status == 403 || response->status == 404 || response->status == 405
                                       : response.error().kind == ErrorKind::timeout;
    if (by_version_1 && options_.version_1 == InstanceOptions::Version1::allowed) return Secret();
    if (!response) return std::move(response).error();
    if (response->status != 200) return metadata_refusal(service, response->status);
    const std::string_view token = encoding::trim(response->body);
    if (token.empty() || !http::check_header_value("token", token)) return unusable("gives no usable session token");
    return Secret(token);
  }

  static Result<std::string> read_role(Result<http::Response> response) {
    if (!response) return std::move(response).error();
    if (response->status != 200) return refusal(response->status);
    const std::string_view list = encoding::trim(response->body);
    std::string role(encoding::trim(list.substr(0, list.find('\n'))));
    if (role.empty()) return unusable("names no role");
    return role;
  }

  Result<Fetched<Credentials>> parse(const http::Response& response, Instant now) const {
    json::Document document;
    if (Result<void> parsed = parser_(response.body, document, {}); !parsed)
      return unusable("answers with what is " + parsed.error().message);
    const json::Value root = document.root();
    if (root["Code"].string().value_or("Success") != "Success") return unusable("has no keys for the role just now");
    const KeyTexts texts = key_texts(root, "Token");
    if (!texts.expiration) return unusable("gives keys without an expiration date");
    Result<Fetched<Credentials>> keys = to_credentials(texts, answered_at(response, now), source);
    if (keys) keys->lifetime = extended(keys->lifetime, now);
    return keys;
  }

  static Duration extended(Duration lifetime, Instant now) {
    using std::chrono::minutes;
    Random random(static_cast<std::uint64_t>(now.ticks.time_since_epoch().count()));
    const auto extra = Duration(minutes(8)).count();
    const Duration least =
        minutes(17) + Duration(static_cast<Duration::rep>(random.uniform() * static_cast<double>(extra)));
    return std::max(lifetime, least);
  }

  static Error unusable(const std::string& what) {
    return {.kind = ErrorKind::protocol, .message = std::string(service) + " " + what, .http_status = 200};
  }

  InstanceOptions options_;
  json::Parser parser_;
  Sleep sleep_;
};

inline Result<InstanceOptions> InstanceOptions::from(const AwsSettings& settings, http::PlainHttp plain_http) {
  InstanceOptions options;
  const auto mode = settings.find("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
  const bool is_ipv6 = mode && encoding::equal_ignoring_case(*mode, "IPv6");
  if (mode && !is_ipv6 && !encoding::equal_ignoring_case(*mode, "IPv4"))
    return configuration_error("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE should be IPv4 or IPv6");
  if (is_ipv6) options.endpoint = "http://[fd00:ec2::254]";
  if (const auto url = settings.find("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")) {
    options.endpoint = url->substr(0, url->find_last_not_of('/') + 1);
    if (!http::check_url(options.endpoint, plain_http))
      return configuration_error(
          "AWS_EC2_METADATA_SERVICE_ENDPOINT should be a URL, https:// if it is of another host");
  }
  Result<bool> disabled = settings.flag("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled");
  if (!disabled) return std::move(disabled).error();
  if (*disabled) options.version_1 = Version1::disabled;
  Result<int> seconds = settings.number("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", 1, 3600, 1);
  if (!seconds) return std::move(seconds).error();
  options.tries.timeout = std::chrono::seconds(*seconds);
  Result<int> attempts =
      settings.number("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", 1, 100, 1);
  if (!attempts) return std::move(attempts).error();
  options.tries.count = *attempts;
  return options;
}

}  // namespace dmq::inline DMQ_ABI::auth
