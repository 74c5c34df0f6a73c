// SQS events: whatever comes in is refused, or answered with ids of its own, each once, in JSON.

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include <dmq/encoding/utf8.hpp>
#include <dmq/json/simdjson.hpp>
#include <dmq/lambda/error_report.hpp>
#include <dmq/lambda/handle_batch.hpp>

#include "require.hpp"

namespace {

/// An event with the text as one of its values, when it is none by itself: most texts are not.
std::string wrap(std::string_view text) {
  std::string body;
  dmq::encoding::append_json_string(body, text);
  const std::string sum = dmq::sqs::body_md5(text).value_or("");
  return R"({"Records":[{"messageId":"wrapped-7f3a","body":)" + body + R"(,"md5OfBody":")" + sum +
         R"(","attributes":{"MessageGroupId":"g"},"eventSource":"aws:sqs","eventSourceARN":"q.fifo"},)" +
         std::string(text) + "]}";
}

void check(std::string_view event, std::string_view text) {
  std::set<std::string, std::less<>> seen;
  const auto handler = [&](const dmq::Delivery& delivery) -> dmq::Result<void> {
    require(!delivery.message_id.empty() && !delivery.body.empty());
    require(dmq::encoding::is_utf8(delivery.body));
    if (delivery.message_id == "wrapped-7f3a") require(delivery.body == text);
    seen.insert(delivery.message_id);
    return dmq::invalid_argument("no");
  };
  const auto answer = dmq::lambda::handle_batch(event, dmq::json::simdjson_parse, handler);
  dmq::json::Document document;
  if (!answer) {
    require(answer.error().kind == dmq::ErrorKind::protocol && seen.empty());
    const std::string report = dmq::lambda::error_report(answer.error(), dmq::lambda::Blame::function);
    require(dmq::json::simdjson_parse(report, document).has_value());
    return;
  }
  require(dmq::json::simdjson_parse(*answer, document).has_value());
  std::set<std::string, std::less<>> reported;
  for (const dmq::json::Value item : document.root()["batchItemFailures"]) {
    const auto id = item["itemIdentifier"].string();
    require(id.has_value() && !id->empty());
    require(reported.emplace(*id).second);
  }
  for (const std::string& id : seen) require(reported.contains(id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(text, {});
  check(wrap(text), text);
  return 0;
}
