#pragma once

#include <algorithm>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/auth/aws_settings.hpp>
#include <dmq/auth/chain_settings.hpp>
#include <dmq/auth/container_credentials.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_json.hpp>
#include <dmq/auth/instance_credentials.hpp>
#include <dmq/auth/process_credentials.hpp>
#include <dmq/auth/sts.hpp>
#include <dmq/auth/web_identity.hpp>
#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// All that a chain can get keys from by itself.
using BaseCredentials = std::variant<StaticCredentials, EnvironmentCredentials, WebIdentityCredentials,
                                     ProcessCredentials, ContainerCredentials, InstanceCredentials>;

/// Reads off profiles where their keys are to come from; no network. What it refers to has to outlive it. Errors are of
/// kind configuration and name the profile.
class ProfileCredentials {
 public:
  using Found = Result<std::optional<BaseCredentials>>;

  /// A source, and the roles that are taken on with its keys, the first one first.
  struct RoleChain {
    BaseCredentials base;
    std::vector<sts::Role> roles{};
  };

  ProfileCredentials(const ChainSettings& settings, const AwsSettings& aws, json::Parser parser)
      : settings_(settings), aws_(aws), parser_(parser) {}

  /// Whether the profile is a role that is taken on with other keys.
  static bool is_role(const Profile& profile) {
    return profile.find("role_arn").has_value() && !profile.find("web_identity_token_file");
  }

  /// The role of the profile, with those that lead there by source_profile, and what the first is taken on with.
  Result<RoleChain> role_chain(const Profile& profile) const;

  /// The keys of a profile that is no role: web identity, the credentials file, credential_process, the config file.
  Found keys(const Profile& profile) const;

  /// A role taken on with a web identity token.
  Found web_identity(const std::optional<std::string>& token_file, const std::optional<std::string>& arn,
                     const std::optional<std::string>& session_name) const;

  Result<BaseCredentials> instance() const {
    Result<InstanceOptions> options = InstanceOptions::from(aws_, settings_.plain_http);
    if (!options) return std::move(options).error();
    return BaseCredentials(InstanceCredentials(*std::move(options), parser_, sleep()));
  }
  ContainerCredentials container() const { return {settings_.environment, parser_, sleep()}; }

  Result<std::string> sts_endpoint() const { return sts::resolve_endpoint(aws_, sts_region(), settings_.plain_http); }
  std::string sts_region() const { return settings_.region.empty() ? aws_.region().value_or("") : settings_.region; }

 private:
  Sleep sleep() const {
    if (settings_.sleep) return settings_.sleep;
    return [](Duration duration, std::stop_token stop) { return SystemClock().sleep_for(duration, std::move(stop)); };
  }
  static bool has_key(const Profile& profile) {
    return profile.find("aws_access_key_id").has_value() || profile.find("aws_secret_access_key").has_value();
  }
  static Error wrong(const Profile& profile, std::string_view what) {
    return configuration_error("AWS profile " + profile.name + " " + std::string(what));
  }

  static Result<sts::Role> role(const Profile& profile);
  Result<BaseCredentials> source(const Profile& role, const std::string& name) const;
  Result<BaseCredentials> required_keys(const Profile& profile) const;
  static Result<void> check_sso(const Profile& profile);
  static Found written_key(const Profile& profile, const ConfigSection* section);

  const ChainSettings& settings_;
  const AwsSettings& aws_;
  json::Parser parser_;
};

inline auto ProfileCredentials::role_chain(const Profile& profile) const -> Result<RoleChain> {
  std::vector<sts::Role> roles;
  std::vector<std::string> seen{profile.name};
  const auto made = [&](Result<BaseCredentials> base) -> Result<RoleChain> {
    if (!base) return std::move(base).error();
    return RoleChain{*std::move(base), std::move(roles)};
  };
  for (Profile at = profile;;) {
    Result<sts::Role> role = this->role(at);
    if (!role) return std::move(role).error();
    roles.insert(roles.begin(), *std::move(role));
    const auto source_name = at.find("credential_source");
    const auto next_name = at.find("source_profile");
    if (source_name.has_value() == next_name.has_value())
      return wrong(at, "has a role_arn: it needs one of source_profile and credential_source");
    if (source_name) return made(source(at, *source_name));
    const std::optional<Profile> next = aws_.files().profile(*next_name);
    if (!next) return wrong(at, "has the source_profile " + *next_name + ", which is not in " + aws_.paths());
    // A role may name its own profile, for the keys in it.
    const bool is_known = std::find(seen.begin(), seen.end(), *next_name) != seen.end();
    if (is_known && (*next_name != at.name || !has_key(at)))
      return wrong(at, "leads back to profile " + *next_name + " by source_profile");
    if (has_key(*next) || !is_role(*next)) return made(required_keys(*next));
    seen.push_back(*next_name);
    at = *next;
  }
}

