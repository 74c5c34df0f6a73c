#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/service_error.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// What the SQS JSON protocol asks of every request, and says in every answer (AWS JSON 1.0). Pure and thread-safe.
class Wire {
 public:
  /// `endpoint` is a URL without a path; see resolve_endpoint().
  Wire(std::string endpoint, json::Parser parse) : url_(std::move(endpoint) + "/"), parser_(parse) {}

  json::Parser parser() const noexcept { return parser_; }

  /// A request without a body, for the operation's fields to be written into.
  http::Request request(std::string_view operation) const {
    http::Request request{.method = http::Method::post, .url = url_};
    request.headers.reserve(1024);
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    request.headers.add("X-Amz-Target", "AmazonSQS.", operation);
    request.headers.add("x-amzn-query-mode", "true");
    return request;
  }

  /// The root of the answer's JSON in `document`, missing for an empty body, or the error it stands for: the
  /// service's own, or protocol with delivery unknown when a 2xx can't be read. A service's error inside a 2xx is
  /// judged as what it is.
  Result<json::Value> answer(const http::Response& response, json::Document& document) const {
    const bool success = response.status >= 200 && response.status < 300;
    document.clear();
    if (success && response.body.empty()) return json::Value();
    const Result<void> parsed = parser_(response.body, document, {});
    const json::Value root = parsed ? document.root() : json::Value();
    if (!success) return response_error(response, root);
    if (!parsed) return unusable_answer(response, parsed.error().message);
    if (!root.is(json::Kind::object)) return unusable_answer(response, "it is not a JSON object");
    if (names_error(root)) return response_error(response, root);
    if (root["__type"].exists() || root["Error"].exists())
      return unusable_answer(response, "it holds an error without a name");
    return root;
  }

 private:
  std::string url_;
  json::Parser parser_;
};

}  // namespace dmq::inline DMQ_ABI::sqs
