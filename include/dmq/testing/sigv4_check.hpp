#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/secret.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/encoding/http_date.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/timestamps.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a caller signs with.
struct AccessKey {
  std::string id{};
  std::string secret{};
  std::string session_token{};        ///< Empty for a permanent key.
  std::optional<WallTime> expires{};  ///< Of a session.
};

using AccessKeys = std::map<std::string, AccessKey, std::less<>>;

namespace sigv4 {

struct Scope {
  std::string region = "us-east-1";
  std::string service = "sqs";
};

/// The parts of an Authorization header.
struct Authorization {
  std::string_view key_id{};
  std::vector<std::string_view> scope{};  ///< Date, region, service, "aws4_request".
  std::string_view signed_headers{};
  std::string_view signature{};
};

inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

inline SqsError incomplete_signature(std::string message) {
  return framework_error("IncompleteSignatureException", "IncompleteSignature", std::move(message));
}
inline SqsError wrong_signature(std::string message) {
  return framework_error("InvalidSignatureException", "SignatureDoesNotMatch", std::move(message), 403);
}
inline SqsError unknown_token() {
  return framework_error("UnrecognizedClientException", "InvalidClientTokenId",
                         "The security token included in the request is invalid.", 403);
}
inline SqsError expired_token() {
  return framework_error("ExpiredTokenException", "ExpiredToken",
                         "The security token included in the request is expired", 403);
}

inline SqsResult<Authorization> parse_authorization(std::string_view header) {
  constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
  if (!header.starts_with(algorithm)) return incomplete_signature("Authorization must begin with AWS4-HMAC-SHA256.");
  Authorization parsed;
  for (std::string_view part : split(header.substr(algorithm.size()), ',')) {
    part = encoding::trim(part);
    const std::string_view name = part.substr(0, part.find('='));
    const std::string_view value = part.substr(std::min(part.size(), name.size() + 1));
    if (name == "Credential") parsed.scope = split(value, '/');
    if (name == "SignedHeaders") parsed.signed_headers = value;
    if (name == "Signature") parsed.signature = value;
  }
  if (parsed.scope.empty()) return incomplete_signature("Authorization header requires 'Credential' parameter.");
  if (parsed.signature.empty()) return incomplete_signature("Authorization header requires 'Signature' parameter.");
  if (parsed.signed_headers.empty())
    return incomplete_signature("Authorization header requires 'SignedHeaders' parameter.");
  if (parsed.scope.size() != 5) return incomplete_signature("Credential must have exactly 5 slash-delimited elements.");
  parsed.key_id = parsed.scope.front();
  parsed.scope.erase(parsed.scope.begin());
  return parsed;
}

/// Dot segments and double slashes taken out, and percent-encoded once more.
inline std::string canonical_path(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment == ".." && !kept.empty()) kept.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") kept.push_back(segment);
  }
  std::string canonical;
  for (const std::string_view segment : kept) canonical.append("/").append(encoding::percent_encode(segment));
  if (canonical.empty() || path.ends_with('/')) canonical.push_back('/');
  return canonical;
}

