#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI {

/// A user attribute of a message.
struct Attribute {
  std::string type = "String";  ///< "String", "Number" or "Binary", with an optional label: "Number.int".
  std::string value{};          ///< Text, or bytes as they are when the type is Binary.

  static Attribute text(std::string value) { return {"String", std::move(value)}; }
  static Attribute number(std::string value) { return {"Number", std::move(value)}; }
  static Attribute binary(std::string bytes) { return {"Binary", std::move(bytes)}; }

  bool is_binary() const noexcept { return type == "Binary" || type.starts_with("Binary."); }
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

using Attributes = std::map<std::string, Attribute, std::less<>>;

/// What a producer sends. Limits are those of SQS (API reference, SendMessage), checked before the network:
/// see validate() in message_rules.hpp.
struct Message {
  std::string body{};              ///< 1 byte to 1 MiB of UTF-8, attributes included in the size.
  std::string group{};             ///< Order is kept inside a group. 1 to 128 ASCII letters, digits, punctuation.
  std::string deduplication_id{};  ///< The same alphabet; empty: the producer makes one.
  Attributes attributes{};         ///< At most 10.
  std::string trace_header{};      ///< AWSTraceHeader ("Root=1-...;Parent=...;Sampled=1"), empty for none.
  std::chrono::seconds delay{};    ///< 0 to 900; standard queues only.
  /// Set in a message that comes back with delivery unknown, together with its deduplication id: when it was first
  /// sent. Published again as it is, in time, it can't become two. Empty in a message of its own right.
  std::optional<Instant> first_sent{};
};

/// What the queue says of a message it has taken.
struct Receipt {
  std::string message_id{};
  std::string sequence_number{};   ///< 20 digits, rising inside a group; empty from a standard queue.
  std::string deduplication_id{};  ///< The one that was sent, empty with Deduplication::content or none.
  int attempts = 1;                ///< Requests it took.
};

/// How a queue tells a message sent twice from two messages.
enum class Deduplication {
  id,       ///< By an id that is fixed for each publish: the message's own, or a random one.
  content,  ///< By the body's hash, in the queue: equal bodies within five minutes are one message.
  none,     ///< Not at all (standard queues): a publish whose fate is unknown is not repeated.
};

}  // namespace dmq::inline DMQ_ABI
