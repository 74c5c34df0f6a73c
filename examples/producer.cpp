// Publishes the lines of standard input, through the gateway or straight to SQS.

#include <dmq/dmq.hpp>

#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "command_line.hpp"
#include "escape.hpp"

namespace {

struct Settings {
  std::optional<std::string> group;
  bool escaped = false;
  std::size_t batch = 1;
};

dmq::Message read_message(std::string line, const Settings& settings) {
  dmq::Message message{.group = settings.group.value_or("")};
  if (!settings.group) {
    const std::size_t tab = std::min(line.find('\t'), line.size());
    message.group = line.substr(0, tab);
    line.erase(0, tab + 1);
  }
  message.body = settings.escaped ? unescape(line) : std::move(line);
  return message;
}

/// Publishes in order; after a failure the rest of its group is held back, so that no gap closes behind it.
template <class Producer>
int publish_lines(Producer producer, const Settings& settings, std::stop_token stop = {}) {
  std::set<std::string> held_back;
  std::size_t failed = 0;
  bool more = true;
  while (more) {
    std::vector<dmq::Message> messages;
    for (std::string line; messages.size() < settings.batch && (more = bool(std::getline(std::cin, line)));) {
      dmq::Message message = read_message(std::move(line), settings);
      if (!held_back.contains(message.group))
        messages.push_back(std::move(message));
      else
        ++failed;
    }
    for (const dmq::PublishResult& result : producer.publish_batch(std::move(messages), stop)) {
      if (result) {
        std::cout << result->message_id << '\t' << result->sequence_number << '\n';
        continue;
      }
      std::cerr << "group " << result.error().returned.group << ": " << result.error().describe() << '\n';
      held_back.insert(result.error().returned.group);
      ++failed;
    }
    std::cout.flush();
  }
  if (failed > 0) std::cerr << failed << " messages were not accepted\n";
  return failed > 0 ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try {
  CommandLine arguments(argc, argv,
                        "producer [--group G] [--batch] [--direct] [--escaped] < LINES\n"
                        "Each line is GROUP<TAB>BODY, or a body with --group.");
  Settings settings{.group = arguments.value("--group"), .escaped = arguments.flag("--escaped")};
  const bool batch = arguments.flag("--batch");
  const bool direct = arguments.flag("--direct");
  arguments.finish();
  if (batch) settings.batch = 100;

  const dmq::LogObserver log(stderr, dmq::Level::warning);
  if (direct) return publish_lines(dmq::make_producer(dmq::QueueOptions::from_env().value(), log).value(), settings);
  const auto options = dmq::GatewayOptions::from_env().value();
  if (!batch) return publish_lines(dmq::make_producer(options, log).value(), settings);
  return publish_lines(dmq::make_producer<dmq::gateway::BatchRoute>(options, log).value(), settings);
} catch (const dmq::Exception& exception) {
  std::cerr << exception.what() << '\n';
  return 1;
}
