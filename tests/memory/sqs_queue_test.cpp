#include <doctest/doctest.h>

#include <cstddef>

#include <support/counting_new.hpp>
#include <support/full_queue.hpp>

using dmq::testing::QueueType;
using support::FullQueue;

namespace {

// Indexes double: with this number of messages they have just done so, and a message takes more than with a million.
constexpr std::size_t messages = 100'000;

}  // namespace

TEST_CASE("a message takes at most 250 bytes beyond its body and ids") {
  for (const QueueType type : {QueueType::fifo, QueueType::standard}) {
    CAPTURE(static_cast<int>(type));
    const std::size_t before = support::live_bytes;
    const FullQueue full(messages, type);
    const std::size_t texts = full.text_bytes + messages * FullQueue::message_id_bytes;
    const std::size_t beyond = support::live_bytes - before - texts;
    CAPTURE(beyond / messages);
    CHECK(beyond <= 250 * messages);
    CHECK(full.queue.messages().size() == messages);
  }
}

TEST_CASE("a queue takes no more memory for the messages that come after those which are gone") {
  FullQueue full(messages);
  const std::size_t filled = support::live_bytes;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < messages; ++i) full.receive_and_remove();
    CHECK(full.queue.messages().empty());
    full.now = full.now + dmq::testing::DeduplicationMemory::window;
    for (std::size_t i = 0; i < messages; ++i) full.send();
  }
  CHECK(full.queue.messages().size() == messages);
  CHECK(support::live_bytes < filled + 25 * messages);

  full.queue.purge();
  CHECK(support::live_bytes < filled / 100);
}

TEST_CASE("a copy of a queue gives back all it took") {
  const FullQueue full(1'000);
  const std::size_t before = support::live_bytes;
  {
    FullQueue copy = full;
    copy.receive_and_remove();
    CHECK(support::live_bytes > before);
  }
  CHECK(support::live_bytes == before);
}
