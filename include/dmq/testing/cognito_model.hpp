#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/core/result.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>
#include <dmq/testing/app_client.hpp>
#include <dmq/testing/jwt.hpp>
#include <dmq/testing/rate_limit.hpp>
#include <dmq/testing/signing_keys.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/timestamps.hpp>
#include <dmq/testing/token_request.hpp>
#include <dmq/testing/uuid.hpp>

namespace dmq::inline DMQ_ABI::testing {

struct CognitoOptions {
  std::string issuer{};  ///< Of the tokens; its last segment names the pool. LocalCloud fills in what AWS would have.
  /// Where scopes have to be defined. Without any, those of the app clients count as defined.
  std::vector<ResourceServer> resource_servers{};
  DisallowedScope disallowed = DisallowedScope::refused;
  RateLimit rate{};  ///< Of the token endpoint. AWS has 150 a second for an account and region; its burst is not known.
};

/// A Cognito user pool for machines: the client credentials grant, with real RS256 tokens. A value (copies share the
/// signing keys that were made); not thread-safe.
class CognitoModel {
 public:
  /// Without a key one is made for the first token.
  CognitoModel(CognitoOptions cognito_options, std::optional<RsaKey> key, std::uint64_t seed)
      : options(std::move(cognito_options)), keys_(std::move(key)), random_(seed) {}

  CognitoOptions options;

  /// One of that id is replaced. Errors: invalid_argument.
  Result<void> add_client(AppClient client);

  /// The answer to a request on one of the paths of Cognito, otherwise nothing:
  /// - `POST /oauth2/token`;
  /// - `GET /.well-known/jwks.json` and `GET /.well-known/openid-configuration`, also with `/{pool}` in front.
  std::optional<http::Response> handle(const http::Request& request, const http::Url& url, Instant now);

  /// From now on `next` signs; the keys before it stay in the key set and go on to verify. Returns the id of `next`.
  std::string rotate_key(RsaKey next = RsaKey::generate()) { return keys_.rotate(std::move(next)); }
  /// Drops a key: its tokens are refused. False when there is none of that id, or it is the one that signs.
  bool retire_key(std::string_view id) { return keys_.retire(id); }
  const SigningKey& signing_key() { return keys_.current(); }
  /// Null when there is none of that id.
  const RsaKey* find_key(std::string_view id) const { return keys_.find(id); }

  /// All tokens issued so far are refused from now on.
  void revoke_tokens() noexcept { ++generation_; }
  bool is_revoked(std::string_view jti) const { return jti.substr(0, 8) != generation_text(); }

  /// Those to the token endpoint.
  std::uint64_t requests() const noexcept { return requests_; }
  std::uint64_t issued() const noexcept { return issued_; }

 private:
  http::Response token(const http::Request& request, Instant now);
  const AppClient* authenticate(const TokenRequest& asked) const;
  std::optional<std::vector<std::string>> grant_scopes(const AppClient& client, std::string_view asked) const;
  bool defines(std::string_view scope) const;
  http::Response issue(const AppClient& client, const std::vector<std::string>& scopes, Instant now);
  std::string claims(const AppClient& client, const std::vector<std::string>& scopes, Instant now);
  std::string discovery(const std::string& origin) const;
  std::string pool() const { return options.issuer.substr(options.issuer.rfind('/') + 1); }
  static http::Response json_answer(int status, std::string body);
  static http::Response refuse(int status, std::string_view error);
  std::string generation_text() const {
    std::string digits = std::to_string(generation_);
    return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
  }

