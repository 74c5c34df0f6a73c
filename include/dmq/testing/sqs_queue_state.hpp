#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_queues.hpp>
#include <dmq/testing/state_fields.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Writes a queue with its messages, tags and what it knows to tell duplicates, and reads it again. Ticks belong to one
/// run of a machine: what is written is wall time, in nanoseconds since 1970. Long polls, receive attempt ids, and the
/// minute for which a former deduplication scope holds on, are not part of it.
class QueueState {
 public:
  explicit QueueState(Instant now) : now_(now) {}

  void write(encoding::JsonWriter& json, const NamedQueue& queue) const;
  /// Check that `fault` is empty afterwards: it says what is wrong.
  std::optional<NamedQueue> read(json::Value value, json::Parser parse, std::string& fault) const;

 private:
  static constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t last_time = 8'000'000'000'000'000'000;  ///< In the year 2223.

  std::int64_t number(WallTime time) const { return time.time_since_epoch().count(); }
  std::int64_t number(Ticks ticks) const { return number(now_.wall + (ticks - now_.ticks)); }
  static WallTime wall(const StateFields& fields, std::string_view name) {
    return WallTime(Duration(fields.number(name, 0, last_time)));
  }
  Ticks ticks(const StateFields& fields, std::string_view name) const {
    return now_.ticks + (wall(fields, name) - now_.wall);
  }
  Instant instant(const StateFields& fields, std::string_view name) const {
    return {wall(fields, name), ticks(fields, name)};
  }

  void write_message(encoding::JsonWriter& json, const MessageStore& store, const StoredMessage& stored) const;
  void read_messages(const StateFields& fields, MessageStore& store, std::string& fault) const;
  HeldMessage read_message(const StateFields& fields, std::string& fault) const;

  Instant now_;
};

inline void QueueState::write(encoding::JsonWriter& json, const NamedQueue& named) const {
  const SqsQueue& queue = named.queue;
  json.begin_object().key("name").value(named.name).key("id").value(queue.id_);
  json.key("created").value(number(named.created.wall)).key("modified").value(number(named.modified.wall));
  if (named.purged) json.key("purged").value(number(*named.purged));
  json.key("attributes").begin_object();
  for (const auto& [name, value] : to_attributes({queue.settings_, named.inert})) write_text(json, name, value);
  json.end_object().key("tags").begin_object();
  for (const auto& [key, value] : named.tags) write_text(json, key, value);
  json.end_object().key("last_sequence").value(static_cast<std::int64_t>(queue.store_.last_sequence()));
  json.key("messages").begin_array();
  for (Slot slot = queue.store_.oldest(); slot != no_slot; slot = queue.store_.next(slot))
    write_message(json, queue.store_, queue.store_[slot]);
  json.end_array().key("accepted").begin_array();
  queue.accepted_.visit([&](DeduplicationMemory::Key key, const DeduplicationMemory::Original& original, Ticks until) {
    json.begin_object().key("key").value(Uuid{key.first, key.second}.text());
    json.key("id").value(original.message_id.text());
    json.key("sequence").value(static_cast<std::int64_t>(original.sequence));
    json.key("until").value(number(until)).end_object();
  });
  json.end_array().end_object();
}

inline void QueueState::write_message(encoding::JsonWriter& json, const MessageStore& store,
                                      const StoredMessage& stored) const {
  const HeldMessage message = store.describe(stored);
  json.begin_object().key("sequence").value(static_cast<std::int64_t>(message.sequence));
  json.key("id").value(message.message_id).key("sent").value(number(message.sent.wall));
  const SqsLanes::Lane& lane = store.lanes()[stored.lane];
  if (lane.messages.first == stored.slot) json.key("turn").value(static_cast<std::int64_t>(lane.turn));
  for (const auto& [name, text] : {std::pair<std::string_view, std::string_view>("body", message.content.body),
                                   {"group", message.content.group},
                                   {"deduplication_id", message.content.deduplication_id},
                                   {"trace_header", message.content.trace_header},
                                   {"dead_letter_source", message.dead_letter_source}})
    if (!text.empty()) write_text(json, name, text);
  if (!message.content.attributes.empty()) json.key("attributes").begin_array();
  for (const auto& [name, attribute] : message.content.attributes) {
    json.begin_object();
    write_text(json, "name", name);
    write_text(json, "type", attribute.type);
    write_text(json, "value", attribute.value);
    json.end_object();
  }
  if (!message.content.attributes.empty()) json.end_array();
  if (message.receive_count > 0) {
    json.key("receive_count").value(message.receive_count);
    json.key("received_elsewhere").value(message.received_elsewhere);
    json.key("first_received").value(number(message.first_received)).key("received").value(number(message.received));
  }
  if (message.visibility != Visibility::visible)
    json.key(message.visibility == Visibility::delayed ? "delayed_until" : "in_flight_until")
        .value(number(message.visible_at));
  json.end_object();
}

