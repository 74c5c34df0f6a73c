#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

/// A file that lines are added to, each of which is the kernel's before append() returns: they outlive the process.
class LineFile {
 public:
  explicit LineFile(const std::string& path)
      : file_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (file_ < 0) std::abort();
  }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  ~LineFile() { close(file_); }

  /// `line` has its end. Threads may append at once.
  void append(std::string_view line) const {
    if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) std::abort();
  }

 private:
  int file_;
};

/// How a line that a reader can't use becomes part of what it says of the damage.
inline std::string unusable_line(std::string_view line) {
  return "a line of the journal is \"" + std::string(line) + "\"\n";
}
