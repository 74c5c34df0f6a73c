#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/auth/child_process.hpp>
#include <dmq/auth/credentials.hpp>
#include <dmq/auth/credentials_json.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// A command line as words, by the quoting of a POSIX shell and nothing else of it: spaces part words, what stands in
/// single quotes is as it is, a backslash takes the next character as it is (in double quotes: of \ " $ ` only).
/// Errors: configuration.
inline Result<std::vector<std::string>> split_command(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool blank = c == ' ' || c == '\t' || c == '\n';
    if (quote == 0 && blank) {
      in_word = false;
      continue;
    }
    if (!std::exchange(in_word, true)) words.emplace_back();
    if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'' && i + 1 < line.size() &&
               (quote == 0 || std::string_view("\\\"$`").find(line[i + 1]) != std::string_view::npos)) {
      words.back().push_back(line[++i]);
    } else {
      words.back().push_back(c);
    }
  }
  if (quote != 0) return configuration_error("a quote is not closed");
  if (words.empty() || words.front().empty()) return configuration_error("it names no program");
  return words;
}

/// The `credential_process` of a profile: a program that prints keys as JSON (AWS SDKs and Tools reference, "Process
/// credential provider"). It is run by the thread that fetches.
class ProcessCredentials {
 public:
  /// `profile` is for errors.
  ProcessCredentials(std::string command, std::string profile, json::Parser parser,
                     Duration limit = std::chrono::seconds(60))
      : command_(std::move(command)), profile_(std::move(profile)), parser_(parser), limit_(limit) {}

  /// Errors: configuration (there is no such program, or it fails; with what it wrote to its standard error, never to
  /// its standard output), timeout, cancelled, protocol.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> fetch(Transport&, Instant now, const std::stop_token& stop) const {
    Result<std::vector<std::string>> words = split_command(command_);
    if (!words) return named(std::move(words).error());
    Result<ProcessResult> ended = run_process(*words, limit_, stop);
    if (!ended) return named(std::move(ended).error());
    if (ended->killed || ended->exit_status.value_or(0) != 0) {
      Secret::wipe(ended->output.data(), ended->output.size());
      return failure(*ended);
    }
    Result<Fetched<Credentials>> fetched = parse(ended->output, now);
    Secret::wipe(ended->output.data(), ended->output.size());
    if (!fetched) return named(std::move(fetched).error());
    return fetched;
  }

 private:
  Result<Fetched<Credentials>> parse(std::string_view output, Instant now) const {
    constexpr std::string_view source = "the keys that it prints";
    json::Document document;
    if (Result<void> parsed = parser_(output, document, {}); !parsed)
      return Error{.kind = ErrorKind::protocol, .message = "what it prints is " + parsed.error().message};
    const json::Value root = document.root();
    if (root["Version"].integer() != 1)
      return Error{.kind = ErrorKind::protocol, .message = "what it prints has no \"Version\": 1"};
    return to_credentials(key_texts(root, "SessionToken"), now.wall, source).and_then([&](Fetched<Credentials>&& keys) {
      return refuse_expired(std::move(keys), source);
    });
  }

  Error failure(const ProcessResult& ended) const {
    constexpr std::size_t shown_bytes = 500;
    std::string what = ended.killed ? "it was killed" : "it ended with status " + std::to_string(*ended.exit_status);
    const std::string_view errors = encoding::trim(ended.errors);
    if (!errors.empty()) what.append(": ").append(errors.substr(0, shown_bytes));
    return named(configuration_error(std::move(what)));
  }

  Error named(Error error) const {
    error.message = "credential_process of AWS profile " + profile_ + ": " + error.message;
    return error;
  }

  std::string command_;
  std::string profile_;
  json::Parser parser_;
  Duration limit_;
};

}  // namespace dmq::inline DMQ_ABI::auth
