#pragma once

#include <concepts>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/auth/authority.hpp>
#include <dmq/core/secret.hpp>
#include <dmq/environment.hpp>

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

/// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, with temporary keys, AWS_SESSION_TOKEN, read anew at each fetch.
class EnvironmentCredentials {
 public:
  explicit EnvironmentCredentials(Environment environment = Environment::process())
      : environment_(std::move(environment)) {}

  /// configuration when one of the two is missing: half a key is an error, not a reason to look elsewhere.
  Result<Credentials> read() const {
    Result<std::string> id = environment_.require("AWS_ACCESS_KEY_ID", "the id of an AWS access key");
    if (!id) return std::move(id).error();
    Result<std::string> secret =
        environment_.require("AWS_SECRET_ACCESS_KEY", "the secret that belongs to AWS_ACCESS_KEY_ID, which is set");
    if (!secret) return std::move(secret).error();
    Credentials credentials{*std::move(id), Secret(*secret), {}};
    if (const auto token = environment_.find("AWS_SESSION_TOKEN")) credentials.session_token = Secret(*token);
    return credentials;
  }

  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport&, Instant, std::stop_token) const {
    return read().transform([](Credentials&& credentials) { return Fetched<Credentials>{std::move(credentials)}; });
  }

 private:
  Environment environment_;
};

}  // namespace dmq::inline DMQ_ABI::auth
