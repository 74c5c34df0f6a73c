#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <dmq/core/error.hpp>
#include <dmq/delivery.hpp>
#include <dmq/lease.hpp>
#include <dmq/run_report.hpp>
#include <dmq/sqs/received_message.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// A message in the hands of a handler.
struct Claim {
  std::uint64_t id = 0;  ///< Of this claim, in its run.
  std::shared_ptr<const Delivery> delivery{};
  Lease lease;
};

/// What came of a handler.
struct Handled {
  Disposition disposition{};
  std::optional<Error> error{};  ///< Why it is to be tried again, when the handler threw.
};

struct ConsumeLane;

/// A message that was taken and is not done.
struct Held {
  enum class State {
    waiting,   ///< For its turn and a worker.
    running,   ///< In a handler.
    finished,  ///< It is to be deleted.
  };
  static constexpr Ticks never = Ticks::max();

  std::uint64_t id = 0;
  std::shared_ptr<Delivery> delivery{};  ///< A handler reads it while it is running.
  std::string receipt_handle{};          ///< The newest,
  int receive_count = 0;                 ///< and this too.
  std::optional<Error> damage{};
  Lease lease;
  ConsumeLane* lane = nullptr;
  State state = State::waiting;
  bool discarded = false;              ///< Finished by the handler's wish rather than by being done.
  bool lost = false;                   ///< Its lease is over, as far as we know.
  bool changing = false;               ///< A change of its visibility is in flight or planned.
  Ticks hard_cap = never;              ///< SQS hides a message no longer than this,
  Ticks cap = never;                   ///< and its handler may have it no longer than this.
  Ticks leased_until = never;          ///< No later than the queue's own figure.
  Ticks extend_at = never;             ///< When its lease is extended next.
  Ticks suspect_until = Ticks::min();  ///< So long a lost change may still land, which would
  Duration suspect_lease{};            ///< leave so much of the lease.

  // Where it stands in the indexes of the machine.
  Ticks lease_key = never;
  Ticks extend_key = never;
};

inline Delivery to_delivery(sqs::ReceivedMessage&& message, Ticks leased_until) {
  return {.message_id = std::move(message.message_id),
          .group = std::move(message.group),
          .sequence_number = std::move(message.sequence_number),
          .body = std::move(message.body),
          .attributes = std::move(message.attributes),
          .receive_count = message.receive_count,
          .sent_at = message.sent_at,
          .deduplication_id = std::move(message.deduplication_id),
          .trace_header = std::move(message.trace_header),
          .dead_letter_source_arn = std::move(message.dead_letter_source_arn),
          .receipt_handle = std::move(message.receipt_handle),
          .leased_until = leased_until};
}

inline Unfinished to_unfinished(const Held& held) {
  const Delivery& delivery = *held.delivery;
  return {.message_id = delivery.message_id,
          .group = delivery.group,
          .fence = {delivery.sequence_number, held.receive_count}};
}

}  // namespace dmq::inline DMQ_ABI::engine
