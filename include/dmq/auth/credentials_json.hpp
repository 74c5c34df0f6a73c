#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/credentials.hpp>
#include <dmq/auth/expiration.hpp>
#include <dmq/http/headers.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// Temporary keys as text, to be checked and put together.
struct KeyTexts {
  std::optional<std::string_view> id{};
  std::optional<std::string_view> secret{};
  std::optional<std::string_view> token{};
  std::optional<std::string_view> expiration{};
};

/// `source` is for errors, which quote nothing of the rest. Without an expiration the key is good for ever. An expired
/// key is let through: see refuse_expired(). Errors: protocol.
inline Result<Fetched<Credentials>> to_credentials(const KeyTexts& texts, WallTime now, std::string_view source) {
  const auto unusable = [&](std::string_view what) {
    return Error{.kind = ErrorKind::protocol, .message = std::string(source) + " have no usable " + std::string(what)};
  };
  if (!texts.id || texts.id->empty() || !http::check_header_value("id", *texts.id)) return unusable("access key id");
  if (!texts.secret || texts.secret->empty()) return unusable("secret access key");
  if (texts.token && !http::check_header_value("token", *texts.token)) return unusable("session token");
  Fetched<Credentials> fetched{
      Credentials{std::string(*texts.id), Secret(*texts.secret), Secret(texts.token.value_or(""))}};
  if (texts.expiration) {
    Result<Duration> lifetime = time_until(*texts.expiration, now, source);
    if (!lifetime) return std::move(lifetime).error();
    fetched.lifetime = *lifetime;
  }
  return fetched;
}

/// Out of a JSON object with AccessKeyId, SecretAccessKey, Expiration and a token of the given name.
inline KeyTexts key_texts(json::Value root, std::string_view token_name) {
  return {.id = root["AccessKeyId"].string(),
          .secret = root["SecretAccessKey"].string(),
          .token = root[token_name].string(),
          .expiration = root["Expiration"].string()};
}

}  // namespace dmq::inline DMQ_ABI::auth
