#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/testing/sqs_operations.hpp>

/// TagQueue, UntagQueue and ListQueueTags. The wording of refusals is not recorded from AWS.
namespace dmq::inline DMQ_ABI::testing {

using Tags = std::map<std::string, std::string, std::less<>>;

/// Keys of 1 to 128 characters, values of up to 256.
inline SqsResult<Tags> read_tags(json::Value object, std::string_view member) {
  SqsParameters parameters(object);
  if (parameters.has(member) && !object[member].is(json::Kind::object))
    return malformed_input("The value of " + std::string(member) + " has the wrong type.");
  const auto characters = [](std::string_view text) {
    return std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; });
  };
  Tags tags;
  SqsParameters values(object[member]);
  for (const json::Value value : object[member]) {
    const auto text = values.finish(values.text(value.name()));
    if (!text) return text.error();
    if (value.name().empty() || characters(value.name()) > 128)
      return invalid_parameter("Tag keys must be between 1 and 128 characters in length.");
    if (characters(*text) > 256) return invalid_parameter("Tag values must be between 0 and 256 characters in length.");
    tags.insert_or_assign(std::string(value.name()), *text);
  }
  return tags;
}

/// A key that is there gets the new value. At most 50 for a queue, else none is added.
inline SqsResult<void> add_tags(NamedQueue& queue, Tags tags) {
  constexpr std::size_t limit = 50;
  tags.insert(queue.tags.begin(), queue.tags.end());
  if (tags.size() > limit) return invalid_parameter("Too many tags added for queue " + queue.name + ".");
  queue.tags = std::move(tags);
  return {};
}

inline SqsAnswer tag_queue(NamedQueue& queue, const SqsCall& call) {
  auto tags = read_tags(call.parameters, "Tags");
  if (!tags) return std::move(tags).error();
  if (tags->empty()) return missing_parameter("Tags");
  const auto added = add_tags(queue, *std::move(tags));
  return added ? SqsAnswer() : SqsAnswer(added.error());
}

/// Keys that the queue does not have are no fault.
inline SqsAnswer untag_queue(NamedQueue& queue, const SqsCall& call) {
  SqsParameters parameters(call.parameters);
  const auto keys = parameters.finish(parameters.texts("TagKeys"));
  if (!keys) return keys.error();
  if (keys->empty()) return missing_parameter("TagKeys");
  for (const std::string& key : *keys) queue.tags.erase(key);
  return {};
}

inline SqsAnswer list_queue_tags(NamedQueue& queue, const SqsCall&) {
  std::string body;
  encoding::JsonWriter json(body);
  json.begin_object();
  if (!queue.tags.empty()) json.key("Tags").begin_object();
  for (const auto& [key, value] : queue.tags) json.key(key).value(value);
  if (!queue.tags.empty()) json.end_object();
  json.end_object();
  return body;
}

}  // namespace dmq::inline DMQ_ABI::testing
