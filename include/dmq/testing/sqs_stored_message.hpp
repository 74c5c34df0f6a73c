#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <dmq/core/clock.hpp>
#include <dmq/testing/sqs_message.hpp>
#include <dmq/testing/sqs_slots.hpp>
#include <dmq/testing/uuid.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The neighbours of a message in a list.
struct Links {
  Slot before = no_slot;
  Slot after = no_slot;
};

/// A message as it lies in the store, which may hold millions: its group is that of the lane, and what few messages
/// have (attributes, a trace header, a former queue) is kept beside it.
struct StoredMessage {
  std::string text{};  ///< The body, then the deduplication id.
  Uuid id{};
  std::uint64_t sequence = 0;
  Instant sent{};
  WallTime first_received{};
  Ticks received{};
  Ticks visible_at{};  ///< When it is delayed or in flight.
  int receive_count = 0;
  int received_elsewhere = 0;
  std::uint32_t body_bytes = 0;
  Slot slot = no_slot;  ///< Its own.
  Slot lane = no_slot;
  Links in_lane{};
  Links in_queue{};
  Visibility visibility = Visibility::visible;

  std::string_view body() const { return std::string_view(text).substr(0, body_bytes); }
  std::string_view deduplication_id() const { return std::string_view(text).substr(body_bytes); }
  void set_text(std::string_view body, std::string_view deduplication_id) {
    text.clear();
    text.reserve(body.size() + deduplication_id.size());
    text.append(body).append(deduplication_id);
    body_bytes = static_cast<std::uint32_t>(body.size());
  }
};

}  // namespace dmq::inline DMQ_ABI::testing
