#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/cognito_model.hpp>
#include <dmq/testing/jwt.hpp>
#include <dmq/testing/timestamps.hpp>

namespace dmq::inline DMQ_ABI::testing {

struct AuthorizerOptions {
  /// Any one lets in. None: an ID token is asked for, which an access token is not.
  std::vector<std::string> scopes = {"dmq/publish"};
  /// How long a token that was accepted is known again, 0 to 3600; on AWS 300 if nothing is set. While it is known,
  /// neither its revocation nor the end of its key is noticed. That it has expired is, and so are its scopes: not
  /// recorded from AWS. 0 here, so that a test sees a revocation at once.
  std::chrono::seconds cache_lifetime{0};
};

/// The Cognito authorizer of a gateway. A value; not thread-safe.
class GatewayAuthorizer {
 public:
  enum class Verdict { accepted, refused, expired };

  explicit GatewayAuthorizer(json::Parser parser) : parse_(parser) {}

  Verdict check(std::string_view token, const AuthorizerOptions& options, const CognitoModel& cognito, Instant now);

 private:
  struct Claims {
    std::int64_t expires = 0;  ///< In seconds since 1970.
    std::string use{};
    std::string scope{};
    Ticks known_until{};
  };

  std::optional<Claims> verify(std::string_view token, const CognitoModel& cognito) const;
  static Verdict judge(const Claims& claims, const AuthorizerOptions& options, Instant now);

  json::Parser parse_;
  std::map<std::string, Claims, std::less<>> known_;
};

inline GatewayAuthorizer::Verdict GatewayAuthorizer::check(std::string_view token, const AuthorizerOptions& options,
                                                           const CognitoModel& cognito, Instant now) {
  if (const auto found = known_.find(token); found != known_.end() && now.ticks < found->second.known_until)
    return judge(found->second, options, now);
  auto claims = verify(token, cognito);
  if (!claims) return Verdict::refused;
  const Verdict verdict = judge(*claims, options, now);
  if (verdict != Verdict::accepted || options.cache_lifetime.count() == 0) return verdict;
  // Few tokens live at a time, and verifying this one took longer than looking at them.
  std::erase_if(known_, [&](const auto& known) { return known.second.known_until <= now.ticks; });
  claims->known_until = now.ticks + options.cache_lifetime;
  known_.insert_or_assign(std::string(token), *std::move(claims));
  return verdict;
}

/// Nothing when the pool did not issue the token, or revoked it.
inline std::optional<GatewayAuthorizer::Claims> GatewayAuthorizer::verify(std::string_view token,
                                                                          const CognitoModel& cognito) const {
  const auto jwt = Jwt::parse(token);
  json::Document header;
  json::Document claims;
  if (!jwt || !parse_(jwt->header, header, {}) || !parse_(jwt->claims, claims, {})) return std::nullopt;
  const RsaKey* const key = cognito.find_key(header.root()["kid"].string().value_or(""));
  if (header.root()["alg"].string() != "RS256" || key == nullptr || !key->verify(jwt->signed_text, jwt->signature))
    return std::nullopt;
  const json::Value root = claims.root();
  if (root["iss"].string() != cognito.options.issuer || cognito.is_revoked(root["jti"].string().value_or("")))
    return std::nullopt;
  return Claims{.expires = root["exp"].integer().value_or(0),
                .use = std::string(root["token_use"].string().value_or("")),
                .scope = std::string(root["scope"].string().value_or(""))};
}

inline GatewayAuthorizer::Verdict GatewayAuthorizer::judge(const Claims& claims, const AuthorizerOptions& options,
                                                           Instant now) {
  if (claims.expires <= unix_seconds(now.wall)) return Verdict::expired;
  if (options.scopes.empty()) return claims.use == "id" ? Verdict::accepted : Verdict::refused;
  if (claims.use != "access") return Verdict::refused;
  const std::vector<std::string> granted = split_scopes(claims.scope);
  const bool any = std::any_of(granted.begin(), granted.end(), [&](const std::string& scope) {
    return std::count(options.scopes.begin(), options.scopes.end(), scope) > 0;
  });
  return any ? Verdict::accepted : Verdict::refused;
}

}  // namespace dmq::inline DMQ_ABI::testing
