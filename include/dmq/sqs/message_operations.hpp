#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/retry/repeat.hpp>
#include <dmq/sqs/receipt.hpp>
#include <dmq/sqs/received_message.hpp>
#include <dmq/sqs/wire.hpp>

/// Receiving messages and what comes after it.
namespace dmq::inline DMQ_ABI::sqs {

/// One message: any send goes through a Route; this is what a batch of receipt handles has in common.
struct Handle {
  std::string receipt_handle{};
  std::chrono::seconds visibility{};  ///< For ChangeMessageVisibilityBatch.
};

/// Up to ten messages. A repeat after a lost answer is safe with an attempt id (FIFO); without one it costs those
/// messages one visibility timeout.
struct ReceiveMessage {
  using result_type = std::vector<Result<ReceivedMessage>>;
  static constexpr std::string_view name = "ReceiveMessage";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  int max_messages = 10;
  std::chrono::seconds wait{};
  std::chrono::seconds visibility{-1};  ///< Negative: the queue's own.
  std::string attempt_id{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("MaxNumberOfMessages").value(max_messages);
    json.key("WaitTimeSeconds").value(static_cast<std::int64_t>(wait.count()));
    if (visibility.count() >= 0) json.key("VisibilityTimeout").value(static_cast<std::int64_t>(visibility.count()));
    if (!attempt_id.empty()) json.key("ReceiveRequestAttemptId").value(attempt_id);
    json.key("MessageSystemAttributeNames").begin_array().value("All").end_array();
    json.key("MessageAttributeNames").begin_array().value("All").end_array();
  }

  Result<result_type> read(const http::Response& response, json::Value root) const {
    // No messages are "{}". Nothing at all is no answer: there may be messages that nobody will see for a while.
    const json::Value list = root["Messages"];
    if (!root.exists() || (list.exists() && !list.is(json::Kind::array)))
      return unusable_answer(response, "it holds no list of messages");
    result_type messages;
    messages.reserve(std::min<std::size_t>(list.size(), 10));
    for (const json::Value message : list) messages.push_back(read_message(message));
    return messages;
  }
};

/// Deleting twice is a success.
struct DeleteMessage {
  using result_type = void;
  static constexpr std::string_view name = "DeleteMessage";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::string_view receipt_handle{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("ReceiptHandle").value(receipt_handle);
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

struct ChangeMessageVisibility {
  using result_type = void;
  static constexpr std::string_view name = "ChangeMessageVisibility";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::string_view receipt_handle{};
  std::chrono::seconds visibility{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("ReceiptHandle").value(receipt_handle);
    json.key("VisibilityTimeout").value(static_cast<std::int64_t>(visibility.count()));
  }
  Result<void> read(const http::Response&, json::Value) const { return {}; }
};

namespace detail {
inline std::vector<Result<void>> read_void_batch(const http::Response& response, json::Value root, std::size_t count) {
  return read_batch<void>(response, root, count, [](json::Value, std::size_t) { return Result<void>(); });
}
}  // namespace detail

/// One to ten handles; one result for each.
struct DeleteMessageBatch {
  using result_type = std::vector<Result<void>>;
  static constexpr std::string_view name = "DeleteMessageBatch";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::span<const Handle> handles{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("Entries").begin_array();
    for (std::size_t i = 0; i < handles.size(); ++i)
      json.begin_object()
          .key("Id")
          .value(std::to_string(i))
          .key("ReceiptHandle")
          .value(handles[i].receipt_handle)
          .end_object();
    json.end_array();
  }
  Result<result_type> read(const http::Response& response, json::Value root) const {
    return detail::read_void_batch(response, root, handles.size());
  }
};

/// One to ten handles with their visibility; one result for each.
struct ChangeMessageVisibilityBatch {
  using result_type = std::vector<Result<void>>;
  static constexpr std::string_view name = "ChangeMessageVisibilityBatch";
  static constexpr retry::Repeat repeat = retry::Repeat::always;

  std::string_view queue_url{};
  std::span<const Handle> handles{};

  void write(encoding::JsonWriter& json) const {
    json.key("QueueUrl").value(queue_url).key("Entries").begin_array();
    for (std::size_t i = 0; i < handles.size(); ++i) {
      json.begin_object().key("Id").value(std::to_string(i)).key("ReceiptHandle").value(handles[i].receipt_handle);
      json.key("VisibilityTimeout").value(static_cast<std::int64_t>(handles[i].visibility.count())).end_object();
    }
    json.end_array();
  }
  Result<result_type> read(const http::Response& response, json::Value root) const {
    return detail::read_void_batch(response, root, handles.size());
  }
};

}  // namespace dmq::inline DMQ_ABI::sqs
