#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/retry/repeat.hpp>
#include <dmq/sqs/queue_attributes.hpp>
#include <dmq/sqs/tags.hpp>
#include <dmq/sqs/wire.hpp>

/// Making, finding, changing, emptying and deleting queues.
namespace dmq::inline DMQ_ABI::sqs {

/// Queue URLs, at most as many as were asked for.
struct QueuePage {
  std::vector<std::string> queue_urls{};
  std::string next_token{};  ///< Of the operation that asks for the next page; empty on the last one.
};

namespace detail {
/// A FIFO queue's name, URL and ARN end in ".fifo", and no other's.
inline QueueType type_of(std::string_view queue) {
  return queue.ends_with(".fifo") ? QueueType::fifo : QueueType::standard;
}

inline Result<void> check_queue_url(std::string_view url) {
  if (!url.empty()) return {};
  return invalid_argument("the queue URL is empty");
}

/// 1 to 80 letters, digits, hyphens and underscores, ".fifo" at the end included.
inline Result<void> check_queue_name(std::string_view name) {
  const std::string_view stem = name.substr(0, name.size() - (type_of(name) == QueueType::fifo ? 5 : 0));
  if (stem.empty() || name.size() > 80)
    return invalid_argument("a queue's name must have 1 to 80 characters, of which .fifo is not all; this one has " +
                            std::to_string(name.size()));
  for (std::size_t i = 0; i < stem.size(); ++i)
    if (!dmq::detail::is_alphanumeric(stem[i]) && stem[i] != '-' && stem[i] != '_')
      return invalid_argument(
          "a queue's name may hold ASCII letters, digits, '-' and '_' only, and .fifo at its end; "
          "look at byte " +
          std::to_string(i));
  return {};
}

inline Result<QueuePage> read_page(const http::Response& response, json::Value root, std::string_view member) {
  const json::Value list = root[member];
  // No queues are "{}". Nothing at all is no answer.
  if (!root.exists() || (list.exists() && !list.is(json::Kind::array)))
    return unusable_answer(response, "it holds no list of queues");
  QueuePage page{.next_token = std::string(root["NextToken"].string().value_or(""))};
  for (const json::Value url : list) {
    if (url.string().value_or("").empty()) return unusable_answer(response, "it holds a queue without a URL");
    page.queue_urls.emplace_back(*url.string());
  }
  return page;
}

inline Result<std::string> read_queue_url(const http::Response& response, json::Value root) {
  const auto url = root["QueueUrl"].string();
  if (!url || url->empty()) return unusable_answer(response, "it holds no queue URL");
  return std::string(*url);
}
}  // namespace detail

/// Gives the queue's URL. A name that ends in ".fifo" makes a FIFO queue. Where the queue exists with the attributes
/// that are given, that is a success, too, so a repeat is safe; with others it is rejected (QueueNameExists). A queue
/// can be used a second later, and a deleted one's name again after 60 s.
struct CreateQueue {
  using result_type = std::string;
  static constexpr std::string_view name = "CreateQueue";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_name{};
  QueueAttributes attributes{};
  Tags tags{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_name(queue_name); !ok) return ok;
    if (Result<void> ok = detail::check_tags(tags); !ok) return ok;
    return validate(attributes, detail::type_of(queue_name));
  }
  void write(encoding::JsonWriter& json) const {
    json.key("QueueName").value(queue_name);
    AttributeMap map = to_map(attributes);
    // Never "false": the reference allows it, and SQS is said to refuse it (not verified).
    if (detail::type_of(queue_name) == QueueType::fifo) map.insert_or_assign("FifoQueue", "true");
    if (!map.empty()) detail::write_texts(json.key("Attributes"), map);
    if (!tags.empty()) detail::write_texts(json.key("tags"), tags);  // The only member with a small letter.
  }
  Result<std::string> read(const http::Response& response, json::Value root) const {
    return detail::read_queue_url(response, root);
  }
};

struct GetQueueUrl {
  using result_type = std::string;
  static constexpr std::string_view name = "GetQueueUrl";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_name{};
  std::string_view owner_account_id{};  ///< Empty: our own account.

