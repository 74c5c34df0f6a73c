#pragma once

#include <algorithm>

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/aws_settings.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_json.hpp>
#include <dmq/auth/partition.hpp>
#include <dmq/auth/xml_fields.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/retry_after.hpp>
#include <dmq/http/url.hpp>

/// The Security Token Service (AWS STS API reference): its requests, which are forms, and its answers, which are XML.
namespace dmq::inline DMQ_ABI::auth::sts {

/// A role that is taken on for a while.
struct Role {
  std::string arn{};
  std::string session_name{};      ///< Empty: one is made of the time.
  std::string external_id{};       ///< May be empty.
  std::string duration_seconds{};  ///< May be empty: the service's default, an hour.
};

/// The URL that STS requests go to: AWS_ENDPOINT_URL_STS and its like, else that of the region. Errors: configuration.
inline Result<std::string> resolve_endpoint(const AwsSettings& settings, const std::string& region,
                                            http::PlainHttp plain_http) {
  Result<std::optional<std::string>> custom = settings.endpoint_url("STS", "sts");
  if (!custom) return std::move(custom).error();
  if (*custom) {
    Result<http::Url> url = http::parse_service_url("AWS_ENDPOINT_URL_STS (or AWS_ENDPOINT_URL)", **custom, plain_http);
    if (!url) return std::move(url).error();
    if (url->path != "/" || !url->query.empty())
      return configuration_error("AWS_ENDPOINT_URL_STS (or AWS_ENDPOINT_URL) should have no path, like " +
                                 url->origin());
    return url->origin() + "/";
  }
  if (!is_region_name(region))
    return configuration_error("a role is assumed in a region: set AWS_REGION, for example us-east-1");
  Result<bool> fips = settings.flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  if (!fips) return std::move(fips).error();
  Result<bool> dual_stack = settings.flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  if (!dual_stack) return std::move(dual_stack).error();
  const Partition partition = partition_of(region);
  const bool government = partition.prefix == "us-gov-";
  return std::string("https://") + (*fips && (*dual_stack || !government) ? "sts-fips." : "sts.") + region + "." +
         std::string(*dual_stack ? partition.dual_stack_suffix : partition.suffix) + "/";
}

/// An action on a role, not signed yet.
inline http::Request request(std::string_view action, const std::string& endpoint, const Role& role, WallTime now) {
  http::Request request{.method = http::Method::post,
                        .url = endpoint,
                        .resend = http::Resend::allowed,
                        .timeout = std::chrono::seconds(10),
                        .response_limit_bytes = std::size_t{256} << 10U};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) encoding::append_form_field(request.body, name, value);
  };
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  add("Action", action);
  add("Version", "2011-06-15");
  add("RoleArn", role.arn);
  add("RoleSessionName", role.session_name.empty() ? "dmq-" + std::to_string(seconds) : role.session_name);
  add("ExternalId", role.external_id);
  add("DurationSeconds", role.duration_seconds);
  return request;
}

namespace detail {
inline bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) noexcept {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// Codes are words. Anything else may repeat what was sent, the token too.
inline std::string code_of(const XmlFields& fields) {
  const auto it = fields.find("Error/Code");
  if (it == fields.end() || it->second.size() > 64) return "";
  for (const char c : it->second)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.')) return "";
  return it->second;
}
}  // namespace detail

/// The error that an answer other than 200 means. Identities that are not accepted are of kind configuration: they may
/// be mended while the program runs.
inline Error refusal(const http::Response& response, const Role& role) {
  const XmlFields fields = read_xml_fields(response.body).value_or(XmlFields());
  const std::string code = detail::code_of(fields);
  Error error{.kind = ErrorKind::configuration, .http_status = response.status, .service_code = code};
  error.request_id = std::string(response.headers.get("x-amzn-RequestId"));
  error.retry_after = http::retry_after(response);
  if (response.status == 429 || detail::is_one_of(code, {"Throttling", "ThrottlingException", "RequestLimitExceeded",
                                                         "TooManyRequestsException", "SlowDown"})) {
    error.kind = ErrorKind::throttled;
    error.message = "STS asks for fewer requests";
  } else if (response.status >= 500 || detail::is_one_of(code, {"IDPCommunicationError", "RequestTimeout"})) {
    error.kind = ErrorKind::unavailable;
    error.message = "STS failed";
  } else if (code == "AccessDenied") {
    error.kind = ErrorKind::authorization;
    error.message = "the role " + role.arn + " may not be assumed: check its trust policy, and its external id";
  } else if (detail::is_one_of(code,
                               {"ExpiredTokenException", "ExpiredToken", "InvalidIdentityToken", "IDPRejectedClaim"})) {
    error.message = "STS does not accept the token with which the role " + role.arn +
                    " was to be assumed: check that it is renewed, and who may issue it";
  } else if (detail::is_one_of(code, {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException",
                                      "IncompleteSignature"})) {
    error.message = "STS does not accept the key with which the role " + role.arn +
                    " was to be assumed: check the source of that key, and the clock of this machine";
  } else {
    error.message = "STS refuses to have the role " + role.arn + " assumed: check its ARN and the settings with it";
  }
  return error;
}

/// Keys out of the answer to `action`. Errors: those of refusal(), protocol.
inline Result<Fetched<Credentials>> parse(std::string_view action, const http::Response& response, const Role& role,
                                          Instant now) {
  if (response.status != 200) return refusal(response, role);
  constexpr std::string_view source = "the keys of STS";
  Result<XmlFields> fields = read_xml_fields(response.body);
  if (!fields)
    return Error{
        .kind = ErrorKind::protocol, .message = "the answer of STS is " + fields.error().message, .http_status = 200};
  const std::string prefix = std::string(action) + "Result/Credentials/";
  const auto field = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto it = fields->find(prefix + std::string(name));
    return it == fields->end() ? std::nullopt : std::optional<std::string_view>(it->second);
  };
  const KeyTexts texts{field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"), field("Expiration")};
  if (!texts.token || !texts.expiration)
    return Error{.kind = ErrorKind::protocol,
                 .message = "the answer of STS has no session token or no expiration date",
                 .http_status = 200};
  return to_credentials(texts, answered_at(response, now), source).and_then([&](Fetched<Credentials>&& keys) {
    return refuse_expired(std::move(keys), source);
  });
}

}  // namespace dmq::inline DMQ_ABI::auth::sts