inline Result<sts::Role> ProfileCredentials::role(const Profile& profile) {
  if (profile.find("mfa_serial"))
    return wrong(profile, "asks for a one-time password (mfa_serial), which a program can't give");
  sts::Role role{.arn = *profile.find("role_arn"),
                 .session_name = profile.find("role_session_name").value_or(""),
                 .external_id = profile.find("external_id").value_or(""),
                 .duration_seconds = profile.find("duration_seconds").value_or("")};
  const auto seconds = encoding::parse_number<int>(role.duration_seconds);
  if (!role.duration_seconds.empty() && (!seconds || *seconds < 900 || *seconds > 43200))
    return wrong(profile, "should have duration_seconds from 900 to 43200");
  return role;
}

inline Result<BaseCredentials> ProfileCredentials::source(const Profile& role, const std::string& name) const {
  if (name == "Environment") return BaseCredentials(EnvironmentCredentials(settings_.environment));
  if (name == "Ec2InstanceMetadata") return instance();
  if (name == "EcsContainer") return BaseCredentials(container());
  return wrong(role, "should have the credential_source Environment, Ec2InstanceMetadata or EcsContainer");
}

inline Result<BaseCredentials> ProfileCredentials::required_keys(const Profile& profile) const {
  Found found = keys(profile);
  if (!found) return std::move(found).error();
  if (!*found) return wrong(profile, "is the source_profile of a role and has no keys");
  return **std::move(found);
}

inline auto ProfileCredentials::keys(const Profile& profile) const -> Found {
  if (profile.find("web_identity_token_file"))
    return web_identity(profile.find("web_identity_token_file"), profile.find("role_arn"),
                        profile.find("role_session_name"));
  if (Result<void> ok = check_sso(profile); !ok) return std::move(ok).error();
  Found found = written_key(profile, profile.credentials);
  if (!found || *found) return found;
  if (profile.find("login_session"))
    return wrong(profile,
                 "is for `aws login`, which only AWS's tools do; let them print the keys: credential_process = "
                 "aws configure export-credentials --profile " +
                     profile.name);
  if (const auto command = profile.find("credential_process"))
    return std::optional<BaseCredentials>(ProcessCredentials(*command, profile.name, parser_));
  return written_key(profile, profile.config);
}

inline Result<void> ProfileCredentials::check_sso(const Profile& profile) {
  for (const char* const key : {"sso_session", "sso_start_url", "sso_account_id", "sso_role_name"})
    if (profile.find(key))
      return wrong(profile, std::string("is for single sign-on (") + key +
                                "), which only AWS's tools do; let them print the keys, in another profile: "
                                "credential_process = aws configure export-credentials --profile " +
                                profile.name);
  return {};
}

inline auto ProfileCredentials::written_key(const Profile& profile, const ConfigSection* section) -> Found {
  const auto id = Profile::find_in(section, "aws_access_key_id");
  const auto secret = Profile::find_in(section, "aws_secret_access_key");
  const auto token = Profile::find_in(section, "aws_session_token");
  if (!id && !secret) return std::optional<BaseCredentials>();
  if (!id) return wrong(profile, "has an aws_secret_access_key without its aws_access_key_id");
  if (!secret) return wrong(profile, "has an aws_access_key_id without its aws_secret_access_key");
  Result<Fetched<Credentials>> keys = to_credentials({.id = *id, .secret = *secret, .token = token}, {}, "the keys");
  if (!keys) return wrong(profile, "has keys with a line break or another control character");
  return std::optional<BaseCredentials>(StaticCredentials(std::move(keys->value)));
}

inline auto ProfileCredentials::web_identity(const std::optional<std::string>& token_file,
                                             const std::optional<std::string>& arn,
                                             const std::optional<std::string>& session_name) const -> Found {
  if (!token_file) return std::optional<BaseCredentials>();
  if (!arn)
    return configuration_error("there is a web identity token file, and no role: set AWS_ROLE_ARN, or role_arn");
  Result<std::string> endpoint = sts_endpoint();
  if (!endpoint) return std::move(endpoint).error();
  return std::optional<BaseCredentials>(WebIdentityCredentials(
      *std::move(endpoint), {.arn = *arn, .session_name = session_name.value_or("")}, *token_file));
}

}  // namespace dmq::inline DMQ_ABI::auth
