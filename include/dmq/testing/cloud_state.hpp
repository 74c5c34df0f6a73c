#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/testing/local_cloud.hpp>
#include <dmq/testing/sqs_queue_state.hpp>

/// The queues of a LocalCloud as text, to be kept over a restart. Pure.
namespace dmq::inline DMQ_ABI::testing {

/// Keeps load() and save() together.
class CloudState {
 public:
  /// More cannot be loaded.
  static constexpr std::size_t limit_bytes = 1U << 30;

  /// The queues with their attributes, tags and messages, as they are at `now`; see QueueState for what is left out.
  /// Nor are clients, access keys, tokens and move tasks part of it. JSON, with a version and a checksum.
  static std::string save(const LocalCloud& cloud, Instant now);

  /// Puts the queues of `text` in the place of those of their names. Receipt handles stay valid; deadlines are where
  /// they were in wall time. Give the cloud another seed than the one that was saved, lest new queues get old ids.
  /// Errors: configuration, saying what is wrong; then nothing has changed.
  static Result<void> load(LocalCloud& cloud, std::string_view text, Instant now);

 private:
  static constexpr std::string_view format = "dmq local cloud";
  static constexpr std::int64_t version = 1;

  static std::string checksum(std::string_view text) {
    return encoding::hex(crypto::sha256(text.substr(text.find('\n') + 1)));
  }
  static Result<void> check(std::string_view text, json::Value root);
};

inline std::string CloudState::save(const LocalCloud& cloud, Instant now) {
  std::string text = "\n\"queues\":";
  encoding::JsonWriter json(text);
  json.begin_array();
  for (const auto& [name, queue] : cloud.sqs_.broker().queues()) QueueState(now).write(json, queue);
  json.end_array();
  text.append("}\n");
  std::string head;
  encoding::JsonWriter(head).begin_object().key("format").value(format).key("version").value(version);
  head.append(",\"sha256\":\"").append(checksum(text)).append("\",");
  return head + text;
}

inline Result<void> CloudState::check(std::string_view text, json::Value root) {
  if (root["format"].string() != format) return configuration_error("it is not the state of a local cloud");
  if (root["version"].integer() != version)
    return configuration_error("it is of another version than " + std::to_string(version));
  if (root["sha256"].string() != checksum(text))
    return configuration_error("its checksum is wrong: it was changed, or is damaged");
  return {};
}

inline Result<void> CloudState::load(LocalCloud& cloud, std::string_view text, Instant now) {
  const json::Parser parse = cloud.sqs_.broker().parser();
  json::Document document;
  if (const Result<void> parsed = parse(text, document, {.bytes = limit_bytes}); !parsed)
    return configuration_error("it is not JSON: " + parsed.error().message);
  if (Result<void> checked = check(text, document.root()); !checked) return checked;
  std::vector<NamedQueue> queues;
  for (const json::Value value : document.root()["queues"]) {
    std::string fault;
    auto queue = QueueState(now).read(value, parse, fault);
    if (!fault.empty()) {
      std::string message = "its queue \"";
      message.append(value["name"].string().value_or("?")).append("\" is not in order: ").append(fault);
      return configuration_error(std::move(message));
    }
    queues.push_back(*std::move(queue));
  }
  SqsQueues& directory = cloud.sqs_.broker().directory();
  for (NamedQueue& queue : queues) {
    if (NamedQueue* const existing = directory.find(queue.name)) queue.waiting = std::move(existing->waiting);
    directory.all().insert_or_assign(queue.name, std::move(queue));
  }
  return {};
}

}  // namespace dmq::inline DMQ_ABI::testing
