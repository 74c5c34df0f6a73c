// Plays schedules of faults against the engines of producers and consumers, and checks what they promise:
//
//     dmq_sim --profile publish|consume|full --seeds A..B [--threads N] [--break RULE]
//     dmq_sim --profile NAME --seed X [--break RULE]      plays one schedule and tells its story
//     dmq_sim --profile NAME --break list                 names the rules that can be broken
//
// A broken rule ends the run at its first violation, and the same schedule is played with the rule, which has to pass.
//
// Prints how often each kind of fault struck, the first violation with the shortest schedule that shows it, and last
// "S schedules, V violations". Exits 1 when there was a violation, or when a kind of fault never struck in 1,000
// schedules or more; 2 for a wrong command line.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include "campaign.hpp"
#include "consume_profile.hpp"
#include "publish_profile.hpp"

namespace {

[[noreturn]] void usage(const std::string& why) {
  std::fprintf(stderr,
               "dmq_sim: %s\nusage: dmq_sim [--profile publish|consume|full] --seeds A..B | --seed X [--threads N] "
               "[--break RULE]\n",
               why.c_str());
  std::exit(2);
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) usage("not a number: " + std::string(text));
  return value;
}

template <class Profile>
dmq::engine::Rule rule(std::string_view name) {
  for (const auto& [rule, known] : Profile::rules)
    if (known == name) return rule;
  if (name != "list") usage("no such rule: " + std::string(name));
  for (const auto& [rule, known] : Profile::rules) std::printf("%s\n", std::string(known).c_str());
  std::exit(0);
}

struct CommandLine {
  sim::Arguments arguments{.threads = std::max(1U, std::thread::hardware_concurrency())};
  std::string profile = "publish";
  std::string broken{};
};

CommandLine parse(int count, char** values) {
  CommandLine line;
  sim::Arguments& arguments = line.arguments;
  for (int i = 1; i < count; i += 2) {
    const std::string_view name = values[i];
    if (i + 1 == count) usage("a value is missing behind " + std::string(name));
    const std::string_view value = values[i + 1];
    if (name == "--seed") {
      arguments.first = arguments.last = number(value);
      arguments.story = true;
    } else if (name == "--seeds") {
      const std::size_t dots = value.find("..");
      if (dots == std::string_view::npos) usage("seeds are given as A..B");
      arguments.first = number(value.substr(0, dots));
      arguments.last = number(value.substr(dots + 2));
    } else if (name == "--profile") {
      line.profile = value;
    } else if (name == "--threads") {
      arguments.threads = static_cast<unsigned>(std::max<std::uint64_t>(1, number(value)));
    } else if (name == "--break") {
      line.broken = value;
    } else {
      usage("unknown option " + std::string(name));
    }
  }
  if (arguments.last < arguments.first && line.broken != "list") usage("no seeds are given");
  return line;
}

template <class Profile>
int run(CommandLine line) {
  if (!line.broken.empty()) line.arguments.broken = rule<Profile>(line.broken);
  dmq::engine::broken_rule = line.arguments.broken;
  if (line.arguments.story) return sim::story<Profile>(line.arguments.first);
  return sim::Campaign<Profile>(line.arguments).run();
}

}  // namespace

int main(int count, char** values) {
  const CommandLine line = parse(count, values);
  if (line.profile == "publish") return run<sim::publish::Profile>(line);
  if (line.profile == "consume") return run<sim::consume::Profile>(line);
  if (line.profile == "full") return run<sim::consume::FullProfile>(line);
  usage("no such profile: " + line.profile);
}
