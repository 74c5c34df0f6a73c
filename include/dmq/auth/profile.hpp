#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/config_file.hpp>
#include <dmq/environment.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// A profile's settings in both shared files; valid while those are. An empty setting counts as absent.
struct Profile {
  std::string name{};
  const ConfigSection* credentials = nullptr;  ///< [NAME] of the credentials file,
  const ConfigSection* config = nullptr;       ///< [profile NAME] of the config file.

  static std::optional<std::string> find_in(const ConfigSection* section, std::string_view key) {
    if (section == nullptr) return std::nullopt;
    const auto it = section->find(key);
    return it == section->end() || it->second.empty() ? std::nullopt : std::optional(it->second);
  }

  /// The credentials file comes first.
  std::optional<std::string> find(std::string_view key) const {
    std::optional<std::string> value = find_in(credentials, key);
    return value ? std::move(value) : find_in(config, key);
  }
};

/// The shared files: AWS_CONFIG_FILE or ~/.aws/config, and AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials. Without
/// HOME in the environment there are no others than those named.
class SharedFiles {
 public:
  /// Errors: those of ConfigFile.
  static Result<SharedFiles> read(const Environment& environment) {
    SharedFiles files;
    files.config_path_ = path(environment, "AWS_CONFIG_FILE", "~/.aws/config");
    files.credentials_path_ = path(environment, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
    Result<ConfigFile> config = ConfigFile::read("the AWS config file", files.config_path_);
    if (!config) return std::move(config).error();
    Result<ConfigFile> credentials = ConfigFile::read("the AWS credentials file", files.credentials_path_);
    if (!credentials) return std::move(credentials).error();
    files.config_ = *std::move(config);
    files.credentials_ = *std::move(credentials);
    return files;
  }

  /// Nothing when neither file has it.
  std::optional<Profile> profile(const std::string& name) const {
    Profile profile{.name = name, .credentials = credentials_.find(name), .config = config_.find("profile " + name)};
    if (profile.config == nullptr && name == "default") profile.config = config_.find(name);
    if (profile.config == nullptr && profile.credentials == nullptr) return std::nullopt;
    return profile;
  }

  /// A section of the config file, like "services local".
  const ConfigSection* section(std::string_view name) const { return config_.find(name); }

  /// Empty when it has none.
  const std::string& config_path() const noexcept { return config_path_; }
  const std::string& credentials_path() const noexcept { return credentials_path_; }

 private:
  static std::string path(const Environment& environment, const char* variable, const char* otherwise) {
    std::string path = environment.find(variable).value_or(otherwise);
    if (!path.starts_with("~/")) return path;
    const auto home = environment.find("HOME");
    return home ? *home + path.substr(1) : std::string();
  }

  ConfigFile config_;
  ConfigFile credentials_;
  std::string config_path_;
  std::string credentials_path_;
};

}  // namespace dmq::inline DMQ_ABI::auth
