#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The arguments of an example program: flags and options with a value, each asked for once, then finish().
class CommandLine {
 public:
  CommandLine(int count, char** arguments, std::string usage)
      : arguments_(arguments + 1, arguments + count), usage_(std::move(usage)) {
    if (flag("--help")) leave(stdout, EXIT_SUCCESS);
  }

  bool flag(std::string_view name) { return std::erase(arguments_, name) > 0; }

  std::optional<std::string> value(std::string_view name) {
    const auto it = std::find(arguments_.begin(), arguments_.end(), name);
    if (it == arguments_.end()) return std::nullopt;
    if (it + 1 == arguments_.end()) fail(std::string(name) + " needs a value");
    std::string found = it[1];
    arguments_.erase(it, it + 2);
    return found;
  }

  /// Of an option with two values.
  std::optional<std::pair<std::string, std::string>> pair(std::string_view name) {
    const auto it = std::find(arguments_.begin(), arguments_.end(), name);
    if (it == arguments_.end()) return std::nullopt;
    if (arguments_.end() - it < 3) fail(std::string(name) + " needs two values");
    std::pair<std::string, std::string> found{it[1], it[2]};
    arguments_.erase(it, it + 3);
    return found;
  }

  /// A whole number in a range; ends the program with an explanation when it is something else.
  long number(std::string_view name, long fallback, long least, long most) {
    const auto text = value(name);
    if (!text) return fallback;
    long number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc() || end != text->data() + text->size() || number < least || number > most)
      fail(std::string(name) + " must be a number from " + std::to_string(least) + " to " + std::to_string(most));
    return number;
  }

  /// The first argument that is left, when it is no option. Ask for the options with a value before.
  std::optional<std::string> positional() {
    if (arguments_.empty() || arguments_.front().starts_with('-')) return std::nullopt;
    std::string found = std::move(arguments_.front());
    arguments_.erase(arguments_.begin());
    return found;
  }
  /// The same; ends the program with an explanation when there is none.
  std::string positional(const std::string& meaning) {
    if (auto found = positional()) return *std::move(found);
    fail(arguments_.empty() ? meaning + " is missing" : "unknown argument " + arguments_.front());
  }

  /// Ends the program when something is left that nobody asked for.
  void finish() {
    if (!arguments_.empty()) fail("unknown argument " + arguments_.front());
  }

  /// Ends the program with an explanation.
  [[noreturn]] void fail(const std::string& why) const {
    std::fprintf(stderr, "%s\n", why.c_str());
    leave(stderr, 2);
  }

 private:
  [[noreturn]] void leave(std::FILE* stream, int status) const {
    std::fprintf(stream, "usage: %s\n", usage_.c_str());
    std::exit(status);
  }

  std::vector<std::string> arguments_;
  std::string usage_;
};
