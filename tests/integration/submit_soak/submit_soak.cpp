// Submits messages to local_cloud, which loses replies, throttles, times out and revokes tokens, and compares what was
// reported of them with what the queue holds afterwards:
//
//     submit_soak whole|killed [--messages 20000] [--groups 400] [--threads 8] [--route batch|gateway|direct]
//
// A process of its own submits and writes each report to a journal. `whole` waits for its end, `killed` kills it when
// a third of the messages are reported. Exits 1 when a promise of submit() was not kept, 2 for a wrong command line.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <support/local_cloud_program.hpp>

#include "audit.hpp"
#include "journal.hpp"
#include "load.hpp"
#include "produce.hpp"
#include "read_back.hpp"

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

struct Arguments {
  std::string part{};
  Load load{.messages = sanitized ? 5000 : 20'000, .groups = sanitized ? 125 : 400};
  std::string route = "batch";
  std::string journal{};  ///< Of the process that submits.
};

[[noreturn]] void usage(const std::string& why) {
  std::fprintf(stderr,
               "submit_soak: %s\nusage: submit_soak whole|killed [--messages N] [--groups N] [--threads N] "
               "[--route batch|gateway|direct]\n",
               why.c_str());
  std::exit(2);
}

int positive(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1)
    usage("not a number above zero: " + std::string(text));
  return value;
}

Arguments parse(int count, char** values) {
  Arguments arguments;
  if (count < 2) usage("which part?");
  arguments.part = values[1];
  if (arguments.part != "whole" && arguments.part != "killed" && arguments.part != "produce")
    usage("no such part: " + arguments.part);
  for (int i = 2; i < count; i += 2) {
    const std::string_view name = values[i];
    if (i + 1 == count) usage("a value is missing behind " + std::string(name));
    const std::string_view value = values[i + 1];
    if (name == "--messages") {
      arguments.load.messages = positive(value);
    } else if (name == "--groups") {
      arguments.load.groups = positive(value);
    } else if (name == "--threads") {
      arguments.load.threads = positive(value);
    } else if (name == "--route") {
      arguments.route = value;
    } else if (name == "--journal") {
      arguments.journal = value;
    } else {
      usage("unknown option " + std::string(name));
    }
  }
  if (arguments.route != "batch" && arguments.route != "gateway" && arguments.route != "direct")
    usage("no such route: " + arguments.route);
  return arguments;
}

/// This program once more, as the producer.
class ProducerProcess {
 public:
  explicit ProducerProcess(const Arguments& arguments) {
    std::vector<std::string> words{"submit_soak", "produce",
                                   "--messages",  std::to_string(arguments.load.messages),
                                   "--groups",    std::to_string(arguments.load.groups),
                                   "--threads",   std::to_string(arguments.load.threads),
                                   "--route",     arguments.route,
                                   "--journal",   arguments.journal};
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    std::fflush(stdout);
    if (posix_spawn(&process_, "/proc/self/exe", nullptr, nullptr, pointers.data(), environ) != 0) std::abort();
  }
  ProducerProcess(const ProducerProcess&) = delete;
  ProducerProcess& operator=(const ProducerProcess&) = delete;
  ~ProducerProcess() { end(); }

  bool runs() { return process_ > 0 && waitpid(process_, &status_, WNOHANG) == 0; }
  /// Whether it ended by itself, satisfied.
  bool wait() {
    if (process_ > 0) waitpid(std::exchange(process_, 0), &status_, 0);
    return WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
  }
  void end() {
    if (process_ > 0) kill(process_, SIGKILL);
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

/// Waits until the journal has so many lines; false when its writer ended before.
bool wait_for_lines(const std::string& path, int wanted, ProducerProcess& writer) {
  std::ifstream file(path);
  std::array<char, 65536> part{};
  for (int lines = 0; lines < wanted;) {
    const bool may_grow = writer.runs();
    file.clear();
    file.read(part.data(), part.size());
    lines += static_cast<int>(std::count(part.data(), part.data() + file.gcount(), '\n'));
    if (file.gcount() == 0 && !may_grow) return false;
    if (file.gcount() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

bool compare(const support::LocalCloudProgram& cloud, const Arguments& arguments, Audit::Producer producer) {
  std::string damage;
  Audit audit(arguments.load, producer);
  audit.reported(read_journal(arguments.journal, arguments.load, damage));
  ReadBack queue(cloud, arguments.load);
  queue.run();
  damage.append(queue.damage());
  audit.held(queue.numbers());
  std::fputs(damage.c_str(), stderr);
  return audit.finish() && damage.empty();
}

bool soak(Arguments arguments) {
  support::LocalCloudProgram cloud(
      {"--fault", "lost-reply=0.10", "--fault", "throttle=0.05", "--fault", "timeout=0.01", "--revoke-tokens", "1"});
  if (!cloud.ready()) return false;
  for (const auto& [name, value] : cloud.environment()) setenv(name.c_str(), value.c_str(), 1);
  const JournalFile journal;
  arguments.journal = journal.path();
  bool good = true;
  {
    ProducerProcess process(arguments);
    if (arguments.part == "whole") {
      good = process.wait();
    } else if (!wait_for_lines(journal.path(), arguments.load.messages / 3, process)) {
      std::fprintf(stderr, "the producer ended before it could be killed\n");
      good = false;
    }
  }
  good &= compare(cloud, arguments, arguments.part == "whole" ? Audit::Producer::ended : Audit::Producer::killed);
  good &= cloud.stop() == 0;
  std::printf("faults of the cloud, those of the audit included:\n%s", cloud.errors().c_str());
  return good;
}

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = parse(count, values);
  const bool good =
      arguments.part == "produce" ? produce(arguments.load, arguments.route, arguments.journal) : soak(arguments);
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
