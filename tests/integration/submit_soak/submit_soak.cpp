// Submits messages to local_cloud, which loses replies, throttles, times out and revokes tokens, and compares what was
// reported of them with what the queue holds afterwards:
//
//     submit_soak whole|killed [--messages 20000] [--groups 400] [--threads 8] [--route batch|gateway|direct]
//
// A process of its own submits and writes each report to a journal. `whole` waits for its end, `killed` kills it when
// a third of the messages are reported. Exits 1 when a promise of submit() was not kept, 2 for a wrong command line.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <support/local_cloud_program.hpp>

#include "../soak/load.hpp"
#include "../soak/process.hpp"
#include "audit.hpp"
#include "journal.hpp"
#include "produce.hpp"
#include "read_back.hpp"

namespace {

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

std::vector<std::string> command_line(const Arguments& arguments) {
  return {"submit_soak", "produce",
          "--messages",  std::to_string(arguments.load.messages),
          "--groups",    std::to_string(arguments.load.groups),
          "--threads",   std::to_string(arguments.load.threads),
          "--route",     arguments.route,
          "--journal",   arguments.journal};
}

/// Waits until the journal has so many lines; false when its writer ended before.
bool wait_for_lines(const std::string& path, int wanted, Process& writer) {
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
    Process process(command_line(arguments));
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