  SigningKeys keys_;
  Random random_;
  std::map<std::string, AppClient, std::less<>> clients_;
  TokenBucket bucket_;
  std::uint64_t generation_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t issued_ = 0;
};

inline Result<void> CognitoModel::add_client(AppClient client) {
  if (auto checked = check_client(client); !checked) return checked;
  for (const std::string& scope : client.scopes)
    if (!options.resource_servers.empty() && !defines(scope))
      return invalid_argument("no resource server defines the scope " + scope);
  clients_.insert_or_assign(client.id, std::move(client));
  return {};
}

inline std::optional<http::Response> CognitoModel::handle(const http::Request& request, const http::Url& url,
                                                          Instant now) {
  if (url.path == "/oauth2/token") return token(request, now);
  constexpr std::string_view well_known = "/.well-known/";
  std::string_view path = url.path;
  if (const std::string prefix = "/" + pool(); path.starts_with(prefix + "/")) path.remove_prefix(prefix.size());
  if (!path.starts_with(well_known)) return std::nullopt;
  if (request.method != http::Method::get) return http::Response{.status = 405};
  path.remove_prefix(well_known.size());
  if (path == "jwks.json") return json_answer(200, keys_.jwks());
  if (path == "openid-configuration") return json_answer(200, discovery(url.origin()));
  return http::Response{.status = 404};
}

/// What the answers 405 and 429 hold is not recorded from AWS.
inline http::Response CognitoModel::token(const http::Request& request, Instant now) {
  ++requests_;
  if (request.method != http::Method::post) return {.status = 405};
  if (!bucket_.take(options.rate, now.ticks)) return refuse(429, "too_many_requests");
  const auto asked = TokenRequest::read(request);
  if (!asked) return refuse(400, "invalid_request");
  const AppClient* const client = authenticate(*asked);
  if (client == nullptr) return refuse(400, "invalid_client");
  if (asked->grant == "authorization_code" || asked->grant == "refresh_token")
    return refuse(400, "unauthorized_client");
  if (asked->grant != "client_credentials") return refuse(400, "unsupported_grant_type");
  if (client->flows == OAuthFlows::disabled) return refuse(400, "invalid_grant");
  const auto scopes = grant_scopes(*client, asked->scope);
  return scopes ? issue(*client, *scopes, now) : refuse(400, "invalid_scope");
}

inline const AppClient* CognitoModel::authenticate(const TokenRequest& asked) const {
  const auto client = clients_.find(asked.client_id);
  return client != clients_.end() && client->second.has_secret(asked.client_secret) ? &client->second : nullptr;
}

/// Nothing when one is asked for that is not defined or, as `options.disallowed` has it, not allowed; also when none is
/// left, which is not recorded from AWS.
inline std::optional<std::vector<std::string>> CognitoModel::grant_scopes(const AppClient& client,
                                                                          std::string_view asked) const {
  std::vector<std::string> granted;
  const std::vector<std::string> named = split_scopes(asked);
  for (const std::string& scope : named) {
    if (!defines(scope)) return std::nullopt;
    if (std::count(client.scopes.begin(), client.scopes.end(), scope) > 0)
      granted.push_back(scope);
    else if (options.disallowed == DisallowedScope::refused)
      return std::nullopt;
  }
  if (!named.empty()) return granted.empty() ? std::nullopt : std::optional(granted);
  std::copy_if(client.scopes.begin(), client.scopes.end(), std::back_inserter(granted),
               [&](const std::string& scope) { return defines(scope); });
  return granted;
}

inline bool CognitoModel::defines(std::string_view scope) const {
  if (options.resource_servers.empty())
    return std::any_of(clients_.begin(), clients_.end(), [&](const auto& client) {
      return std::count(client.second.scopes.begin(), client.second.scopes.end(), scope) > 0;
    });
  return std::any_of(options.resource_servers.begin(), options.resource_servers.end(),
                     [&](const ResourceServer& server) { return server.defines(scope); });
}

inline http::Response CognitoModel::issue(const AppClient& client, const std::vector<std::string>& scopes,
                                          Instant now) {
  ++issued_;
  const SigningKey& signing = keys_.current();
  std::string header;
  encoding::JsonWriter(header).begin_object().key("kid").value(signing.id).key("alg").value("RS256").end_object();
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object().key("access_token").value(make_jwt(signing.key, header, claims(client, scopes, now)));
  json.key("expires_in").value(std::int64_t{client.token_lifetime.count()});
  json.key("token_type").value("Bearer").end_object();
  return json_answer(200, std::move(body));
}

/// The ten claims of a machine-to-machine access token. The beginning of jti tells is_revoked() when it was issued.
inline std::string CognitoModel::claims(const AppClient& client, const std::vector<std::string>& scopes, Instant now) {
  std::string scope;
  for (const std::string& name : scopes) scope.append(scope.empty() ? "" : " ").append(name);
  const std::int64_t issued_at = unix_seconds(now.wall);
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("sub").value(client.id).key("token_use").value("access").key("scope").value(scope);
  json.key("auth_time").value(issued_at).key("iss").value(options.issuer);
  json.key("exp").value(issued_at + client.token_lifetime.count()).key("iat").value(issued_at);
  json.key("version").value(2).key("jti").value(generation_text() + make_uuid(random_).substr(8));
  json.key("client_id").value(client.id).end_object();
  return text;
}

/// What OpenID Connect Discovery asks for and this model has. The URLs are those under which the caller came; on AWS
/// the key set is below the issuer, and the token endpoint on the domain of the pool.
inline std::string CognitoModel::discovery(const std::string& origin) const {
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("id_token_signing_alg_values_supported").begin_array().value("RS256").end_array();
  json.key("issuer").value(options.issuer).key("jwks_uri").value(origin + "/" + pool() + "/.well-known/jwks.json");
  json.key("response_types_supported").begin_array().value("code").value("token").end_array();
  json.key("subject_types_supported").begin_array().value("public").end_array();
  json.key("token_endpoint").value(origin + "/oauth2/token").key("token_endpoint_auth_methods_supported");
  json.begin_array().value("client_secret_basic").value("client_secret_post").end_array().end_object();
  return text;
}

inline http::Response CognitoModel::json_answer(int status, std::string body) {
  http::Response response{.status = status, .body = std::move(body)};
  response.headers.add("Content-Type", "application/json;charset=UTF-8");
  return response;
}

inline http::Response CognitoModel::refuse(int status, std::string_view error) {
  std::string body;
  encoding::JsonWriter(body).begin_object().key("error").value(error).end_object();
  return json_answer(status, std::move(body));
}

}  // namespace dmq::inline DMQ_ABI::testing
