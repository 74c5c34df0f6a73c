#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/text_file.hpp>
#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// The settings of a section by their names in lower case. What is nested under `parent =` is "parent.child".
using ConfigSection = std::map<std::string, std::string, std::less<>>;

/// One of the two files that AWS's tools share, `config` or `credentials` (AWS SDKs and Tools reference, "Shared config
/// and credentials files"): `[section]` lines with `name = value` lines under them. A line that begins with # or ; is a
/// comment, and so is what follows one of them behind a space. A line that is indented deeper than the setting before
/// it goes on with that setting: nested under an empty one, a further line of any other. A section that comes twice is
/// one; of settings with one name the last counts.
class ConfigFile {
 public:
  /// `name` is for errors. Errors: configuration, with the line, never with its content.
  static Result<ConfigFile> parse(std::string_view text, const std::string& name);

  /// A file that is not there, or has no path, has no sections. Errors: those of parse(); configuration when it can't
  /// be read.
  static Result<ConfigFile> read(std::string_view what, const std::string& path) {
    if (path.empty()) return ConfigFile();
    Result<std::optional<std::string>> text = read_text_file(what, path);
    if (!text) return std::move(text).error();
    return *text ? parse(**text, path) : ConfigFile();
  }

  /// By its name as in "[profile dev]"; spaces count once, quotes around a part not at all. Null when there is none.
  const ConfigSection* find(std::string_view section) const {
    const auto it = sections_.find(section);
    return it == sections_.end() ? nullptr : &it->second;
  }

 private:
  struct Position;
  static Result<void> read_line(std::string_view line, ConfigFile& file, Position& at);
  static std::string section_name(std::string_view written);

  std::map<std::string, ConfigSection, std::less<>> sections_;
};

namespace detail {
inline std::string_view without_comment(std::string_view text) noexcept {
  for (std::size_t i = 1; i < text.size(); ++i)
    if ((text[i] == '#' || text[i] == ';') && (text[i - 1] == ' ' || text[i - 1] == '\t')) return text.substr(0, i);
  return text;
}
}  // namespace detail

struct ConfigFile::Position {
  ConfigSection* section = nullptr;
  std::string setting{};   ///< The one that a deeper line belongs to, if any.
  std::size_t indent = 0;  ///< Of that one's line.
};

inline Result<ConfigFile> ConfigFile::parse(std::string_view text, const std::string& name) {
  ConfigFile file;
  Position at;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (Result<void> ok = read_line(line, file, at); !ok)
      return configuration_error(name + ", line " + std::to_string(number) + ": " + ok.error().message);
  }
  return file;
}

inline Result<void> ConfigFile::read_line(std::string_view line, ConfigFile& file, Position& at) {
  const std::string_view content = encoding::trim(line);
  if (content.empty() || content.front() == '#' || content.front() == ';') return {};
  const std::size_t indent = line.find_first_not_of(" \t");
  if (content.front() == '[') {
    const std::size_t close = content.find(']');
    if (close == std::string_view::npos) return configuration_error("the closing bracket of the section is missing");
    at = Position{.section = &file.sections_[section_name(content.substr(1, close - 1))]};
    return {};
  }
  if (at.section == nullptr) return configuration_error("a setting stands before the first [section]");

  const bool deeper = !at.setting.empty() && indent > at.indent;
  if (deeper && !(*at.section)[at.setting].empty()) {
    (*at.section)[at.setting].append("\n").append(content);
    return {};
  }
  const std::size_t equals = content.find('=');
  const std::string key = encoding::lower(encoding::trim(content.substr(0, equals)));
  if (equals == std::string_view::npos || key.empty()) return configuration_error("expected NAME = VALUE");
  std::string value(encoding::trim(detail::without_comment(content.substr(equals)).substr(1)));
  if (deeper) {
    at.section->insert_or_assign(at.setting + "." + key, std::move(value));
    return {};
  }
  at.setting = key;
  at.indent = indent;
  at.section->insert_or_assign(key, std::move(value));
  return {};
}

inline std::string ConfigFile::section_name(std::string_view written) {
  std::string name;
  for (written = encoding::trim(written); !written.empty(); written = encoding::trim(written)) {
    const bool quoted = written.front() == '"' || written.front() == '\'';
    const std::size_t end = quoted ? written.find(written.front(), 1) : written.find_first_of(" \t");
    const std::string_view part =
        written.substr(quoted ? 1 : 0, quoted && end != std::string_view::npos ? end - 1 : end);
    if (!name.empty()) name.push_back(' ');
    name.append(part);
    written = end == std::string_view::npos ? std::string_view() : written.substr(end + 1);
  }
  return name;
}

}  // namespace dmq::inline DMQ_ABI::auth
