#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>
#include <vector>

#include <dmq/sqs/wire.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::http::Response;
using dmq::sqs::Wire;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

const Wire wire("https://sqs.eu-central-1.amazonaws.com", parse_json);

Error failure(int status, std::string body) {
  dmq::json::Document document;
  const auto root = wire.answer({.status = status, .body = std::move(body)}, document);
  REQUIRE_FALSE(root);
  return root.error();
}

}  // namespace

TEST_CASE("a request has the target of its operation and nothing that varies") {
  const dmq::http::Request request = wire.request("SendMessage");
  CHECK(request.method == dmq::http::Method::post);
  CHECK(request.url == "https://sqs.eu-central-1.amazonaws.com/");
  CHECK(request.body.empty());
  std::vector<std::string> lines;
  for (auto it = request.headers.begin(); it != request.headers.end(); ++it) lines.emplace_back(it.line());
  CHECK(lines == std::vector<std::string>{"Content-Type: application/x-amz-json-1.0",
                                          "X-Amz-Target: AmazonSQS.SendMessage", "x-amzn-query-mode: true"});
  CHECK(request.resend == dmq::http::Resend::forbidden);
}

TEST_CASE("a 2xx is its JSON object, or nothing when it is empty") {
  dmq::json::Document document;
  CHECK(wire.answer({.status = 200, .body = R"({"a":"b"})"}, document).value()["a"].string() == "b");
  CHECK(wire.answer({.status = 201, .body = "{}"}, document).value().exists());
  CHECK_FALSE(wire.answer({.status = 200}, document).value().exists());
  CHECK_FALSE(document.root().exists());
}

TEST_CASE("a 2xx that can't be read leaves the fate unknown") {
  for (const char* body : {"{", R"({"MessageId":"1")", "<html>", "[]", "\"ok\"", "7", "null", " ", "{}{}", "\xFF"}) {
    CAPTURE(body);
    const Error error = failure(200, body);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.delivery == DeliveryState::unknown);
    CHECK(error.http_status == 200);
    CHECK(error.message.starts_with("the answer can't be used: "));
  }
}

TEST_CASE("an error inside a 2xx is judged by its own code, in both shapes") {
  for (const char* body : {R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"})",
                           R"({"Error":{"Code":"AWS.SimpleQueueService.NonExistentQueue","Message":"gone"}})"}) {
    const Error error = failure(200, body);
    CHECK(error.kind == ErrorKind::configuration);
    CHECK(error.delivery == DeliveryState::rejected);
    CHECK(error.message.starts_with("gone"));
  }
  CHECK(failure(200, R"({"__type":"InternalError"})").delivery == DeliveryState::unknown);
}

TEST_CASE("an error without a name inside a 2xx says nothing of the fate") {
  for (const char* body : {R"({"Error":null})", R"({"Error":{}})", R"({"Error":"x"})", R"({"__type":null})",
                           R"({"__type":"","MessageId":"1"})"}) {
    CAPTURE(body);
    const Error error = failure(200, body);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.delivery == DeliveryState::unknown);
  }
}

TEST_CASE("any other status is an error, whatever its body") {
  CHECK(failure(400, "{}").kind == ErrorKind::rejected);
  CHECK(failure(400, "").kind == ErrorKind::rejected);
  CHECK(failure(503, "<html>").delivery == DeliveryState::unknown);
  CHECK(failure(307, "").kind == ErrorKind::configuration);
}

TEST_CASE("a document that is used again holds nothing of before") {
  dmq::json::Document document;
  CHECK(wire.answer({.status = 200, .body = R"({"a":"b"})"}, document).has_value());
  CHECK_FALSE(wire.answer({.status = 200, .body = "{"}, document));
  CHECK_FALSE(document.root().exists());
}
