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

#include <dmq/core/random.hpp>
#include <dmq/core/secret.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/base64.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/message.hpp>
#include <dmq/testing/jwt.hpp>
#include <dmq/testing/rsa_key.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/timestamps.hpp>

namespace dmq::inline DMQ_ABI::testing {

enum class OAuthFlows { enabled, disabled };

/// An app client of the user pool.
struct AppClient {
  std::string id = "local-client";
  std::string secret = "local-client-secret";
  std::vector<std::string> scopes = {"dmq/publish"};  ///< Those it may ask for; by asking for none it gets all.
  std::chrono::seconds token_lifetime{3600};
  OAuthFlows flows = OAuthFlows::enabled;
};

/// The token endpoint of a Cognito user pool, for the client credentials grant, with real RS256 tokens. A value (copies
/// share the signing key once it is made); not thread-safe.
class CognitoModel {
 public:
  /// Without a key one is made for the first token.
  CognitoModel(std::string issuer, std::optional<RsaKey> key, std::uint64_t seed)
      : issuer_(std::move(issuer)), key_(std::move(key)), random_(seed) {}

  void add_client(AppClient client) { clients_.insert_or_assign(client.id, std::move(client)); }

  /// `POST /oauth2/token`.
  http::Response token(const http::Request& request, Instant now);
  /// `GET /.well-known/jwks.json`.
  http::Response jwks();

  /// All tokens issued so far are refused from now on.
  void revoke_tokens() noexcept { ++generation_; }
  bool is_revoked(std::string_view jti) const { return jti.substr(0, 8) != generation_text(); }

  const std::string& issuer() const noexcept { return issuer_; }
  const RsaKey& key() {
    if (!key_) key_ = RsaKey::generate();
    return *key_;
  }
  static constexpr std::string_view key_id = "local-cloud-key-1";

  std::uint64_t requests() const noexcept { return requests_; }
  std::uint64_t issued() const noexcept { return issued_; }

 private:
  using Form = std::map<std::string, std::string, std::less<>>;
  struct Credentials {
    std::string id{};
    std::string secret{};
  };

  static Form parse_form(std::string_view body);
  static std::optional<Credentials> credentials(const http::Request& request, const Form& form);
  static http::Response refuse(std::string_view error);
  static std::optional<std::vector<std::string>> grant_scopes(const AppClient& client, std::string_view asked);
  http::Response issue(const AppClient& client, const std::vector<std::string>& scopes, Instant now);
  std::string claims(const AppClient& client, const std::vector<std::string>& scopes, Instant now);
  std::string generation_text() const {
    std::string digits = std::to_string(generation_);
    return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
  }

