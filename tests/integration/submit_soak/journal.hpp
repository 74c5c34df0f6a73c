#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/publish_result.hpp>

#include "../soak/line_file.hpp"
#include "../soak/load.hpp"

/// How a message ended, as its callback heard it.
enum class Outcome { accepted, rejected, unknown, not_sent };

inline constexpr std::array<std::string_view, 4> outcome_names = {"accepted", "rejected", "unknown", "not_sent"};

inline Outcome outcome_of(const dmq::PublishResult& result) {
  if (result) return Outcome::accepted;
  switch (result.error().delivery) {
    case dmq::DeliveryState::unknown: return Outcome::unknown;
    case dmq::DeliveryState::rejected: return Outcome::rejected;
    case dmq::DeliveryState::not_sent: break;
  }
  return Outcome::not_sent;
}

struct Report {
  Name name{};
  Outcome outcome = Outcome::not_sent;
};

/// Reports in a file, a line each.
class Journal {
 public:
  explicit Journal(const std::string& path) : file_(path) {}

  void append(const Report& report) const {
    std::string line = report.name.body();
    line.append(" ").append(outcome_names[static_cast<std::size_t>(report.outcome)]).append("\n");
    file_.append(line);
  }

 private:
  LineFile file_;
};

/// All reports in order; a line that is none, or was cut off, becomes part of `damage`.
inline std::vector<Report> read_journal(const std::string& path, const Load& load, std::string& damage) {
  std::vector<Report> reports;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t space = std::min(line.rfind(' '), line.size());
    const auto name = Name::parse(std::string_view(line).substr(0, space), load);
    std::size_t outcome = 0;
    while (outcome < outcome_names.size() && (space == line.size() || line.substr(space + 1) != outcome_names[outcome]))
      ++outcome;
    if (name && outcome < outcome_names.size() && !file.eof())
      reports.push_back({*name, static_cast<Outcome>(outcome)});
    else
      damage.append(unusable_line(line));
  }
  return reports;
}
