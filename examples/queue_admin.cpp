// Makes queues with their dead-letter queues, shows them, brings dead letters back, empties and deletes.

#include <dmq/dmq.hpp>

#include <cstdint>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include "command_line.hpp"
#include "queue_admin/account.hpp"
#include "queue_admin/confirm.hpp"
#include "queue_admin/create.hpp"
#include "queue_admin/redrive.hpp"

namespace {

constexpr const char* usage =
    "queue_admin create NAME [--dead-letter NAME] [--max-receives 5] [--visibility SECONDS] [--retention SECONDS]\n"
    "                          [--delay SECONDS] [--per-queue]\n"
    "       queue_admin show NAME\n"
    "       queue_admin list [PREFIX]\n"
    "       queue_admin redrive DEAD_LETTER_QUEUE [--to ARN] [--rate MESSAGES_PER_SECOND]\n"
    "       queue_admin purge NAME [--yes]\n"
    "       queue_admin delete NAME [--yes]\n"
    "\n"
    "create          A name that ends in .fifo makes a FIFO queue: with content-based deduplication, and with\n"
    "                deduplication and throughput limit by message group, or by queue with --per-queue. After\n"
    "                --max-receives a message goes to the dead-letter queue, which is made when there is none.\n"
    "redrive         moves dead letters back to the queues they came from, or to another; Ctrl-C cancels it.\n"
    "purge, delete   ask for the queue's name to be typed; --yes, for scripts, does without.\n"
    "\n"
    "The environment gives region, endpoint and access key; SQS_QUEUE_URL is not needed. Exit status: 0 done, 1 not\n"
    "done, 2 wrong arguments.";

void print(std::string_view name, std::string_view value) {
  std::cout << name << '\t' << value << '\n';
}

void print(std::string_view name, dmq::WallTime time) {
  print(name, dmq::encoding::iso_date(time));
}

int show(Sqs& sqs, CommandLine& arguments) {
  const std::string name = arguments.positional("NAME");
  arguments.finish();
  const std::string url = url_of(sqs, name);
  const dmq::sqs::QueueDescription queue = describe(sqs, url);
  print("url", url);
  print("arn", queue.arn);
  print("type", queue.fifo ? "fifo" : "standard");
  print("messages", std::to_string(queue.messages));
  print("in flight", std::to_string(queue.in_flight));
  print("delayed", std::to_string(queue.delayed));
  print("created", queue.created);
  print("modified", queue.modified);
  for (const auto& [attribute, value] : to_map(queue.attributes)) print(attribute, value);
  for (const auto& [key, value] : sqs.list_queue_tags(url).value()) print("tag " + key, value);
  for (const std::string& source : sqs.list_all_dead_letter_source_queues(url).value())
    print("dead letters of", source);
  return 0;
}

int list(Sqs& sqs, CommandLine& arguments) {
  const std::string prefix = arguments.positional().value_or("");
  arguments.finish();
  for (const std::string& url : sqs.list_all_queues(prefix).value()) print(url.substr(url.rfind('/') + 1), url);
  return 0;
}

int purge(Sqs& sqs, CommandLine& arguments) {
  const bool yes = arguments.flag("--yes");
  const std::string name = arguments.positional("NAME");
  arguments.finish();
  const std::string url = url_of(sqs, name);
  const dmq::sqs::QueueDescription queue = describe(sqs, url);
  const std::int64_t messages = queue.messages + queue.in_flight + queue.delayed;
  if (!yes && !confirm("This deletes about " + std::to_string(messages) + " messages of " + url + ".", name)) return 1;
  sqs.purge_queue(url).value();
  return 0;
}

int remove(Sqs& sqs, CommandLine& arguments) {
  const bool yes = arguments.flag("--yes");
  const std::string name = arguments.positional("NAME");
  arguments.finish();
  const std::string url = url_of(sqs, name);
  if (!yes && !confirm("This deletes the queue " + url + " and all its messages.", name)) return 1;
  sqs.delete_queue(url).value();
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  CommandLine arguments(argc, argv, usage);
  const std::string command = arguments.positional("the command");
  using Command = int (*)(Sqs&, CommandLine&);
  const std::map<std::string, Command> commands{{"create", create},   {"show", show},   {"list", list},
                                                {"redrive", redrive}, {"purge", purge}, {"delete", remove}};
  const auto found = commands.find(command);
  if (found == commands.end()) arguments.fail("unknown command " + command);
  Sqs sqs = dmq::make_client(dmq::QueueOptions::account_from_env().value()).value();
  return found->second(sqs, arguments);
} catch (const dmq::Exception& exception) {
  std::cerr << exception.what() << '\n';
  return 1;
}