  std::string issuer_;
  std::optional<RsaKey> key_;
  Random random_;
  std::map<std::string, AppClient, std::less<>> clients_;
  std::uint64_t generation_ = 0;
  std::uint64_t requests_ = 0;
  std::uint64_t issued_ = 0;
};

inline http::Response CognitoModel::token(const http::Request& request, Instant now) {
  ++requests_;
  if (request.method != http::Method::post) return {.status = 405};
  constexpr std::string_view form_type = "application/x-www-form-urlencoded";
  const std::string_view type = request.headers.get("content-type");
  if (!encoding::equal_ignoring_case(type.substr(0, form_type.size()), form_type)) return refuse("invalid_request");
  const Form form = parse_form(request.body);
  const auto field = [&](std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  };
  const std::string grant = field("grant_type");
  if (grant.empty()) return refuse("invalid_request");
  const auto given = credentials(request, form);
  if (!given) return refuse("invalid_request");
  const auto client = clients_.find(given->id);
  if (client == clients_.end() || !Secret::same(client->second.secret, given->secret)) return refuse("invalid_client");
  if (grant == "authorization_code" || grant == "refresh_token") return refuse("unauthorized_client");
  if (grant != "client_credentials") return refuse("unsupported_grant_type");
  if (client->second.flows == OAuthFlows::disabled) return refuse("invalid_grant");
  const auto scopes = grant_scopes(client->second, field("scope"));
  if (!scopes) return refuse("invalid_scope");
  return issue(client->second, *scopes, now);
}

inline CognitoModel::Form CognitoModel::parse_form(std::string_view body) {
  Form form;
  while (!body.empty()) {
    const std::string_view field = body.substr(0, body.find('&'));
    body.remove_prefix(std::min(body.size(), field.size() + 1));
    const std::string_view name = field.substr(0, field.find('='));
    const std::string_view value = field.substr(std::min(field.size(), name.size() + 1));
    const auto decoded_name = encoding::percent_decode(name, encoding::Plus::space);
    const auto decoded_value = encoding::percent_decode(value, encoding::Plus::space);
    if (decoded_name && decoded_value) form.insert_or_assign(*decoded_name, *decoded_value);
  }
  return form;
}

/// From the Authorization header, which is taken literally, or else from the form.
inline std::optional<CognitoModel::Credentials> CognitoModel::credentials(const http::Request& request,
                                                                          const Form& form) {
  const auto id = form.find("client_id");
  const auto header = request.headers.find("authorization");
  if (!header) {
    if (id == form.end()) return std::nullopt;
    const auto secret = form.find("client_secret");
    return Credentials{id->second, secret == form.end() ? std::string() : secret->second};
  }
  constexpr std::string_view scheme = "Basic ";
  if (!encoding::equal_ignoring_case(header->substr(0, scheme.size()), scheme)) return std::nullopt;
  const auto pair = encoding::base64_decode(encoding::trim(header->substr(scheme.size())));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  Credentials given{pair->substr(0, colon), pair->substr(colon + 1)};
  if (id != form.end() && id->second != given.id) return std::nullopt;
  return given;
}

/// Nothing when one is asked for that the client may not have. AWS's pages disagree on that: one says that it is
/// ignored, the other that there is an error and no token.
inline std::optional<std::vector<std::string>> CognitoModel::grant_scopes(const AppClient& client,
                                                                          std::string_view asked) {
  std::vector<std::string> scopes;
  while (!(asked = encoding::trim(asked)).empty()) {
    scopes.emplace_back(asked.substr(0, asked.find(' ')));
    asked.remove_prefix(scopes.back().size());
    if (std::count(client.scopes.begin(), client.scopes.end(), scopes.back()) == 0) return std::nullopt;
  }
  return scopes.empty() ? client.scopes : scopes;
}

inline http::Response CognitoModel::issue(const AppClient& client, const std::vector<std::string>& scopes,
                                          Instant now) {
  ++issued_;
  std::string header;
  encoding::JsonWriter(header).begin_object().key("kid").value(key_id).key("alg").value("RS256").end_object();
  http::Response response{.status = 200};
  response.headers.add("Content-Type", "application/json;charset=UTF-8");
  encoding::JsonWriter json(response.body);
  json.begin_object().key("access_token").value(make_jwt(key(), header, claims(client, scopes, now)));
  json.key("expires_in").value(std::int64_t{client.token_lifetime.count()});
  json.key("token_type").value("Bearer").end_object();
  return response;
}

/// The ten claims of a machine-to-machine access token. The beginning of jti tells is_revoked() when it was issued.
inline std::string CognitoModel::claims(const AppClient& client, const std::vector<std::string>& scopes, Instant now) {
  std::string scope;
  for (const std::string& name : scopes) scope.append(scope.empty() ? "" : " ").append(name);
  const std::int64_t issued_at = unix_seconds(now.wall);
  std::string text;
  encoding::JsonWriter json(text);
  json.begin_object().key("sub").value(client.id).key("token_use").value("access").key("scope").value(scope);
  json.key("auth_time").value(issued_at).key("iss").value(issuer_);
  json.key("exp").value(issued_at + client.token_lifetime.count()).key("iat").value(issued_at);
  json.key("version").value(2).key("jti").value(generation_text() + make_uuid(random_).substr(8));
  json.key("client_id").value(client.id).end_object();
  return text;
}

inline http::Response CognitoModel::jwks() {
  const auto base64 = [](const std::string& bytes) { return encoding::base64_encode(bytes, encoding::Base64::url); };
  http::Response response{.status = 200};
  response.headers.add("Content-Type", "application/json");
  encoding::JsonWriter json(response.body);
  json.begin_object().key("keys").begin_array().begin_object();
  json.key("alg").value("RS256").key("e").value(base64(key().exponent())).key("kid").value(key_id);
  json.key("kty").value("RSA").key("n").value(base64(key().modulus())).key("use").value("sig");
  json.end_object().end_array().end_object();
  return response;
}

inline http::Response CognitoModel::refuse(std::string_view error) {
  http::Response response{.status = 400};
  response.headers.add("Content-Type", "application/json;charset=UTF-8");
  encoding::JsonWriter(response.body).begin_object().key("error").value(error).end_object();
  return response;
}

}  // namespace dmq::inline DMQ_ABI::testing
