#pragma once

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>

extern "C" char** environ;

namespace dmq::inline DMQ_ABI::auth {

/// What a program left when it had ended.
struct ProcessResult {
  std::optional<int> exit_status{};  ///< Nothing when it was killed, or this process ignores SIGCHLD.
  bool killed = false;
  std::string output{};  ///< Its standard output,
  std::string errors{};  ///< and its standard error.
};

namespace detail {

/// A file descriptor that closes itself and that no other program inherits.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }
  void close() noexcept { Descriptor ended(std::exchange(number_, -1)); }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read{};
  Descriptor write{};

  /// False without descriptors left.
  bool open() noexcept {
    int ends[2] = {-1, -1};
#ifdef __linux__
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
#else
    if (::pipe(ends) != 0) return false;
#endif
    // Above those that the child gives its standard streams.
    const Descriptor low_read(ends[0]);
    const Descriptor low_write(ends[1]);
    read = Descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, 3));
    write = Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3));
    return read.is_open() && write.is_open();
  }
};

/// A running program in a process group of its own.
class ChildProcess {
 public:
  static constexpr std::size_t output_limit_bytes = std::size_t{64} << 10U;

  ~ChildProcess() {
    if (pid_ > 0) kill();
  }
  ChildProcess() = default;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Errors: configuration when there is no such program, network without descriptors or memory.
  Result<void> start(const std::vector<std::string>& arguments);

  /// Reads what it prints until it has ended. Errors: timeout, cancelled, protocol (it prints too much); then it is
  /// killed with all that it has started.
  Result<ProcessResult> finish(Duration limit, const std::stop_token& stop);

 private:
  int spawn(const std::vector<std::string>& arguments);
  void kill() noexcept;
  Result<void> read(ProcessResult& result, Ticks deadline, const std::stop_token& stop);
  Result<void> wait(ProcessResult& result, Ticks deadline, const std::stop_token& stop);
  Result<void> pause(Ticks deadline, Duration at_most, const std::stop_token& stop);
  static bool take(Descriptor& from, std::string& into);

  pid_t pid_ = -1;
  Pipe output_{};
  Pipe errors_{};
  Pipe wake_{};
};

inline Result<void> ChildProcess::start(const std::vector<std::string>& arguments) {
  if (!output_.open() || !errors_.open() || !wake_.open())
    return Error{.kind = ErrorKind::network, .message = "no file descriptors are left to run a program"};
  const int code = spawn(arguments);
  output_.write.close();
  errors_.write.close();
  if (code == 0) return {};
  pid_ = -1;
  if (code == ENOMEM || code == EAGAIN)
    return Error{.kind = ErrorKind::network, .message = "the system has no room to run another program"};
  return configuration_error("the program can't be run: check its path and its rights");
}

inline int ChildProcess::spawn(const std::vector<std::string>& arguments) {
  std::vector<char*> pointers;
  // posix_spawn only reads them.
  for (const std::string& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  if (const int code = posix_spawn_file_actions_init(&actions); code != 0) return code;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output_.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors_.write.get(), STDERR_FILENO);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
  posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);  // Sockets, which libcurl leaves open.
#endif
#endif
  int code = posix_spawnattr_init(&attributes);
  if (code == 0) {
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (const int number : {SIGPIPE, SIGCHLD, SIGINT, SIGTERM}) sigaddset(&usual, number);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    code = posix_spawnp(&pid_, pointers[0], &actions, &attributes, pointers.data(), environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return code;
}

inline Result<ProcessResult> ChildProcess::finish(Duration limit, const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this]() noexcept { (void)!::write(wake_.write.get(), "", 1); });
  const Ticks deadline = SystemClock().ticks() + limit;
  ProcessResult result;
  if (Result<void> ok = read(result, deadline, stop); !ok) return kill(), std::move(ok).error();
  if (Result<void> ok = wait(result, deadline, stop); !ok) return kill(), std::move(ok).error();
  return result;
}

inline Result<void> ChildProcess::read(ProcessResult& result, Ticks deadline, const std::stop_token& stop) {
  while (output_.read.is_open() || errors_.read.is_open()) {
    if (Result<void> ok = pause(deadline, Duration::max(), stop); !ok) return ok;
    if (!take(output_.read, result.output) || !take(errors_.read, result.errors))
      return Error{.kind = ErrorKind::protocol, .message = "the program prints more than 64 KiB"};
  }
  return {};
}

/// False when it is too much.
inline bool ChildProcess::take(Descriptor& from, std::string& into) {
  pollfd ready{from.get(), POLLIN, 0};
  if (!from.is_open() || ::poll(&ready, 1, 0) <= 0) return true;
  std::array<char, 4096> block{};
  const ssize_t size = ::read(from.get(), block.data(), block.size());
  if (size > 0) into.append(block.data(), static_cast<std::size_t>(size));
  if (size == 0 || (size < 0 && errno != EINTR)) from.close();
  return into.size() <= output_limit_bytes;
}

/// It may go on without its streams, and nothing tells of its end.
inline Result<void> ChildProcess::wait(ProcessResult& result, Ticks deadline, const std::stop_token& stop) {
  for (Duration nap = std::chrono::milliseconds(1);; nap = std::min<Duration>(nap * 2, std::chrono::milliseconds(50))) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == pid_ || (ended < 0 && errno != EINTR)) {
      pid_ = -1;
      result.killed = ended > 0 && WIFSIGNALED(status);
      if (ended > 0 && WIFEXITED(status)) result.exit_status = WEXITSTATUS(status);
      return {};
    }
    if (Result<void> ok = pause(deadline, nap, stop); !ok) return ok;
  }
}

/// Until it prints something, `at_most` has passed, or it may not go on.
inline Result<void> ChildProcess::pause(Ticks deadline, Duration at_most, const std::stop_token& stop) {
  const Duration left = deadline - SystemClock().ticks();
  if (stop.stop_requested())
    return Error{.kind = ErrorKind::cancelled, .message = "stopped by the caller while a program ran"};
  if (left <= Duration::zero())
    return Error{.kind = ErrorKind::timeout, .message = "the program did not end within its time limit"};
  const auto milliseconds =
      std::chrono::ceil<std::chrono::milliseconds>(std::min({left, at_most, Duration(std::chrono::hours(1))}));
  std::array<pollfd, 3> sources{pollfd{wake_.read.get(), POLLIN, 0}, pollfd{output_.read.get(), POLLIN, 0},
                                pollfd{errors_.read.get(), POLLIN, 0}};
  ::poll(sources.data(), sources.size(), static_cast<int>(milliseconds.count()));
  return {};
}

inline void ChildProcess::kill() noexcept {
  siginfo_t state{};
  // When the program has reaped it, its number may be another's by now.
  if (::waitid(P_PID, static_cast<id_t>(pid_), &state, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD) {
    pid_ = -1;
    return;
  }
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace detail

/// Runs a program, which is found by PATH, without a shell: its standard input is empty, its environment ours. At most
/// 64 KiB of each of its streams are read. When the limit is over or the stop token fires, it is killed together with
/// what it has started. Errors: configuration (there is no such program), timeout, cancelled, protocol (it prints too
/// much), network (the system has no room for it).
inline Result<ProcessResult> run_process(const std::vector<std::string>& arguments, Duration limit,
                                         const std::stop_token& stop) {
  detail::ChildProcess child;
  if (Result<void> ok = child.start(arguments); !ok) return std::move(ok).error();
  return child.finish(limit, stop);
}

}  // namespace dmq::inline DMQ_ABI::auth
