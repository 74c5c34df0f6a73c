#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/auth/aws_settings.hpp>
#include <dmq/auth/chain_settings.hpp>
#include <dmq/auth/profile_credentials.hpp>
#include <dmq/auth/sts.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// Where keys are to come from: a source, and roles that are taken on with them one after the other.
struct CredentialsPlan {
  BaseCredentials base;
  std::vector<sts::Role> roles{};
  std::string sts_endpoint{};   ///< Of the roles,
  std::string sts_region{};     ///< and the region that signatures are for.
  std::string nothing_found{};  ///< When the instance is the last resort: what was asked before, and why in vain.
};

namespace detail {

class CredentialsPlanner {
 public:
  CredentialsPlanner(const ChainSettings& settings, AwsSettings aws, json::Parser parser)
      : settings_(settings), aws_(std::move(aws)), profiles_(settings_, aws_, parser) {}
  CredentialsPlanner(const CredentialsPlanner&) = delete;
  CredentialsPlanner& operator=(const CredentialsPlanner&) = delete;

  Result<CredentialsPlan> plan();

 private:
  using Found = ProfileCredentials::Found;

  Found in_environment();
  Found in_role();
  Found in_web_identity();
  Found in_profile();
  Found in_container();
  Found in_instance();

  bool profile_is_named() const { return !settings_.profile.empty(); }
  Found nothing(std::string_view where_and_why) {
    nothing_.append(nothing_.empty() ? "" : "; ").append(where_and_why);
    return std::optional<BaseCredentials>();
  }

  const ChainSettings& settings_;
  const AwsSettings aws_;
  const ProfileCredentials profiles_;
  std::vector<sts::Role> roles_;
  std::string nothing_;
  bool last_resort_ = false;
};

inline Result<CredentialsPlan> CredentialsPlanner::plan() {
  Found found = in_environment();
  if (found && !*found) found = in_role();
  if (found && !*found) found = in_web_identity();
  if (found && !*found) found = in_profile();
  if (found && !*found) found = in_container();
  if (found && !*found) found = in_instance();
  if (!found) return std::move(found).error();
  if (!*found) return configuration_error("no AWS credentials were found: " + nothing_);
  CredentialsPlan plan{.base = **std::move(found), .roles = std::move(roles_)};
  if (last_resort_) plan.nothing_found = nothing_;
  if (plan.roles.empty()) return plan;
  plan.sts_region = profiles_.sts_region();
  if (!is_region_name(plan.sts_region))
    return configuration_error("a role is assumed in a region: set AWS_REGION, for example us-east-1");
  Result<std::string> endpoint = profiles_.sts_endpoint();
  if (!endpoint) return std::move(endpoint).error();
  plan.sts_endpoint = *std::move(endpoint);
  return plan;
}

inline auto CredentialsPlanner::in_environment() -> Found {
  if (profile_is_named()) return nothing("environment: not asked, for a profile is named in code");
  EnvironmentCredentials environment(settings_.environment);
  if (!environment.present()) return nothing("environment: AWS_ACCESS_KEY_ID is not set");
  if (Result<Credentials> key = environment.read(); !key) return std::move(key).error();
  return std::optional<BaseCredentials>(std::move(environment));
}

inline auto CredentialsPlanner::in_role() -> Found {
  const std::optional<Profile> profile = aws_.profile();
  if (!profile || !ProfileCredentials::is_role(*profile)) return std::optional<BaseCredentials>();
  Result<ProfileCredentials::RoleChain> chain = profiles_.role_chain(*profile);
  if (!chain) return std::move(chain).error();
  roles_ = std::move(chain->roles);
  return std::optional<BaseCredentials>(std::move(chain->base));
}

inline auto CredentialsPlanner::in_web_identity() -> Found {
  const auto find = [&](const char* variable, std::string_view key) {
    if (!profile_is_named()) return aws_.find(variable, key);
    const std::optional<Profile> profile = aws_.profile();
    return profile ? profile->find(key) : std::nullopt;
  };
  Found found =
      profiles_.web_identity(find("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file"),
                             find("AWS_ROLE_ARN", "role_arn"), find("AWS_ROLE_SESSION_NAME", "role_session_name"));
  if (!found || *found) return found;
  return nothing("web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set");
}

inline auto CredentialsPlanner::in_profile() -> Found {
  const std::optional<Profile> profile = aws_.profile();
  if (!profile) return nothing("profile " + aws_.profile_name() + ": not in " + aws_.paths());
  Found found = profiles_.keys(*profile);
  if (!found || *found) return found;
  return nothing("profile " + profile->name + ": no keys, role or credential_process in " + aws_.paths());
}

inline auto CredentialsPlanner::in_container() -> Found {
  ContainerCredentials container = profiles_.container();
  if (!container.present())
    return nothing("container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor ..._FULL_URI is set");
  return std::optional<BaseCredentials>(std::move(container));
}

inline auto CredentialsPlanner::in_instance() -> Found {
  Result<bool> disabled = aws_.flag("AWS_EC2_METADATA_DISABLED", "ec2_metadata_disabled");
  if (!disabled) return std::move(disabled).error();
  if (*disabled) return nothing("instance: AWS_EC2_METADATA_DISABLED is true");
  Result<BaseCredentials> instance = profiles_.instance();
  if (!instance) return std::move(instance).error();
  last_resort_ = true;
  return std::optional<BaseCredentials>(*std::move(instance));
}

}  // namespace detail

/// Decides from the environment and the shared files, in the order of AWS's tools: the environment; the profile's role;
/// web identity; the keys in the credentials file; credential_process; the keys in the config file; the container; the
/// instance. The first that is set up is taken, whether it works or not. No network. Errors: configuration, also for
/// half a key, for SSO and `aws login`, which only AWS's tools do, and when nothing at all is set up.
inline Result<CredentialsPlan> plan_credentials(const ChainSettings& settings, json::Parser parser) {
  Result<AwsSettings> aws = AwsSettings::read(settings.environment, settings.profile);
  if (!aws) return std::move(aws).error();
  return detail::CredentialsPlanner(settings, *std::move(aws), parser).plan();
}

}  // namespace dmq::inline DMQ_ABI::auth
