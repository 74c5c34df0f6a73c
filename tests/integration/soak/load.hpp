#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

/// The messages of a run: each group's are numbered from 0, in the order of their submission.
struct Load {
  int messages = 0;
  int groups = 1;
  int threads = 8;

  int size_of(int group) const { return messages / groups + (group < messages % groups ? 1 : 0); }
};

/// Which message it is.
struct Name {
  int group = 0;
  int number = 0;

  std::string body() const { return std::to_string(group) + " " + std::to_string(number); }
  std::string group_id() const { return "group-" + std::to_string(group); }

  /// Nothing when it is not the body of a message of `load`.
  static std::optional<Name> parse(std::string_view body, const Load& load) {
    Name name;
    const char* const end = body.data() + body.size();
    const auto [space, no_group] = std::from_chars(body.data(), end, name.group);
    if (no_group != std::errc() || space == end || *space != ' ') return std::nullopt;
    const auto [last, no_number] = std::from_chars(space + 1, end, name.number);
    if (no_number != std::errc() || last != end) return std::nullopt;
    if (name.group < 0 || name.group >= load.groups) return std::nullopt;
    if (name.number < 0 || name.number >= load.size_of(name.group)) return std::nullopt;
    return name;
  }
};
