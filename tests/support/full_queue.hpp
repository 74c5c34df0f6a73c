#pragma once

#include <cstddef>
#include <string>

#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/sqs_queue.hpp>

namespace support {

/// A queue with many messages, ten in each group, and what their texts take.
struct FullQueue {
  explicit FullQueue(std::size_t messages, dmq::testing::QueueType type = dmq::testing::QueueType::fifo)
      : groups(messages < 10 ? 1 : messages / 10), queue("queue-id", {.type = type}, 1) {
    for (std::size_t i = 0; i < messages; ++i) send();
  }

  void send() {
    const bool fifo = queue.settings().is_fifo();
    dmq::Message message{.body = std::string(body_bytes, 'b'), .group = "group-" + std::to_string(sent % groups)};
    if (fifo) message.deduplication_id = "deduplication-id-" + std::to_string(sent);
    text_bytes += message.body.size() + message.deduplication_id.size();
    if (sent < groups || !fifo) text_bytes += message.group.size();
    queue.send(std::move(message), {}, now);
    ++sent;
  }
  dmq::testing::Received receive(std::chrono::seconds timeout) {
    return std::move(queue.receive({.max_messages = 1, .visibility_timeout = timeout}, now).messages.at(0));
  }
  void receive_and_remove() { queue.remove(receive(std::chrono::seconds(30)).receipt_handle, now); }

  static constexpr std::size_t body_bytes = 64;
  static constexpr std::size_t message_id_bytes = 16;

  std::size_t groups;
  std::size_t sent = 0;
  std::size_t text_bytes = 0;  ///< Bodies, deduplication ids and the names of groups, of all messages ever sent.
  dmq::testing::SqsQueue queue;
  dmq::Instant now = dmq::testing::ManualClock::default_start;
};

}  // namespace support
