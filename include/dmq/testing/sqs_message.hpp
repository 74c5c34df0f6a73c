#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI::testing {

enum class QueueType { standard, fifo };
enum class DeduplicationScope { queue, message_group };
enum class ThroughputLimit { per_queue, per_message_group };

/// Where messages go that were received `max_receive_count` times and not deleted.
struct RedrivePolicy {
  std::string target_arn{};
  int max_receive_count = 0;
};

/// The attributes of a queue that change how it behaves, with the defaults of SQS.
struct QueueSettings {
  QueueType type = QueueType::standard;
  bool content_based_deduplication = false;
  DeduplicationScope deduplication_scope = DeduplicationScope::queue;
  ThroughputLimit throughput_limit = ThroughputLimit::per_queue;
  std::chrono::seconds visibility_timeout{30};
  std::chrono::seconds delay{0};
  std::chrono::seconds retention{345'600};
  std::chrono::seconds receive_wait{0};
  std::size_t maximum_message_bytes = 1'048'576;
  std::size_t in_flight_limit = 120'000;
  std::optional<RedrivePolicy> redrive{};
  std::string redrive_allow_policy{};  ///< JSON.

  bool is_fifo() const noexcept { return type == QueueType::fifo; }
};

enum class Visibility : std::uint8_t { visible, delayed, in_flight };

/// A message as a queue shows it, which keeps it in another form.
struct HeldMessage {
  Message content{};  ///< With the deduplication id that was in force, also one made from the body.
  std::string message_id{};
  std::uint64_t sequence = 0;  ///< Rises by one with each message of the queue.
  Instant sent{};
  WallTime first_received{};
  Ticks received{};
  int receive_count = 0;
  int received_elsewhere = 0;        ///< Of these, those before it was moved here.
  std::string dead_letter_source{};  ///< ARN of the queue from which it was moved here.
  Visibility visibility = Visibility::visible;
  Ticks visible_at{};  ///< When it is delayed or in flight.
};

/// What a receive asks for.
struct ReceiveOrder {
  std::size_t max_messages = 1;
  std::optional<std::chrono::seconds> visibility_timeout{};  ///< Nothing: the queue's.
  std::string attempt_id{};                                  ///< FIFO only.
};

/// A message with the handle that this receive gave out.
struct Received {
  HeldMessage message{};
  std::string receipt_handle{};
};

enum class ReceiveVerdict { done, attempt_not_valid, over_limit };
struct ReceiveOutcome {
  ReceiveVerdict verdict = ReceiveVerdict::done;
  std::vector<Received> messages{};
  std::vector<HeldMessage> dead{};  ///< Were received too often: they left the queue, for its dead-letter queue.
};

/// What a queue says to a receipt handle. Garbage was never given out by it; a stale handle was replaced by that of a
/// later receive; beyond_limit: the message would stay invisible for more than twelve hours after its receive.
enum class HandleVerdict { valid, garbage, expired, stale, gone, beyond_limit };

/// As SQS writes it: 20 digits, of a number that does not fit into 64 bits.
inline std::string sequence_text(std::uint64_t sequence) {
  return "1884949" + std::to_string(6'460'467'696'128 + sequence * 256);
}

}  // namespace dmq::inline DMQ_ABI::testing
