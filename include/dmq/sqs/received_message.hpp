#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/attribute_hash.hpp>
#include <dmq/sqs/message_json.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// A message as ReceiveMessage gives it, checked.
struct ReceivedMessage {
  std::string message_id{};
  std::string receipt_handle{};
  std::string body{};
  Attributes attributes{};
  std::string group{};
  std::string sequence_number{};
  std::string deduplication_id{};
  std::string trace_header{};
  std::string dead_letter_source_arn{};
  std::string sender_id{};
  WallTime sent_at{};
  WallTime first_received_at{};
  int receive_count = 0;
};

namespace detail {
inline WallTime from_milliseconds(std::string_view text) {
  const auto number = encoding::parse_number<std::int64_t>(text).value_or(0);
  constexpr std::int64_t latest = 9'000'000'000'000;  // The year 2255: nanoseconds end a little later.
  return WallTime(std::chrono::milliseconds(number >= 0 && number < latest ? number : 0));
}

inline Error damaged(std::string_view message_id, const std::string& what) {
  return {.kind = ErrorKind::integrity,
          .delivery = DeliveryState::rejected,
          .message = "message " + std::string(message_id.substr(0, 100)) + " arrived damaged: " + what,
          .http_status = 200};
}
}  // namespace detail

/// A message as it arrived: it has an id and a handle, and may be damaged.
struct Arrival {
  ReceivedMessage message{};
  std::optional<Error> damage{};  ///< integrity: what does not match or is missing.
};

namespace detail {
inline void read_content(json::Value value, Arrival& arrival) {
  ReceivedMessage& message = arrival.message;
  const auto damage = [&](const std::string& what) { arrival.damage = damaged(message.message_id, what); };
  if (message.body.empty()) return damage("its body is missing");
  if (body_differs(message.body, value["MD5OfBody"].string().value_or("")))
    return damage("the MD5 of its body does not match");
  auto attributes = read_attributes(value["MessageAttributes"]);
  if (!attributes) return damage("an attribute has no type or no value");
  message.attributes = *std::move(attributes);
  // The sum covers what was returned; where it stands and no attributes do, they were lost on the way.
  const std::string_view theirs = value["MD5OfMessageAttributes"].string().value_or("");
  if (message.attributes.empty() && theirs.empty()) return;
  if (attributes_differ(message.attributes, theirs)) damage("the MD5 of its attributes does not match");
}
}  // namespace detail

/// integrity when it has no id or no handle.
inline Result<Arrival> read_arrival(json::Value value) {
  const auto view = [](json::Value from) { return from.string().value_or(""); };
  const auto text = [&](json::Value from) { return std::string(view(from)); };
  Arrival arrival{.message = {.message_id = text(value["MessageId"]),
                              .receipt_handle = text(value["ReceiptHandle"]),
                              .body = text(value["Body"])}};
  ReceivedMessage& message = arrival.message;
  if (message.message_id.empty() || message.receipt_handle.empty())
    return detail::damaged(message.message_id, "its id or handle is missing");
  detail::read_content(value, arrival);
  const json::Value system = value["Attributes"];
  message.group = text(system["MessageGroupId"]);
  message.sequence_number = text(system["SequenceNumber"]);
  message.deduplication_id = text(system["MessageDeduplicationId"]);
  message.trace_header = text(system["AWSTraceHeader"]);
  message.dead_letter_source_arn = text(system["DeadLetterQueueSourceArn"]);
  message.sender_id = text(system["SenderId"]);
  message.sent_at = detail::from_milliseconds(view(system["SentTimestamp"]));
  message.first_received_at = detail::from_milliseconds(view(system["ApproximateFirstReceiveTimestamp"]));
  message.receive_count = std::max(encoding::parse_number<int>(view(system["ApproximateReceiveCount"])).value_or(0), 0);
  return arrival;
}

/// integrity when a hash does not match or a part is missing.
inline Result<ReceivedMessage> read_message(json::Value value) {
  Result<Arrival> arrival = read_arrival(value);
  if (!arrival) return std::move(arrival).error();
  if (arrival->damage) return *std::move(arrival->damage);
  return std::move(arrival->message);
}

}  // namespace dmq::inline DMQ_ABI::sqs
