#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/auth/sigv4.hpp>
#include <dmq/core/clock.hpp>
#include <dmq/http/message.hpp>

namespace support {

/// The program local_cloud in a process of its own, on a free port of 127.0.0.1, with a queue orders.fifo.
class LocalCloudProgram {
 public:
  /// Returns once the program is ready, or has ended.
  explicit LocalCloudProgram(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{DMQ_LOCAL_CLOUD, "--port", "0", "--queue", "orders.fifo"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    start(all);
    read_environment();
  }
  LocalCloudProgram(const LocalCloudProgram&) = delete;
  LocalCloudProgram& operator=(const LocalCloudProgram&) = delete;
  ~LocalCloudProgram() {
    stop();
    std::fclose(errors_);
  }

  bool ready() const noexcept { return ready_; }
  const std::map<std::string, std::string, std::less<>>& environment() const noexcept { return environment_; }
  std::string variable(std::string_view name) const {
    const auto found = environment_.find(name);
    return found == environment_.end() ? std::string() : found->second;
  }
  std::string origin() const { return variable("AWS_ENDPOINT_URL_SQS"); }
  int port() const { return std::stoi(origin().substr(origin().rfind(':') + 1)); }

  /// Sends the signal and waits. The exit status, or -1 when a signal ended it; the same when it is called again.
  int stop(int signal = SIGTERM) {
    if (process_ > 0) kill(process_, signal);
    return wait();
  }
  int wait() {
    int status = 0;
    if (process_ > 0 && waitpid(process_, &status, 0) == process_) {
      exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      process_ = 0;
    }
    return exit_status_;
  }
  /// What it wrote to standard error, after it has ended.
  std::string errors() const {
    std::rewind(errors_);
    std::string text;
    for (int c = 0; (c = std::getc(errors_)) != EOF;) text.push_back(static_cast<char>(c));
    return text;
  }

  /// A number of /proc/PID/status: "Threads", or "VmRSS" in kB.
  long status(const std::string& name) const {
    std::ifstream file("/proc/" + std::to_string(process_) + "/status");
    for (std::string line; std::getline(file, line);)
      if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
    return -1;
  }

  /// A request to SQS on that queue, signed; `members` are those besides QueueUrl: `"MaxNumberOfMessages":3`.
  dmq::http::Request call(std::string_view operation, std::string_view members) const {
    dmq::http::Request request{.method = dmq::http::Method::post, .url = origin() + "/"};
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    request.headers.add("X-Amz-Target", "AmazonSQS." + std::string(operation));
    request.body.append("{\"QueueUrl\":\"").append(variable("SQS_QUEUE_URL")).append("\"");
    request.body.append(members.empty() ? "" : ",").append(members).append("}");
    const dmq::auth::Credentials credentials{
        variable("AWS_ACCESS_KEY_ID"), dmq::Secret(variable("AWS_SECRET_ACCESS_KEY")), {}};
    const dmq::auth::SigningScope scope{variable("AWS_REGION"), "sqs"};
    const dmq::WallTime now = dmq::SystemClock().now();
    const auto key =
        dmq::auth::signing_key(credentials.secret_access_key, dmq::encoding::amz_date(now).substr(0, 8), scope);
    dmq::auth::sign(request, credentials, key, scope, now).value();
    return request;
  }

 private:
  void start(std::vector<std::string>& arguments) {
    std::array<int, 2> output{};
    if (pipe2(output.data(), O_CLOEXEC) != 0 || errors_ == nullptr) std::terminate();
    std::vector<char*> words;
    for (std::string& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(errors_), STDERR_FILENO);
    if (posix_spawn(&process_, words.front(), &actions, nullptr, words.data(), environ) != 0) std::terminate();
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    output_ = output[0];
  }

  void read_environment() {
    std::string text;
    char byte = 0;
    while (!ready_ && read(output_, &byte, 1) == 1) {
      if (byte != '\n') {
        text.push_back(byte);
        continue;
      }
      ready_ = text == "ready";
      const std::size_t equals = text.find('=');
      if (equals != std::string::npos) environment_[text.substr(0, equals)] = text.substr(equals + 1);
      text.clear();
    }
    close(output_);
    if (!ready_) wait();
  }

  pid_t process_ = 0;
  int output_ = -1;
  std::FILE* errors_ = std::tmpfile();
  bool ready_ = false;
  int exit_status_ = -1;
  std::map<std::string, std::string, std::less<>> environment_;
};

}  // namespace support
