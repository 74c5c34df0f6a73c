#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/core/clock.hpp>

#include "../soak/line_file.hpp"
#include "../soak/load.hpp"

/// What a consumer writes down: of each handling its begin, and how it ended; of messages what became of them.
enum class Mark { begin, done, failed, lost, acknowledged, unconfirmed, abandoned };

inline constexpr std::array<std::string_view, 7> mark_names = {"begin",        "done",        "failed",   "lost",
                                                               "acknowledged", "unconfirmed", "abandoned"};

struct Record {
  std::int64_t time = 0;  ///< In ns, of a clock that all processes of this machine share.
  Mark mark = Mark::begin;
  std::string message_id{};
  std::uint64_t handling = 0;  ///< Of one consumer, from 1; 0 when it is about none.
  Name name{};
};

inline std::int64_t time_now() {
  return dmq::SystemClock().ticks().time_since_epoch().count();
}

/// Records in a file, a line each.
class Journal {
 public:
  explicit Journal(const std::string& path) : file_(path) {}

  void append(Mark mark, std::string_view message_id, std::uint64_t handling = 0, Name name = {}) const {
    std::string line = std::to_string(time_now());
    line.append(" ").append(mark_names[static_cast<std::size_t>(mark)]).append(" ").append(message_id);
    line.append(" ").append(std::to_string(handling)).append(" ").append(name.body()).append("\n");
    file_.append(line);
  }

 private:
  LineFile file_;
};

/// All records in order; a line that is none, or was cut off, becomes part of `damage`.
inline std::vector<Record> read_journal(const std::string& path, std::string& damage) {
  std::vector<Record> records;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Record record;
    std::string mark;
    words >> record.time >> mark >> record.message_id >> record.handling >> record.name.group >> record.name.number;
    const auto found = std::find(mark_names.begin(), mark_names.end(), mark);
    if (words.fail() || file.eof() || found == mark_names.end()) {
      damage.append(unusable_line(line));
      continue;
    }
    record.mark = static_cast<Mark>(found - mark_names.begin());
    records.push_back(std::move(record));
  }
  return records;
}
