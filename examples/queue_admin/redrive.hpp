#pragma once

#include <chrono>
#include <cstdint>
#include <iostream>
#include <optional>
#include <stop_token>
#include <string>

#include "../command_line.hpp"
#include "../stop_on_signal.hpp"
#include "account.hpp"

namespace detail {
inline void tell_progress(const dmq::sqs::MoveTask& task) {
  std::cerr << "moved " << task.moved;
  if (task.to_move) std::cerr << " of " << *task.to_move;
  std::cerr << '\n';
}

/// Follows the task to its end, and cancels it when a stop is requested.
inline dmq::sqs::MoveTask follow(Sqs& sqs, const std::string& arn, const std::string& handle, std::stop_token stop) {
  dmq::sqs::MoveTask task;
  for (std::int64_t told = -1;;) {
    const auto tasks = sqs.list_message_move_tasks({.source_arn = arn, .max_results = 1}).value();
    if (!tasks.empty()) task = tasks.front();
    if (task.moved != told) tell_progress(task);
    told = task.moved;
    if (!tasks.empty() && !is_active(task.status)) return task;
    if (dmq::SystemClock().sleep_for(std::chrono::seconds(1), stop)) continue;
    stop = {};
    // It may have come to its end just now; the list will tell.
    if (const auto moved = sqs.cancel_message_move_task(handle); !moved)
      std::cerr << "not cancelled: " << moved.error().describe() << '\n';
  }
}
}  // namespace detail

/// Moves the messages of a dead-letter queue back, and prints how many. SIGINT and SIGTERM cancel that.
inline int redrive(Sqs& sqs, CommandLine& arguments) {
  const std::string to = arguments.value("--to").value_or("");
  const auto rate = static_cast<int>(arguments.number("--rate", 0, 1, 500));
  const std::string name = arguments.positional("DEAD_LETTER_QUEUE");
  arguments.finish();

  const StopOnSignal signals;
  const std::string arn = describe(sqs, url_of(sqs, name)).arn;
  const std::string handle =
      sqs.start_message_move_task({.source_arn = arn,
                                   .destination_arn = to,
                                   .messages_per_second = rate > 0 ? std::optional(rate) : std::nullopt})
          .value();
  const dmq::sqs::MoveTask task = detail::follow(sqs, arn, handle, signals.token());
  std::cout << task.moved << std::endl;
  if (task.status == dmq::sqs::MoveStatus::completed) return 0;
  std::cerr << (task.status == dmq::sqs::MoveStatus::cancelled ? "cancelled" : "the task failed");
  std::cerr << (task.failure_reason.empty() ? "" : ": " + task.failure_reason) << "; what was moved stays moved\n";
  return 1;
}
