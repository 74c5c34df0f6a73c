#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <dmq/sqs/operations.hpp>
#include <dmq/sqs/received_message.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// ReceiveMessage for those who have to know of every message that was handed out, a damaged one, too.
struct Poll {
  using result_type = std::vector<Arrival>;
  static constexpr std::string_view name = ReceiveMessage::name;
  static constexpr retry::Repeat repeat = ReceiveMessage::repeat;

  ReceiveMessage request{};

  void write(encoding::JsonWriter& json) const { request.write(json); }

  Result<result_type> read(const http::Response& response, json::Value root) const {
    const json::Value list = root["Messages"];
    if (!root.exists() || (list.exists() && !list.is(json::Kind::array)))
      return unusable_answer(response, "it holds no list of messages");
    result_type arrivals;
    for (const json::Value message : list) {
      Result<Arrival> arrival = read_arrival(message);
      if (!arrival) return unusable_answer(response, arrival.error().message);
      arrivals.push_back(*std::move(arrival));
    }
    return arrivals;
  }
};

/// Whether SQS does not know the attempt id of a poll any more, for the messages of that attempt have changed since.
inline bool is_stale_attempt(const Error& error) {
  return error.message.find("receiveRequestAttemptId is not valid") != std::string::npos;
}

/// Whether SQS does not take the receipt handle any more: the lease that it stands for is over.
inline bool is_stale_handle(const Error& error) {
  if (error.kind != ErrorKind::rejected) return false;
  const std::string_view code = error.service_code;
  return code.starts_with("InvalidParameterValue") || code.starts_with("ReceiptHandle") ||
         code == "MessageNotInflight" || code == "AWS.SimpleQueueService.MessageNotInflight";
}

}  // namespace dmq::inline DMQ_ABI::sqs
