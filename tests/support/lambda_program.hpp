#pragma once

#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <utility>

namespace support {

/// The program lambda_consumer in a process of its own, with nothing but a runtime API's address in its environment.
/// The variable DMQ_LAMBDA_PROGRAM names another one to take instead.
class LambdaProgram {
 public:
  explicit LambdaProgram(const std::string& address) {
    const char* other = std::getenv("DMQ_LAMBDA_PROGRAM");
    std::string program = other != nullptr ? other : DMQ_LAMBDA_CONSUMER;
    std::string variable = "AWS_LAMBDA_RUNTIME_API=" + address;
    char* arguments[] = {program.data(), nullptr};
    char* environment[] = {variable.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(output_), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(errors_), STDERR_FILENO);
    if (posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environment) != 0) std::terminate();
    posix_spawn_file_actions_destroy(&actions);
  }
  LambdaProgram(const LambdaProgram&) = delete;
  LambdaProgram& operator=(const LambdaProgram&) = delete;
  ~LambdaProgram() {
    stop(SIGKILL);
    std::fclose(output_);
    std::fclose(errors_);
  }

  /// Sends the signal and waits. The exit status, or -1 when a signal ended it.
  int stop(int signal = SIGTERM) {
    if (process_ > 0) kill(process_, signal);
    return wait();
  }
  int wait() {
    int status = 0;
    rusage used{};
    if (process_ > 0 && wait4(process_, &status, 0, &used) == process_) {
      exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      process_ = 0;
      cpu_ = time(used.ru_utime) + time(used.ru_stime);
    }
    return exit_status_;
  }

  /// After it has ended.
  std::string output() const { return text(output_); }
  std::string errors() const { return text(errors_); }
  std::chrono::microseconds cpu() const { return cpu_; }

  /// Memory in use, in kB.
  long resident() const {
    std::ifstream file("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    return -1;
  }

 private:
  static std::chrono::microseconds time(const timeval& at) {
    return std::chrono::seconds(at.tv_sec) + std::chrono::microseconds(at.tv_usec);
  }
  static std::string text(std::FILE* file) {
    std::rewind(file);
    std::string text;
    for (int c = 0; (c = std::getc(file)) != EOF;) text.push_back(static_cast<char>(c));
    return text;
  }

  pid_t process_ = 0;
  int exit_status_ = -1;
  std::chrono::microseconds cpu_{};
  std::FILE* output_ = std::tmpfile();
  std::FILE* errors_ = std::tmpfile();
};

}  // namespace support
