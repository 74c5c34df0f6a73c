#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/queue_attributes.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// What a queue is set to, and what SQS says about it. The counts are approximate; with a FIFO queue `in_flight` has
/// only what was received, not what waits behind it in its group.
struct QueueDescription {
  QueueAttributes attributes{};
  bool fifo = false;
  std::string arn{};
  std::int64_t messages = 0;   ///< That can be received.
  std::int64_t in_flight = 0;  ///< Received, and neither deleted nor visible again.
  std::int64_t delayed = 0;
  WallTime created{};
  WallTime modified{};
};

namespace detail {
/// Moves an attribute out of the map when it can be read.
template <class T, class Read>
void take(AttributeMap& map, std::string_view name, std::optional<T>& field, Read read) {
  const auto found = map.find(name);
  if (found == map.end()) return;
  field = read(found->second);
  if (field) map.erase(found);
}

inline std::optional<std::int64_t> read_count(const std::string& text) {
  const auto number = encoding::parse_number<std::int64_t>(text);
  return number && *number >= 0 ? number : std::nullopt;
}
inline std::optional<std::chrono::seconds> read_seconds(const std::string& text) {
  const auto number = read_count(text);
  return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
}
inline std::optional<bool> read_truth(const std::string& text) {
  if (text != "true" && text != "false") return std::nullopt;
  return text == "true";
}
inline std::optional<WallTime> read_time(const std::string& text) {
  const auto number = read_count(text);
  constexpr std::int64_t latest = 9'000'000'000;  // The year 2255: nanoseconds end a little later.
  if (!number || *number > latest) return std::nullopt;
  return WallTime(std::chrono::seconds(*number));
}

/// The enumerator whose word it is.
template <class Enum, std::size_t N>
std::optional<Enum> read_word(std::string_view text, const std::string_view (&words)[N]) {
  const auto found = std::find(std::begin(words), std::end(words), text);
  if (found == std::end(words)) return std::nullopt;
  return static_cast<Enum>(found - std::begin(words));
}

inline std::optional<RedrivePolicy> read_redrive_policy(const std::string& text, json::Parser parse) {
  json::Document document;
  if (!parse(text, document, {})) return std::nullopt;
  const json::Value root = document.root();
  // The count is a number, or a text in policies of other programs' making.
  std::optional<std::int64_t> count = root["maxReceiveCount"].integer();
  if (const auto digits = root["maxReceiveCount"].string()) count = encoding::parse_number<std::int64_t>(*digits);
  const auto target = root["deadLetterTargetArn"].string();
  if (!target || !count || *count < 1 || *count > 1'000) return std::nullopt;
  return RedrivePolicy{std::string(*target), static_cast<int>(*count)};
}

inline std::optional<RedriveAllowPolicy> read_redrive_allow_policy(const std::string& text, json::Parser parse) {
  json::Document document;
  if (!parse(text, document, {})) return std::nullopt;
  const auto word =
      read_word<RedrivePermission>(document.root()["redrivePermission"].string().value_or(""), redrive_permissions);
  if (!word) return std::nullopt;
  RedriveAllowPolicy policy{.permission = *word};
  for (const json::Value arn : document.root()["sourceQueueArns"])
    policy.source_queue_arns.emplace_back(arn.string().value_or(""));
  return policy;
}

inline QueueAttributes take_attributes(AttributeMap& map, json::Parser parse) {
  QueueAttributes attributes;
  for (const auto& attribute : seconds_attributes) take(map, attribute.name, attributes.*attribute.field, read_seconds);
  for (const auto& attribute : truth_attributes) take(map, attribute.name, attributes.*attribute.field, read_truth);
  for (const auto& attribute : text_attributes)
    take(map, attribute.name, attributes.*attribute.field, [](const std::string& text) { return std::optional(text); });
  take(map, "MaximumMessageSize", attributes.max_message_bytes, read_count);
  take(map, "DeduplicationScope", attributes.deduplication_scope,
       [](const std::string& text) { return read_word<DeduplicationScope>(text, deduplication_scopes); });
  take(map, "FifoThroughputLimit", attributes.fifo_throughput_limit,
       [](const std::string& text) { return read_word<FifoThroughputLimit>(text, throughput_limits); });
  take(map, "RedrivePolicy", attributes.redrive_policy,
       [&](const std::string& text) { return read_redrive_policy(text, parse); });
  take(map, "RedriveAllowPolicy", attributes.redrive_allow_policy,
       [&](const std::string& text) { return read_redrive_allow_policy(text, parse); });
  return attributes;
}
}  // namespace detail

/// Reads what GetQueueAttributes answers. What has no field, or does not read as what belongs there, stays as it is in
/// `attributes.others`; what is absent is absent or 0. Pure.
inline QueueDescription read_queue_description(AttributeMap map, json::Parser parse) {
  QueueDescription queue{.attributes = detail::take_attributes(map, parse)};
  const auto take = [&](std::string_view name, auto& field, auto read) {
    std::optional<std::decay_t<decltype(field)>> value;
    detail::take(map, name, value, read);
    if (value) field = *std::move(value);
  };
  take("FifoQueue", queue.fifo, detail::read_truth);
  take("QueueArn", queue.arn, [](const std::string& text) { return std::optional(text); });
  take("ApproximateNumberOfMessages", queue.messages, detail::read_count);
  take("ApproximateNumberOfMessagesNotVisible", queue.in_flight, detail::read_count);
  take("ApproximateNumberOfMessagesDelayed", queue.delayed, detail::read_count);
  take("CreatedTimestamp", queue.created, detail::read_time);
  take("LastModifiedTimestamp", queue.modified, detail::read_time);
  queue.attributes.others = std::move(map);
  return queue;
}

}  // namespace dmq::inline DMQ_ABI::sqs