inline std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (const std::string_view field : split(query, '&')) {
    if (field.empty()) continue;
    const std::string_view name = field.substr(0, field.find('='));
    const std::string_view value = field.substr(std::min(field.size(), name.size() + 1));
    const auto encode = [](std::string_view text) {
      return encoding::percent_encode(
          encoding::percent_decode(text, encoding::Plus::literal).value_or(std::string(text)));
    };
    fields.emplace_back(encode(name), encode(value));
  }
  std::sort(fields.begin(), fields.end());
  std::string canonical;
  for (const auto& [name, value] : fields) {
    if (!canonical.empty()) canonical.push_back('&');
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

/// Trimmed, runs of spaces as one; several fields of the name joined by commas.
inline std::string canonical_value(const http::Request& request, const http::Url& url, std::string_view name) {
  std::string joined;
  bool any = false;
  for (const http::Headers::Field field : request.headers) {
    if (!encoding::equal_ignoring_case(field.name, name)) continue;
    if (any) joined.push_back(',');
    any = true;
    for (const char c : encoding::trim(field.value))
      if (c != ' ' || !joined.ends_with(' ')) joined.push_back(c);
  }
  return !any && name == "host" ? url.authority() : joined;
}

inline std::string canonical_request(const http::Request& request, const http::Url& url,
                                     std::string_view signed_headers) {
  std::string text(http::to_string(request.method));
  text.append("\n").append(canonical_path(url.path)).append("\n").append(canonical_query(url.query)).append("\n");
  for (const std::string_view name : split(signed_headers, ';'))
    text.append(name).append(":").append(canonical_value(request, url, name)).append("\n");
  text.append("\n").append(signed_headers).append("\n");
  return text.append(encoding::hex(crypto::sha256(request.body)));
}

inline std::string signature(const AccessKey& key, const std::vector<std::string_view>& scope,
                             std::string_view date_time, std::string_view canonical) {
  std::string to_sign = "AWS4-HMAC-SHA256\n";
  to_sign.append(date_time).append("\n");
  crypto::Sha256 signing{};
  std::string seed = "AWS4" + key.secret;
  std::string joined;
  for (const std::string_view part : scope) {
    signing = crypto::hmac_sha256(seed, part);
    seed = crypto::as_text(signing);
    joined.append(joined.empty() ? "" : "/").append(part);
  }
  to_sign.append(joined).append("\n").append(encoding::hex(crypto::sha256(canonical)));
  return encoding::hex(crypto::hmac_sha256(seed, to_sign));
}

/// AWS lets a clock be wrong by five minutes.
inline SqsResult<void> check_time(std::string_view date_time, Instant now) {
  constexpr auto tolerance = std::chrono::minutes(5);
  const auto signed_at = parse_amz_date(date_time);
  if (!signed_at) return incomplete_signature("Date must be in ISO-8601 'basic format'.");
  const std::string present = encoding::amz_date(now.wall);
  if (*signed_at < now.wall - tolerance)
    return wrong_signature("Signature expired: " + std::string(date_time) + " is now earlier than " +
                           encoding::amz_date(now.wall - tolerance) + " (" + present + " - 5 min.)");
  if (*signed_at > now.wall + tolerance)
    return wrong_signature("Signature not yet current: " + std::string(date_time) + " is still later than " +
                           encoding::amz_date(now.wall + tolerance) + " (" + present + " + 5 min.)");
  return {};
}

inline SqsResult<void> check_scope(const Authorization& authorization, std::string_view date_time,
                                   const Scope& expected) {
  const auto& scope = authorization.scope;
  if (scope[0] != date_time.substr(0, 8))
    return wrong_signature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.");
  if (scope[1] != expected.region) return wrong_signature("Credential should be scoped to a valid region.");
  if (scope[2] != expected.service)
    return wrong_signature("Credential should be scoped to correct service: '" + expected.service + "'.");
  if (scope[3] != "aws4_request")
    return wrong_signature("Credential should be scoped with a valid terminator: 'aws4_request'.");
  return {};
}

inline SqsResult<const AccessKey*> find_key(const http::Request& request, const Authorization& authorization,
                                            const AccessKeys& keys, Instant now) {
  const auto key = keys.find(authorization.key_id);
  if (key == keys.end()) return unknown_token();
  if (!Secret::same(request.headers.get("x-amz-security-token"), key->second.session_token)) return unknown_token();
  if (key->second.expires && *key->second.expires <= now.wall) return expired_token();
  return &key->second;
}

/// Checks a request as an AWS service would, by the header form of Signature Version 4 (query strings are not looked
/// at). Without any key registered everybody is let in. The signed headers are those that the caller lists, as long
/// as the host and the date are among them.
inline SqsResult<void> check(const http::Request& request, const AccessKeys& keys, const Scope& expected, Instant now) {
  if (keys.empty()) return {};
  const auto header = request.headers.find("authorization");
  if (!header)
    return framework_error("AccessDeniedException", "AccessDenied", "Access to the resource is denied.", 403);
  const auto authorization = parse_authorization(*header);
  if (!authorization) return authorization.error();
  const auto names = split(authorization->signed_headers, ';');
  const auto is_signed = [&](std::string_view name) { return std::count(names.begin(), names.end(), name) > 0; };
  const std::string_view date_time = request.headers.get(is_signed("x-amz-date") ? "x-amz-date" : "date");
  if (date_time.empty())
    return incomplete_signature("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  const auto key = find_key(request, *authorization, keys, now);
  if (!key) return key.error();
  if (!is_signed("host")) return wrong_signature("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  if (!is_signed("x-amz-date") && !is_signed("date"))
    return wrong_signature("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.");
  if (auto time = check_time(date_time, now); !time) return time;
  if (auto scope = check_scope(*authorization, date_time, expected); !scope) return scope;
  const http::Url url = http::Url::parse(request.url).value_or(http::Url{});
  const std::string canonical = canonical_request(request, url, authorization->signed_headers);
  if (Secret::same(signature(**key, authorization->scope, date_time, canonical), authorization->signature)) return {};
  return wrong_signature(
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
      "Key and signing method. Consult the service documentation for details.");
}

}  // namespace sigv4
}  // namespace dmq::inline DMQ_ABI::testing
