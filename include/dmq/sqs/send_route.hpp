#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/sqs/message_json.hpp>
#include <dmq/sqs/receipt.hpp>
#include <dmq/sqs/wire.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// Straight to the queue: SendMessage for one entry, SendMessageBatch for up to ten.
class SendRoute {
 public:
  SendRoute(Wire wire, std::string queue_url) : wire_(std::move(wire)), queue_url_(std::move(queue_url)) {}

  std::string_view name() const noexcept { return "send"; }
  std::size_t max_batch() const noexcept { return 10; }
  Result<void> check(const Entry&) const { return {}; }

  Result<http::Request> build(EntryBatch batch) const {
    http::Request request = wire_.request(batch.size() == 1 ? "SendMessage" : "SendMessageBatch");
    request.body.reserve(body_bytes(batch));
    encoding::JsonWriter json(request.body);
    json.begin_object().key("QueueUrl").value(queue_url_);
    if (batch.size() == 1) {
      write_entry(json, *batch.front());
    } else {
      write_entries(json, batch);
    }
    json.end_object();
    return request;
  }

  std::vector<Result<Receipt>> parse(const http::Response& response, EntryBatch batch) const {
    json::Document document;
    const Result<json::Value> root = wire_.answer(response, document);
    if (!root) return std::vector<Result<Receipt>>(batch.size(), root.error());
    if (batch.size() > 1) return read_receipts(response, *root, batch);
    std::vector<Result<Receipt>> results;
    results.push_back(read_receipt(response, *root, *batch.front()));
    return results;
  }

 private:
  std::size_t body_bytes(EntryBatch batch) const {
    std::size_t bytes = queue_url_.size() + 64;
    for (const Entry* entry : batch) bytes += entry->message.body.size() + 512;
    return bytes;
  }

  Wire wire_;
  std::string queue_url_;
};

static_assert(Route<SendRoute>);

}  // namespace dmq::inline DMQ_ABI::sqs
