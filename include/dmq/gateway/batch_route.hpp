#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/gateway/gateway_error.hpp>
#include <dmq/sqs/message_json.hpp>
#include <dmq/sqs/receipt.hpp>

namespace dmq::inline DMQ_ABI::gateway {

/// `POST {API_URL}/batch`: up to ten messages a request, with attributes, in the shape of SQS's JSON protocol.
class BatchRoute {
 public:
  /// `url` is API_URL itself; "/batch" is added to its path.
  BatchRoute(std::string url, json::Parser parser) : parser_(parser) {
    const std::size_t end = std::min(url.find('?'), url.size());
    url_ = url.substr(0, end);
    while (url_.ends_with('/')) url_.pop_back();
    url_.append("/batch").append(url, end);
  }

  std::string_view name() const noexcept { return "publish_batch"; }
  std::size_t max_batch() const noexcept { return 10; }
  Result<void> check(const Entry&) const { return {}; }

  Result<http::Request> build(EntryBatch batch) const {
    http::Request request{.method = http::Method::post, .url = url_};
    request.headers.add("Content-Type", "application/json");
    encoding::JsonWriter json(request.body);
    json.begin_object();
    sqs::write_entries(json, batch);
    json.end_object();
    return request;
  }

  std::vector<Result<Receipt>> parse(const http::Response& response, EntryBatch batch) const {
    json::Document document;
    const Result<void> parsed = parser_(response.body, document, {});
    const json::Value root = parsed ? document.root() : json::Value();
    const bool success = response.status >= 200 && response.status < 300;
    if (!success || root["Error"].exists() || root["__type"].exists())
      return std::vector<Result<Receipt>>(batch.size(), read_error(response, root));
    if (!parsed)
      return std::vector<Result<Receipt>>(batch.size(), sqs::unusable_answer(response, parsed.error().message));
    return sqs::read_receipts(response, root, batch);
  }

 private:
  std::string url_;
  json::Parser parser_;
};

static_assert(Route<BatchRoute>);

}  // namespace dmq::inline DMQ_ABI::gateway
