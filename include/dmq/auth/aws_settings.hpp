#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/profile.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/environment.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// What the environment and the shared files say about AWS, as they were when it was made. A variable of the
/// environment comes before the setting of the profile.
class AwsSettings {
 public:
  /// The profile is the one named here, in code, else that of AWS_PROFILE (or AWS_DEFAULT_PROFILE), else "default".
  /// Errors: configuration when a file can't be read, or has no profile of a name that was asked for.
  static Result<AwsSettings> read(Environment environment, const std::string& profile = "") {
    Result<SharedFiles> files = SharedFiles::read(environment);
    if (!files) return std::move(files).error();
    std::optional<std::string> named = profile.empty() ? environment.find("AWS_PROFILE") : profile;
    if (!named) named = environment.find("AWS_DEFAULT_PROFILE");
    AwsSettings settings(std::move(environment), *std::move(files), named.value_or("default"));
    if (named && *named != "default" && !settings.profile())
      return configuration_error("there is no AWS profile " + *named + " in " + settings.paths());
    return settings;
  }

  const Environment& environment() const noexcept { return environment_; }
  const SharedFiles& files() const noexcept { return files_; }
  const std::string& profile_name() const noexcept { return profile_name_; }
  /// Valid while these settings are. Nothing when the files don't have it.
  std::optional<Profile> profile() const { return files_.profile(profile_name_); }

  /// Where profiles are looked for.
  std::string paths() const {
    const auto shown = [](const std::string& path) { return path.empty() ? "(HOME is not set)" : path; };
    return shown(files_.config_path()) + " and " + shown(files_.credentials_path());
  }

  std::optional<std::string> find(const std::string& variable, std::string_view key) const {
    if (auto value = environment_.find(variable)) return value;
    const std::optional<Profile> profile = this->profile();
    return profile ? profile->find(key) : std::nullopt;
  }

  /// False when absent. configuration when it is neither "true" nor "false", in any case.
  Result<bool> flag(const std::string& variable, std::string_view key) const {
    const auto value = find(variable, key);
    if (!value) return false;
    if (encoding::equal_ignoring_case(*value, "true")) return true;
    if (encoding::equal_ignoring_case(*value, "false")) return false;
    return configuration_error(variable + " (in profiles: " + std::string(key) + ") should be true or false");
  }

  /// `otherwise` when absent. configuration when it is no number from `least` to `most`.
  Result<int> number(const std::string& variable, std::string_view key, int least, int most, int otherwise) const {
    const auto value = find(variable, key);
    if (!value) return otherwise;
    const auto number = encoding::parse_number<int>(*value);
    if (number && *number >= least && *number <= most) return *number;
    return configuration_error(variable + " (in profiles: " + std::string(key) + ") should be a number from " +
                               std::to_string(least) + " to " + std::to_string(most));
  }

  /// AWS_REGION before AWS_DEFAULT_REGION before the profile's region, as written.
  std::optional<std::string> region() const {
    if (auto region = environment_.find("AWS_REGION")) return region;
    return find("AWS_DEFAULT_REGION", "region");
  }

  /// Where requests for a service go instead of to AWS's endpoint: AWS_ENDPOINT_URL_SERVICE before AWS_ENDPOINT_URL
  /// before SERVICE.endpoint_url in the services section of the profile before its endpoint_url; as written. `variable`
  /// is the service's name as in variables ("SQS"), `key` as in the file ("sqs"). Errors: configuration.
  Result<std::optional<std::string>> endpoint_url(const std::string& variable, const std::string& key) const {
    Result<bool> ignored = flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
    if (!ignored) return std::move(ignored).error();
    if (*ignored) return std::optional<std::string>();
    for (const std::string& name : {"AWS_ENDPOINT_URL_" + variable, std::string("AWS_ENDPOINT_URL")})
      if (auto url = environment_.find(name)) return url;
    const std::optional<Profile> profile = this->profile();
    if (!profile) return std::optional<std::string>();
    if (const auto services = profile->find("services")) {
      const ConfigSection* section = files_.section("services " + *services);
      if (section == nullptr)
        return configuration_error("AWS profile " + profile_name_ + " names services " + *services +
                                   ", which is not in " + files_.config_path());
      if (auto url = Profile::find_in(section, key + ".endpoint_url")) return url;
    }
    return profile->find("endpoint_url");
  }

 private:
  AwsSettings(Environment environment, SharedFiles files, std::string profile_name)
      : environment_(std::move(environment)), files_(std::move(files)), profile_name_(std::move(profile_name)) {}

  Environment environment_;
  SharedFiles files_;
  std::string profile_name_;
};

}  // namespace dmq::inline DMQ_ABI::auth
