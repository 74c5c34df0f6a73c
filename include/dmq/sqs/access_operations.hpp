#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/retry/repeat.hpp>
#include <dmq/sqs/queue_operations.hpp>
#include <dmq/sqs/tags.hpp>
#include <dmq/sqs/wire.hpp>

/// The tags of queues, and who else may use a queue.
namespace dmq::inline DMQ_ABI::sqs {

/// Adds tags, at least one; a key that is there gets the new value, so a repeat is safe.
struct TagQueue {
  using result_type = void;
  static constexpr std::string_view name = "TagQueue";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  Tags tags{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    if (tags.empty()) return invalid_argument("there are no tags to add");
    return detail::check_tags(tags);
  }
  void write(encoding::JsonWriter& json) const {
    detail::write_texts(json.key("QueueUrl").value(queue_url).key("Tags"), tags);
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

/// Takes tags away, by their keys, at least one. Keys that are not there are no fault, so a repeat is safe.
struct UntagQueue {
  using result_type = void;
  static constexpr std::string_view name = "UntagQueue";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::vector<std::string> keys{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    if (keys.empty()) return invalid_argument("there are no tags to take away");
    for (const std::string& key : keys)
      if (Result<void> ok = detail::check_tag_key(key); !ok) return ok;
    return {};
  }
  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("TagKeys").begin_array();
    for (const std::string& key : keys) json.value(key);
    json.end_array();
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

struct ListQueueTags {
  using result_type = Tags;
  static constexpr std::string_view name = "ListQueueTags";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};

  Result<void> check() const { return detail::check_queue_url(queue_url); }
  void write(encoding::JsonWriter& json) const { json.key("QueueUrl").value(queue_url); }
  Result<Tags> read(const http::Response& response, json::Value root) const {
    const json::Value tags = root["Tags"];
    if (!root.exists() || (tags.exists() && !tags.is(json::Kind::object)))
      return unusable_answer(response, "it holds no tags");
    return detail::read_texts(tags);
  }
};

namespace detail {
inline Result<void> check_label(std::string_view label) {
  const bool sound = std::all_of(label.begin(), label.end(),
                                 [](char c) { return dmq::detail::is_alphanumeric(c) || c == '-' || c == '_'; });
  if (sound && !label.empty() && label.size() <= 80) return {};
  return invalid_argument("a permission's label must be 1 to 80 ASCII letters, digits, '-' and '_'");
}
}  // namespace detail

/// Adds a statement to the queue's policy. A repeat adds nothing: when the answer of the one that did it was lost, SQS
/// refuses the next, for the label exists, and the error is rejected with delivery unknown.
struct AddPermission {
  using result_type = void;
  static constexpr std::string_view name = "AddPermission";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::string_view label{};                ///< 1 to 80 letters, digits, '-' and '_'; new in this queue.
  std::vector<std::string> account_ids{};  ///< Of twelve digits; at least one.
  std::vector<std::string> actions{};  ///< One to seven: names of operations, or "*". Batches go with the single one.

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    if (Result<void> ok = detail::check_label(label); !ok) return ok;
    if (account_ids.empty()) return invalid_argument("a permission needs an account to give it to");
    for (const std::string& id : account_ids)
      if (id.size() != 12 || id.find_first_not_of("0123456789") != std::string::npos)
        return invalid_argument("an account id must have 12 digits");
    if (actions.empty() || actions.size() > 7)
      return invalid_argument("a permission has 1 to 7 actions, not " + std::to_string(actions.size()));
    return {};
  }
  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("Label").value(label).key("AWSAccountIds").begin_array();
    for (const std::string& id : account_ids) json.value(id);
    json.end_array().key("Actions").begin_array();
    for (const std::string& action : actions) json.value(action);
    json.end_array();
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

/// Takes the statement of that label away. A label that is not there is refused; so is the repeat of one whose answer
/// was lost, with delivery unknown.
struct RemovePermission {
  using result_type = void;
  static constexpr std::string_view name = "RemovePermission";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::string_view label{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    return detail::check_label(label);
  }
  void write(encoding::JsonWriter& json) const { json.key("QueueUrl").value(queue_url).key("Label").value(label); }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

}  // namespace dmq::inline DMQ_ABI::sqs
