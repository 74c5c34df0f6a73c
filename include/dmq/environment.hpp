#pragma once

#include <cstdlib>
#include <fstream>
#include <ios>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI {

/// Settings by name: the environment of the process, and behind it those of a file or a map. An empty value counts as
/// absent. Lookups read the process environment as it then is: not while another thread changes it.
class Environment {
 public:
  using Values = std::map<std::string, std::string, std::less<>>;

  /// The environment of the process alone.
  static Environment process() { return Environment(Source::process_first, {}); }

  /// These values alone.
  static Environment of(Values values) { return Environment(Source::values_only, std::move(values)); }

  /// The process environment, then `path`, a file of `NAME=value` lines: blank lines and `# comments` are skipped,
  /// `export ` in front is allowed, and a value may stand in single quotes (as it is) or double quotes (with \n \r \t
  /// \" \\). Errors: configuration, with the line, never with its content.
  static Result<Environment> with_file(const std::string& path);

  std::optional<std::string> find(const std::string& name) const {
    if (source_ == Source::process_first)
      if (const char* value = std::getenv(name.c_str()); value != nullptr && *value != '\0') return value;
    const auto it = values_.find(name);
    if (it == values_.end() || it->second.empty()) return std::nullopt;
    return it->second;
  }

  /// configuration when it is absent, with `meaning`: what the variable should hold.
  Result<std::string> require(const std::string& name, std::string_view meaning) const {
    if (auto value = find(name)) return *std::move(value);
    return configuration_error("environment variable " + name + " is not set; it should be " + std::string(meaning));
  }

  /// Reads the text of such a file; `name` is for errors.
  static Result<Values> parse(std::string_view text, const std::string& name);

 private:
  enum class Source { process_first, values_only };
  Environment(Source source, Values values) : source_(source), values_(std::move(values)) {}

  static Result<std::string> unquote(std::string_view value);

  Source source_;
  Values values_;
};

inline Result<Environment> Environment::with_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return configuration_error("can't read the environment file " + path);
  std::string text;
  try {
    text.assign(std::istreambuf_iterator<char>(file), {});
  } catch (const std::ios_base::failure&) {  // A directory opens and can't be read.
    return configuration_error("can't read the environment file " + path);
  }
  Result<Values> values = parse(text, path);
  if (!values) return std::move(values).error();
  return Environment(Source::process_first, *std::move(values));
}

inline Result<Environment::Values> Environment::parse(std::string_view text, const std::string& name) {
  Values values;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // A byte order mark would become part of a name.
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = encoding::trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = encoding::trim(line.substr(7));
    const std::size_t equals = line.find('=');
    const std::string where = name + ", line " + std::to_string(number);
    const std::string_view key = encoding::trim(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty() || key.find_first_of(" \t\"'") != std::string_view::npos)
      return configuration_error(where + ": expected NAME=value");
    Result<std::string> value = unquote(encoding::trim(line.substr(equals + 1)));
    if (!value) return configuration_error(where + ": " + value.error().message);
    values.insert_or_assign(std::string(key), *std::move(value));
  }
  return values;
}

inline Result<std::string> Environment::unquote(std::string_view value) {
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) return std::string(value);
  const char quote = value.front();
  std::string out;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == quote) {
      const std::string_view rest = encoding::trim(value.substr(i + 1));
      if (rest.empty() || rest.front() == '#') return out;
      return configuration_error("text after the closing quote");
    }
    if (quote == '\'' || value[i] != '\\' || i + 1 == value.size()) {
      out.push_back(value[i]);
      continue;
    }
    const char escaped = value[++i];
    out.push_back(escaped == 'n' ? '\n' : escaped == 'r' ? '\r' : escaped == 't' ? '\t' : escaped);
  }
  return configuration_error("the closing quote is missing");
}

}  // namespace dmq::inline DMQ_ABI
