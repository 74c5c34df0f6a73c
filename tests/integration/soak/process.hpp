#pragma once

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

/// This program once more, with these words of a command line; it ends with the object at the latest.
class Process {
 public:
  explicit Process(std::vector<std::string> words) {
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    std::fflush(stdout);
    if (posix_spawn(&process_, "/proc/self/exe", nullptr, nullptr, pointers.data(), environ) != 0) std::abort();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() { kill(); }

  bool runs() {
    if (process_ > 0 && waitpid(process_, &status_, WNOHANG) == process_) process_ = 0;
    return process_ > 0;
  }
  /// Whether it ended by itself, satisfied.
  bool wait() {
    if (process_ > 0) waitpid(std::exchange(process_, 0), &status_, 0);
    return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
  }
  void send(int signal) const {
    if (process_ > 0) ::kill(process_, signal);
  }
  /// It has ended when this comes back.
  void kill() {
    send(SIGKILL);
    wait();
  }

 private:
  pid_t process_ = 0;
  int status_ = -1;
};

/// A new empty file that goes with it.
class JournalFile {
 public:
  JournalFile() {
    const int file = mkstemp(path_.data());
    if (file < 0) std::abort();
    close(file);
  }
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile() { std::remove(path_.c_str()); }
  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_ = (std::filesystem::temp_directory_path() / "dmq-journal-XXXXXX").string();
};
