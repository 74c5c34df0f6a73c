#pragma once

#include <concepts>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/auth/authority.hpp>
#include <dmq/auth/expiration.hpp>
#include <dmq/core/secret.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/headers.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// An AWS access key.
struct Credentials {
  std::string access_key_id{};
  Secret secret_access_key{};
  Secret session_token{};  ///< Empty with long-lived keys.
};

/// Where credentials come from: `fetch(transport, now, stop)`, blocking, called by one thread at a time. Errors:
/// configuration, authentication, or those of the transport.
template <class S, class Transport>
concept CredentialsSource = http::HttpTransport<Transport> && std::move_constructible<S> &&
                            requires(S& source, Transport& transport, Instant now, std::stop_token stop) {
                              { source.fetch(transport, now, stop) } -> std::same_as<Result<Fetched<Credentials>>>;
                            };

/// The same key for ever.
class StaticCredentials {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}

  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport&, Instant, std::stop_token) const {
    return Fetched<Credentials>{credentials_};
  }

 private:
  Credentials credentials_;
};

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, with temporary keys, AWS_SESSION_TOKEN (or AWS_SECURITY_TOKEN) and
/// AWS_CREDENTIAL_EXPIRATION, an ISO 8601 date; read anew at each fetch.
class EnvironmentCredentials {
 public:
  explicit EnvironmentCredentials(Environment environment = Environment::process())
      : environment_(std::move(environment)) {}

  /// Whether there is a key, or half of one.
  bool present() const {
    return environment_.find("AWS_ACCESS_KEY_ID").has_value() || environment_.find("AWS_SECRET_ACCESS_KEY").has_value();
  }

  /// configuration when one of the two is missing: half a key is an error, not a reason to look elsewhere; and when no
  /// header field can carry the key.
  Result<Credentials> read() const {
    Result<std::string> id = environment_.require("AWS_ACCESS_KEY_ID", "the id of an AWS access key");
    if (!id) return std::move(id).error();
    Result<std::string> secret =
        environment_.require("AWS_SECRET_ACCESS_KEY", "the secret that belongs to AWS_ACCESS_KEY_ID, which is set");
    if (!secret) return std::move(secret).error();
    Credentials credentials{*std::move(id), Secret(*secret), {}};
    auto token = environment_.find("AWS_SESSION_TOKEN");
    if (!token) token = environment_.find("AWS_SECURITY_TOKEN");
    if (token) credentials.session_token = Secret(*token);
    if (Result<void> ok = http::check_header_value("AWS_ACCESS_KEY_ID", credentials.access_key_id); !ok)
      return configuration_error(ok.error().message);
    if (Result<void> ok = http::check_header_value("AWS_SESSION_TOKEN", token.value_or("")); !ok)
      return configuration_error(ok.error().message);
    return credentials;
  }

  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport&, Instant now, std::stop_token) const {
    Result<Credentials> credentials = read();
    if (!credentials) return std::move(credentials).error();
    Fetched<Credentials> fetched{*std::move(credentials)};
    if (const auto date = environment_.find("AWS_CREDENTIAL_EXPIRATION")) {
      Result<Duration> lifetime = time_until(*date, now.wall, "AWS_CREDENTIAL_EXPIRATION");
      if (!lifetime) return configuration_error("AWS_CREDENTIAL_EXPIRATION is no date like 2026-01-31T12:00:00Z");
      fetched.lifetime = *lifetime;
    }
    return refuse_expired(std::move(fetched), "the keys of the environment");
  }

 private:
  Environment environment_;
};

}  // namespace dmq::inline DMQ_ABI::auth
