#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <dmq/testing/local_cloud.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <support/parser.hpp>

namespace support {

/// One key for all clouds of the tests: making one takes long under a sanitizer.
inline const dmq::testing::RsaKey& signing_key() {
  static const auto key = dmq::testing::RsaKey::generate();
  return key;
}

/// A cloud whose SQS asks for no signature.
inline dmq::testing::LocalCloudOptions unsigned_options() {
  return {.access_keys = {}, .signing_key = signing_key()};
}

/// Parsed JSON that keeps its document.
class Json {
 public:
  explicit Json(std::string_view text) { parse(text, document_).value(); }
  dmq::json::Value operator[](std::string_view name) const { return document_.root()[name]; }
  dmq::json::Value root() const { return document_.root(); }
  std::size_t size() const { return document_.root().size(); }

 private:
  dmq::json::Document document_;
};

/// A LocalCloud with a clock, called in the protocol of SQS.
struct Cloud {
  explicit Cloud(dmq::testing::LocalCloudOptions options = unsigned_options()) : model(std::move(options), &parse) {}

  static constexpr std::string_view origin = "http://cloud.test";

  dmq::testing::LocalCloud model;
  dmq::Instant now = dmq::testing::ManualClock::default_start;

  dmq::testing::Handled handle(const dmq::http::Request& request) { return model.handle(request, now); }
  dmq::http::Response answer(const dmq::http::Request& request) {
    return std::get<dmq::http::Response>(handle(request));
  }

  static dmq::http::Request request(std::string_view operation, std::string body) {
    dmq::http::Request request{
        .method = dmq::http::Method::post, .url = std::string(origin) + "/", .body = std::move(body)};
    request.headers.add("X-Amz-Target", "AmazonSQS." + std::string(operation));
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    return request;
  }

  /// `members` are those besides QueueUrl: `"MaxNumberOfMessages":3`.
  static dmq::http::Request queue_request(std::string_view operation, std::string_view members,
                                          std::string_view queue = "dmq.fifo") {
    std::string body = "{\"QueueUrl\":\"" + std::string(origin) + "/000000000000/" + std::string(queue) + "\"";
    if (!members.empty()) body.append(",").append(members);
    return request(operation, body + "}");
  }
  dmq::http::Response call(std::string_view operation, std::string_view members, std::string_view queue = "dmq.fifo") {
    return answer(queue_request(operation, members, queue));
  }
};

}  // namespace support
