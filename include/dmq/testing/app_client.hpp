#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/core/secret.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::testing {

enum class OAuthFlows { enabled, disabled };

/// An app client of the user pool, for machines.
struct AppClient {
  std::string id = "local-client";
  std::string secret = "local-client-secret";
  std::vector<std::string> scopes = {"dmq/publish"};  ///< Those it may ask for; by asking for none it gets all.
  std::chrono::seconds token_lifetime{3600};          ///< 5 minutes to 24 hours.
  OAuthFlows flows = OAuthFlows::enabled;
  std::string second_secret{};  ///< Counts as well, so that a secret can be changed; empty: there is none.

  bool has_secret(std::string_view given) const {
    return Secret::same(secret, given) || (!second_secret.empty() && Secret::same(second_secret, given));
  }
};

/// What Cognito asks of an app client. Errors: invalid_argument.
inline Result<void> check_client(const AppClient& client) {
  using namespace std::chrono_literals;
  if (client.id.empty() || client.id.find(':') != std::string::npos)
    return invalid_argument("the id of an app client must not be empty or hold a colon");
  if (client.secret.empty()) return invalid_argument("the client credentials grant needs an app client with a secret");
  if (client.token_lifetime < 5min || client.token_lifetime > 24h)
    return invalid_argument("access tokens live from 5 minutes to 24 hours");
  return {};
}

/// An API as a user pool knows it: its custom scopes are "id/scope".
struct ResourceServer {
  std::string id = "dmq";
  std::vector<std::string> scopes = {"publish"};  ///< Without slashes.

  bool defines(std::string_view custom_scope) const {
    const std::size_t slash = custom_scope.rfind('/');
    return slash != std::string_view::npos && custom_scope.substr(0, slash) == id &&
           std::count(scopes.begin(), scopes.end(), custom_scope.substr(slash + 1)) > 0;
  }
};

/// What happens to a scope that is defined and that the client may not have. Two pages of the AWS documentation
/// disagree: one has an error and no token, the other has the scope ignored.
enum class DisallowedScope { refused, ignored };

/// The words of a list with spaces between them.
inline std::vector<std::string> split_scopes(std::string_view list) {
  std::vector<std::string> scopes;
  while (!(list = encoding::trim(list)).empty()) {
    scopes.emplace_back(list.substr(0, list.find(' ')));
    list.remove_prefix(scopes.back().size());
  }
  return scopes;
}

}  // namespace dmq::inline DMQ_ABI::testing
