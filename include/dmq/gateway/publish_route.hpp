#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/gateway/gateway_error.hpp>
#include <dmq/sqs/receipt.hpp>

namespace dmq::inline DMQ_ABI::gateway {

/// `POST {API_URL}`: one message a request. Group and deduplication id travel as headers and the body as the body; the
/// answer is that of SQS's query protocol in JSON.
class PublishRoute {
 public:
  PublishRoute(std::string url, json::Parser parser) : url_(std::move(url)), parser_(parser) {}

  std::string_view name() const noexcept { return "publish"; }
  std::size_t max_batch() const noexcept { return 1; }

  Result<void> check(const Entry& entry) const {
    if (!entry.message.attributes.empty())
      return invalid_argument(
          "the gateway's publish route carries no attributes: use the batch route, or publish "
          "straight to SQS");
    if (entry.message.delay.count() > 0)
      return invalid_argument("the gateway's publish route carries no delay: publish straight to SQS");
    return {};
  }

  Result<http::Request> build(EntryBatch batch) const {
    const Entry& entry = *batch.front();
    http::Request request{.method = http::Method::post, .url = url_, .body = entry.message.body};
    request.headers.reserve(2048);
    request.headers.add("Content-Type", "application/json");
    if (!entry.message.group.empty()) request.headers.add("MessageGroupId", entry.message.group);
    if (!entry.deduplication_id.empty()) request.headers.add("MessageDeduplicationId", entry.deduplication_id);
    if (!entry.message.trace_header.empty()) request.headers.add("X-Amzn-Trace-Id", entry.message.trace_header);
    return request;
  }

  std::vector<Result<Receipt>> parse(const http::Response& response, EntryBatch batch) const {
    std::vector<Result<Receipt>> results;
    results.push_back(read(response, *batch.front()));
    return results;
  }

 private:
  Result<Receipt> read(const http::Response& response, const Entry& entry) const {
    json::Document document;
    const Result<void> parsed = parser_(response.body, document, {});
    const json::Value root = parsed ? document.root() : json::Value();
    const bool success = response.status >= 200 && response.status < 300;
    if (!success || root["Error"].exists() || root["__type"].exists()) return read_error(response, root);
    if (!parsed) return sqs::unusable_answer(response, parsed.error().message);
    // A mapping to the JSON protocol gives the result without its two wrappers.
    const json::Value wrapped = root["SendMessageResponse"]["SendMessageResult"];
    return sqs::read_receipt(response, wrapped.exists() ? wrapped : root, entry);
  }

  std::string url_;
  json::Parser parser_;
};

static_assert(Route<PublishRoute>);

}  // namespace dmq::inline DMQ_ABI::gateway
