#pragma once

#include <chrono>
#include <iostream>
#include <optional>
#include <string>

#include "../command_line.hpp"
#include "account.hpp"

namespace detail {
inline std::optional<std::chrono::seconds> read_seconds(CommandLine& arguments, const char* option, long least,
                                                        long most) {
  const long value = arguments.number(option, -1, least, most);
  return value < 0 ? std::nullopt : std::optional(std::chrono::seconds(value));
}

/// Makes the queue when there is none of that name.
inline std::string arn_of_dead_letter_queue(Sqs& sqs, const std::string& name, dmq::sqs::QueueAttributes attributes) {
  if (const auto present = sqs.get_queue_url(name)) return describe(sqs, *present).arn;
  attributes.message_retention = std::chrono::days(14);  // The most there is: somebody has to look at them.
  const std::string url = sqs.create_queue({.queue_name = name, .attributes = attributes}).value();
  std::cerr << "made the dead-letter queue " << url << '\n';
  return describe(sqs, url, 5).arn;
}
}  // namespace detail

/// Makes a queue, after its dead-letter queue, and prints its URL.
inline int create(Sqs& sqs, CommandLine& arguments) {
  const auto dead_letter = arguments.value("--dead-letter");
  const auto max_receives = static_cast<int>(arguments.number("--max-receives", 5, 1, 1'000));
  const bool per_queue = arguments.flag("--per-queue");
  dmq::sqs::QueueAttributes attributes{
      .visibility_timeout = detail::read_seconds(arguments, "--visibility", 0, 43'200),
      .message_retention = detail::read_seconds(arguments, "--retention", 60, 1'209'600),
      .delay = detail::read_seconds(arguments, "--delay", 0, 900)};
  const std::string name = arguments.positional("NAME");
  arguments.finish();

  const bool fifo = name.ends_with(".fifo");
  if (dead_letter && dead_letter->ends_with(".fifo") != fifo)
    arguments.fail("the dead-letter queue of a FIFO queue must be a FIFO queue: both names end in .fifo, or neither");
  if (dead_letter == name) arguments.fail("a queue can't be its own dead-letter queue");
  if (fifo) attributes.content_based_deduplication = true;
  if (fifo && !per_queue) {
    attributes.deduplication_scope = dmq::sqs::DeduplicationScope::message_group;
    attributes.fifo_throughput_limit = dmq::sqs::FifoThroughputLimit::per_message_group;
  }
  // What SQS refuses of the queue, it should refuse before the other one is made.
  if (auto ok = dmq::sqs::CreateQueue{.queue_name = name, .attributes = attributes}.check(); !ok)
    arguments.fail(ok.error().message);
  if (dead_letter) {
    dmq::sqs::QueueAttributes same{.content_based_deduplication = attributes.content_based_deduplication,
                                   .deduplication_scope = attributes.deduplication_scope,
                                   .fifo_throughput_limit = attributes.fifo_throughput_limit};
    attributes.redrive_policy = {.dead_letter_target_arn = detail::arn_of_dead_letter_queue(sqs, *dead_letter, same),
                                 .max_receive_count = max_receives};
  }
  std::cout << sqs.create_queue({.queue_name = name, .attributes = attributes}).value() << std::endl;
  return 0;
}
