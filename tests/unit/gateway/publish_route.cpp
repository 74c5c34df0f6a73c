#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>
#include <vector>

#include <dmq/gateway/publish_route.hpp>

using dmq::Attribute;
using dmq::DeliveryState;
using dmq::Entry;
using dmq::Error;
using dmq::ErrorKind;
using dmq::gateway::PublishRoute;
using dmq::http::Request;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

const PublishRoute route("https://gateway/v1/publish-queue", parse_json);
const Entry entry{.message = {.body = "hello", .group = "g"}, .deduplication_id = "d"};
const Entry* const batch[] = {&entry};

std::string wrapped(const std::string& result) {
  return R"({"SendMessageResponse":{"ResponseMetadata":{"RequestId":"r"},"SendMessageResult":)" + result + "}}";
}

const std::string accepted =
    R"({"MD5OfMessageAttributes":null,"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","MessageId":"m",)"
    R"("SequenceNumber":"18849"})";

dmq::Result<dmq::Receipt> parse(int status, std::string body) {
  auto results = route.parse({.status = status, .body = std::move(body)}, batch);
  REQUIRE(results.size() == 1);
  return std::move(results.front());
}

std::vector<std::string> lines(const Request& request) {
  std::vector<std::string> all;
  for (auto it = request.headers.begin(); it != request.headers.end(); ++it) all.emplace_back(it.line());
  return all;
}

}  // namespace

TEST_CASE("the ids travel as headers and the body as it is") {
  const Request request = route.build(batch).value();
  CHECK(request.method == dmq::http::Method::post);
  CHECK(request.url == "https://gateway/v1/publish-queue");
  CHECK(request.body == "hello");
  CHECK(lines(request) ==
        std::vector<std::string>{"Content-Type: application/json", "MessageGroupId: g", "MessageDeduplicationId: d"});
}

TEST_CASE("what an entry lacks is not sent, and a trace header is") {
  const Entry plain{.message = {.body = "b&c=\n\"", .trace_header = "Root=1"}};
  const Entry* const one[] = {&plain};
  const Request request = route.build(one).value();
  CHECK(request.body == "b&c=\n\"");
  CHECK(lines(request) == std::vector<std::string>{"Content-Type: application/json", "X-Amzn-Trace-Id: Root=1"});
}

TEST_CASE("attributes and delays are refused before anything is sent") {
  const auto refusal = [](const Entry& e) {
    const auto ok = route.check(e);
    REQUIRE_FALSE(ok);
    CHECK(ok.error().kind == ErrorKind::invalid_argument);
    CHECK(ok.error().delivery == DeliveryState::not_sent);
    return ok.error().message;
  };
  CHECK(refusal({.message = {.attributes = {{"a", Attribute::text("v")}}}}).find("carries no attributes") !=
        std::string::npos);
  CHECK(refusal({.message = {.delay = std::chrono::seconds(1)}}).find("carries no delay") != std::string::npos);
  CHECK(route.check(entry).has_value());
  CHECK(route.max_batch() == 1);
  CHECK(route.name() == "publish");
}

TEST_CASE("a receipt is read in the query protocol's wrappers or without") {
  for (const std::string& body : {wrapped(accepted), accepted}) {
    const dmq::Receipt receipt = parse(200, body).value();
    CHECK(receipt.message_id == "m");
    CHECK(receipt.sequence_number == "18849");
    CHECK(receipt.deduplication_id == "d");
  }
}

TEST_CASE("a 2xx that proves nothing leaves the fate unknown") {
  for (const std::string& body :
       {std::string(), std::string("{}"), std::string("<html>"), std::string("[]"), std::string("null"),
        wrapped(accepted).substr(0, 100), std::string(R"({"message":"Internal server error"})"), wrapped("null"),
        wrapped("{}"), wrapped(R"({"MessageId":"m"})"), std::string(R"({"Error":null})"),
        std::string(R"({"SendMessageResponse":7})")}) {
    CAPTURE(body);
    const auto result = parse(200, body);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == ErrorKind::protocol);
    CHECK(result.error().delivery == DeliveryState::unknown);
  }
}

TEST_CASE("the MD5 of another body is an integrity error") {
  const Error error =
      parse(200, wrapped(R"({"MessageId":"m","MD5OfMessageBody":"78e731027d8fd50ed642340b7c9a63b3"})")).error();
  CHECK(error.kind == ErrorKind::integrity);
  CHECK(error.delivery == DeliveryState::unknown);
}

TEST_CASE("an error of SQS under 200 is judged by its own code, in both shapes") {
  for (const char* body : {R"({"Error":{"Code":"AccessDenied","Message":"no","Type":"Sender"}})",
                           R"({"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"})"}) {
    const Error error = parse(200, body).error();
    CHECK(error.kind == ErrorKind::authorization);
    CHECK(error.delivery == DeliveryState::rejected);
  }
  CHECK(parse(200, R"({"Error":{"Code":"InternalError","Type":"Receiver"}})").error().delivery ==
        DeliveryState::unknown);
}

TEST_CASE("every other status is an error, also around a receipt") {
  CHECK(parse(401, "").error().kind == ErrorKind::authentication);
  CHECK(parse(429, R"({"message":"Limit Exceeded"})").error().retry_after == std::chrono::seconds(20));
  CHECK(parse(504, wrapped(accepted)).error().delivery == DeliveryState::unknown);
  CHECK(parse(302, wrapped(accepted)).error().kind == ErrorKind::configuration);
  CHECK(parse(400, wrapped(accepted)).error().kind == ErrorKind::rejected);
}