inline std::optional<NamedQueue> QueueState::read(json::Value value, json::Parser parse, std::string& fault) const {
  const StateFields fields(value, fault);
  const std::string name = fields.text("name");
  if (!detail::check_queue_name(name)) fields.blame("name", "is no name of a queue");
  QueueAttributes attributes;
  const StateFields given(fields["attributes"], fault);
  for (const json::Value attribute : fields["attributes"])
    attributes.emplace(attribute.name(), given.text(attribute.name()));
  auto configuration = new_configuration(name, attributes, parse);
  if (!configuration) fields.blame("attributes", "are refused: " + configuration.error().message);
  const Uuid id = fields.uuid("id");
  const auto last_sequence = static_cast<std::uint64_t>(fields.number("last_sequence", 0, no_limit));
  if (!fault.empty()) return std::nullopt;

  // Ids to come are not those that were given out before.
  const std::uint64_t seed = id.low ^ last_sequence ^ static_cast<std::uint64_t>(number(now_.wall));
  SqsQueue queue(id.text(), std::move(configuration->settings), seed);
  read_messages(fields, queue.store_, fault);
  if (last_sequence < queue.store_.last_sequence()) fields.blame("last_sequence", "is too low");
  queue.store_.continue_after(last_sequence);
  for (const json::Value record : fields["accepted"]) {
    const StateFields accepted(record, fault);
    const Uuid key = accepted.uuid("key");
    const auto sequence = static_cast<std::uint64_t>(accepted.number("sequence", 1, no_limit));
    queue.accepted_.add({key.high, key.low}, {accepted.uuid("id"), sequence},
                        ticks(accepted, "until") - DeduplicationMemory::window);
  }

  NamedQueue named{.name = name, .queue = std::move(queue), .inert = std::move(configuration->inert)};
  named.created = instant(fields, "created");
  named.modified = instant(fields, "modified");
  if (fields["purged"].exists()) named.purged = ticks(fields, "purged");
  const StateFields tags(fields["tags"], fault);
  for (const json::Value tag : fields["tags"]) named.tags.emplace(tag.name(), tags.text(tag.name()));
  return named;
}

/// The turns of the lanes come last: until then those that the lanes got when they were made keep them apart.
inline void QueueState::read_messages(const StateFields& queue, MessageStore& store, std::string& fault) const {
  std::map<std::uint64_t, SqsLanes::Id> turns;
  for (const json::Value value : queue["messages"]) {
    const StateFields fields(value, fault);
    const auto sequence = static_cast<std::uint64_t>(fields.number("sequence", 1, no_limit));
    if (sequence <= store.last_sequence()) fields.blame("sequence", "does not rise");
    const auto turn = static_cast<std::uint64_t>(fields.number("turn", 1, no_limit));
    HeldMessage message = read_message(fields, fault);
    if (!fault.empty()) {
      fault.append(" in a message of sequence " + std::to_string(sequence));
      return;
    }
    store.continue_after(sequence - 1);
    const Visibility visibility = message.visibility;
    const Ticks visible_at = message.visible_at;
    StoredMessage& stored = store.add(std::move(message));
    store.set_visibility(stored, visibility, visible_at);
    if (store.lanes()[stored.lane].messages.first == stored.slot && !turns.emplace(turn, stored.lane).second)
      fields.blame("turn", "is not its own");
  }
  for (const auto& [turn, lane] : turns) store.lanes().set_turn(lane, turn);
  for (const auto& [turn, lane] : turns) store.refresh(lane);
}

inline HeldMessage QueueState::read_message(const StateFields& fields, std::string& fault) const {
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  HeldMessage message{.message_id = fields.uuid("id").text(),
                      .sent = instant(fields, "sent"),
                      .first_received = wall(fields, "first_received"),
                      .received = ticks(fields, "received"),
                      .receive_count = static_cast<int>(fields.number("receive_count", 0, most)),
                      .received_elsewhere = static_cast<int>(fields.number("received_elsewhere", 0, most)),
                      .dead_letter_source = fields.text("dead_letter_source")};
  message.content.body = fields.text("body");
  message.content.group = fields.text("group");
  message.content.deduplication_id = fields.text("deduplication_id");
  message.content.trace_header = fields.text("trace_header");
  for (const json::Value value : fields["attributes"]) {
    const StateFields attribute(value, fault);
    message.content.attributes[attribute.text("name")] = {attribute.text("type"), attribute.text("value")};
  }
  for (const auto& [name, visibility] :
       {std::pair("delayed_until", Visibility::delayed), std::pair("in_flight_until", Visibility::in_flight)})
    if (fields[name].exists()) {
      message.visibility = visibility;
      message.visible_at = ticks(fields, name);
    }
  return message;
}

}  // namespace dmq::inline DMQ_ABI::testing
