#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>

#include <dmq/gateway/batch_route.hpp>

using dmq::Attribute;
using dmq::DeliveryState;
using dmq::Entry;
using dmq::ErrorKind;
using dmq::gateway::BatchRoute;
using dmq::http::Request;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

const BatchRoute route("https://gateway/v1/publish-queue", parse_json);
const Entry first{.message = {.body = "hello", .group = "g"}, .deduplication_id = "d"};
const Entry second{.message = {.body = "message", .group = "h"}, .deduplication_id = "e"};
const Entry* const batch[] = {&first, &second};

}  // namespace

TEST_CASE("the route is /batch behind the path of API_URL") {
  const auto url = [](const char* api_url) { return BatchRoute(api_url, parse_json).build(batch).value().url; };
  CHECK(url("https://gateway/v1/publish-queue") == "https://gateway/v1/publish-queue/batch");
  CHECK(url("https://gateway/v1/publish-queue//") == "https://gateway/v1/publish-queue/batch");
  CHECK(url("https://gateway/v1/publish-queue/?a=b/") == "https://gateway/v1/publish-queue/batch?a=b/");
}

TEST_CASE("entries travel in the shape of SQS, without a queue") {
  const Request request = route.build(batch).value();
  CHECK(request.method == dmq::http::Method::post);
  CHECK(request.headers.size() == 1);
  CHECK(request.headers.get("Content-Type") == "application/json");
  CHECK(request.body ==
        R"({"Entries":[{"Id":"0","MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"d"},)"
        R"({"Id":"1","MessageBody":"message","MessageGroupId":"h","MessageDeduplicationId":"e"}]})");
}

TEST_CASE("every character and attribute comes out of the JSON as it went in") {
  const std::string odd = "'\"\\ \t\r\n \x7F \xC2\x85 \xF0\x9F\x98\x80 \xE2\x80\xA9 $util.urlEncode($input.body)";
  const Entry entry{.message = {.body = odd,
                                .group = "'\"\\",
                                .attributes = {{"text", Attribute::text(odd)},
                                               {"count", Attribute::number("-1.5e3")},
                                               {"bytes", Attribute::binary(std::string("\0\n\xFF", 3))}}},
                    .deduplication_id = "`"};
  const Entry* const one[] = {&entry};
  dmq::json::Document document;
  support::parse(route.build(one).value().body, document).value();
  const dmq::json::Value value = *document.root()["Entries"].begin();
  CHECK(value["MessageBody"].string() == odd);
  CHECK(value["MessageGroupId"].string() == "'\"\\");
  CHECK(value["MessageDeduplicationId"].string() == "`");
  CHECK(dmq::sqs::read_attributes(value["MessageAttributes"]) == entry.message.attributes);
}

TEST_CASE("each entry has its own result") {
  const auto results = route.parse(
      {.status = 200,
       .body = R"({"Successful":[{"Id":"0","MessageId":"m","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}],)"
               R"("Failed":[{"Id":"1","SenderFault":false,"Code":"InternalError","Message":"x"}]})"},
      batch);
  REQUIRE(results.size() == 2);
  CHECK(results[0].value().message_id == "m");
  CHECK(results[1].error().delivery == DeliveryState::unknown);
}

TEST_CASE("an answer that is none leaves the fate of every entry unknown") {
  for (const char* body : {"", "{", "{}", "[]", "<html>", "null", R"({"message":"Internal server error"})",
                           R"({"Error":null})", R"({"Successful":7})"}) {
    CAPTURE(body);
    const auto results = route.parse({.status = 200, .body = body}, batch);
    REQUIRE(results.size() == 2);
    for (const auto& result : results) {
      REQUIRE_FALSE(result);
      CHECK(result.error().kind == ErrorKind::protocol);
      CHECK(result.error().delivery == DeliveryState::unknown);
    }
  }
}

TEST_CASE("an error of the whole request is that of every entry") {
  const auto check = [](int status, const char* body, ErrorKind kind, DeliveryState delivery) {
    const auto results = route.parse({.status = status, .body = body}, batch);
    REQUIRE(results.size() == 2);
    for (const auto& result : results) {
      CHECK(result.error().kind == kind);
      CHECK(result.error().delivery == delivery);
    }
  };
  check(401, "", ErrorKind::authentication, DeliveryState::rejected);
  check(403, R"({"message":"Missing Authentication Token"})", ErrorKind::configuration, DeliveryState::rejected);
  check(413, "", ErrorKind::rejected, DeliveryState::rejected);
  check(429, "", ErrorKind::throttled, DeliveryState::rejected);
  check(504, R"({"message":"Endpoint request timed out"})", ErrorKind::unavailable, DeliveryState::unknown);
  check(308, "", ErrorKind::configuration, DeliveryState::unknown);
  check(200, R"({"__type":"com.amazonaws.sqs#BatchRequestTooLong"})", ErrorKind::rejected, DeliveryState::rejected);
  check(200, R"({"Error":{"Code":"RequestThrottled","Type":"Sender"}})", ErrorKind::throttled, DeliveryState::rejected);
}

TEST_CASE("the route carries ten entries of any kind") {
  CHECK(route.max_batch() == 10);
  CHECK(route.name() == "publish_batch");
  CHECK(route.check({.message = {.attributes = {{"a", Attribute::text("v")}}}}).has_value());
}