  void write(encoding::JsonWriter& json) const {
    json.key("QueueName").value(queue_name);
    if (!owner_account_id.empty()) json.key("QueueOwnerAWSAccountId").value(owner_account_id);
  }
  Result<std::string> read(const http::Response& response, json::Value root) const {
    return detail::read_queue_url(response, root);
  }
};

/// One page of the queues of the account and region, by the beginning of their names.
struct ListQueues {
  using result_type = QueuePage;
  static constexpr std::string_view name = "ListQueues";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view prefix{};
  int max_results = 1'000;  ///< 1 to 1,000. Always sent: without it there is no next page.
  std::string next_token{};

  Result<void> check() const { return detail::check_range("MaxResults", max_results, 1, 1'000); }
  void write(encoding::JsonWriter& json) const {
    if (!prefix.empty()) json.key("QueueNamePrefix").value(prefix);
    json.key("MaxResults").value(max_results);
    if (!next_token.empty()) json.key("NextToken").value(next_token);
  }
  Result<QueuePage> read(const http::Response& response, json::Value root) const {
    return detail::read_page(response, root, "QueueUrls");
  }
};

/// One page of the queues whose dead-letter queue this is.
struct ListDeadLetterSourceQueues {
  using result_type = QueuePage;
  static constexpr std::string_view name = "ListDeadLetterSourceQueues";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  int max_results = 1'000;  ///< 1 to 1,000. Always sent: without it there is no next page.
  std::string next_token{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    return detail::check_range("MaxResults", max_results, 1, 1'000);
  }
  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("MaxResults").value(max_results);
    if (!next_token.empty()) json.key("NextToken").value(next_token);
  }
  Result<QueuePage> read(const http::Response& response, json::Value root) const {
    return detail::read_page(response, root, "queueUrls");  // With a small letter, unlike ListQueues.
  }
};

/// All attributes that have a value, as text; read_queue_description() makes more of them.
struct GetQueueAttributes {
  using result_type = AttributeMap;
  static constexpr std::string_view name = "GetQueueAttributes";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("AttributeNames").begin_array().value("All").end_array();
  }
  Result<result_type> read(const http::Response& response, json::Value root) const {
    if (!root["Attributes"].is(json::Kind::object)) return unusable_answer(response, "it holds no attributes");
    return detail::read_texts(root["Attributes"]);
  }
};

/// Changes the attributes that are given, at least one; a repeat sets the same again. A change takes SQS up to 60 s,
/// and one of the retention up to 15 minutes.
struct SetQueueAttributes {
  using result_type = void;
  static constexpr std::string_view name = "SetQueueAttributes";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  QueueAttributes attributes{};

  Result<void> check() const {
    if (Result<void> ok = detail::check_queue_url(queue_url); !ok) return ok;
    if (attributes == QueueAttributes{}) return invalid_argument("there are no attributes to set");
    return validate(attributes, detail::type_of(queue_url));
  }
  void write(encoding::JsonWriter& json) const {
    detail::write_texts(json.key("QueueUrl").value(queue_url).key("Attributes"), to_map(attributes));
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

/// Deletes all messages of a queue, those in flight, too, within 60 s, and maybe some that are sent in that time. SQS
/// does it once in 60 s (PurgeQueueInProgress). Not repeated after a lost answer: that could delete what was sent
/// since.
struct PurgeQueue {
  using result_type = void;
  static constexpr std::string_view name = "PurgeQueue";
  static constexpr retry::Repeat repeat = retry::Repeat::never;

  std::string_view queue_url{};

  Result<void> check() const { return detail::check_queue_url(queue_url); }
  void write(encoding::JsonWriter& json) const { json.key("QueueUrl").value(queue_url); }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

/// Deletes a queue with all its messages, within 60 s. A repeat is safe; it may say that there is no such queue, which
/// Client::delete_queue takes for the success it is.
struct DeleteQueue {
  using result_type = void;
  static constexpr std::string_view name = "DeleteQueue";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};

  Result<void> check() const { return detail::check_queue_url(queue_url); }
  void write(encoding::JsonWriter& json) const { json.key("QueueUrl").value(queue_url); }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

}  // namespace dmq::inline DMQ_ABI::sqs
