#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <string>
#include <vector>

#include <dmq/sqs/send_route.hpp>

using dmq::Attribute;
using dmq::DeliveryState;
using dmq::Entry;
using dmq::EntryBatch;
using dmq::ErrorKind;
using dmq::http::Request;
using dmq::sqs::SendRoute;
using dmq::sqs::Wire;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

const std::string queue_url = "https://sqs.eu-central-1.amazonaws.com/1/q.fifo";
const SendRoute route(Wire("https://sqs.eu-central-1.amazonaws.com", parse_json), queue_url);

const Entry first{.message = {.body = "hello", .group = "g"}, .deduplication_id = "d"};
const Entry second{.message = {.body = "message", .group = "h"}, .deduplication_id = "e"};

const char* const accepted = R"({"MessageId":"m","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"})";

}  // namespace

TEST_CASE("one entry is a SendMessage") {
  const Entry* const batch[] = {&first};
  const Request request = route.build(batch).value();
  CHECK(request.url == "https://sqs.eu-central-1.amazonaws.com/");
  CHECK(request.headers.get("X-Amz-Target") == "AmazonSQS.SendMessage");
  CHECK(request.body == R"({"QueueUrl":"https://sqs.eu-central-1.amazonaws.com/1/q.fifo","MessageBody":"hello",)"
                        R"("MessageGroupId":"g","MessageDeduplicationId":"d"})");
}

TEST_CASE("several entries are a SendMessageBatch") {
  const Entry* const batch[] = {&first, &second};
  const Request request = route.build(batch).value();
  CHECK(request.headers.get("X-Amz-Target") == "AmazonSQS.SendMessageBatch");
  CHECK(request.body == R"({"QueueUrl":"https://sqs.eu-central-1.amazonaws.com/1/q.fifo","Entries":[)"
                        R"({"Id":"0","MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"d"},)"
                        R"({"Id":"1","MessageBody":"message","MessageGroupId":"h","MessageDeduplicationId":"e"}]})");
}

TEST_CASE("every character of a message comes out of the JSON as it went in") {
  const std::string odd = "\"quotes\" \\ / \t\r\n \x7F \xC2\x85 \xF0\x9F\x98\x80 \xE2\x80\xA8 </script> \xEF\xBF\xBD";
  const Entry entry{.message = {.body = odd,
                                .group = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
                                .attributes = {{"text", Attribute::text(odd)},
                                               {"bytes", Attribute::binary(std::string("\0\x1F\xFF", 3))}}},
                    .deduplication_id = "\"\\"};
  const Entry* const one[] = {&entry};
  const Entry* const two[] = {&first, &entry};
  const auto check = [&](const std::string& body, bool batched) {
    dmq::json::Document document;
    support::parse(body, document).value();
    dmq::json::Value value = document.root();
    CHECK(value["QueueUrl"].string() == queue_url);
    if (batched) value = *++value["Entries"].begin();
    CHECK(value["MessageBody"].string() == odd);
    CHECK(value["MessageGroupId"].string() == entry.message.group);
    CHECK(value["MessageDeduplicationId"].string() == entry.deduplication_id);
    CHECK(dmq::sqs::read_attributes(value["MessageAttributes"]) == entry.message.attributes);
  };
  check(route.build(one).value().body, false);
  check(route.build(two).value().body, true);
}

TEST_CASE("the answer to one entry is its receipt or its error") {
  const Entry* const batch[] = {&first};
  auto results = route.parse({.status = 200, .body = accepted}, batch);
  REQUIRE(results.size() == 1);
  CHECK(results[0].value().message_id == "m");
  for (const char* body : {"", "{}", "{\"MessageId\":\"m\"", "<html>"}) {
    results = route.parse({.status = 200, .body = body}, batch);
    REQUIRE(results.size() == 1);
    CHECK(results[0].error().kind == ErrorKind::protocol);
    CHECK(results[0].error().delivery == DeliveryState::unknown);
  }
}

TEST_CASE("an error of the whole request is that of every entry") {
  const Entry* const batch[] = {&first, &second};
  for (const auto& result : route.parse({.status = 403, .body = R"({"__type":"RequestThrottled"})"}, batch)) {
    CHECK(result.error().kind == ErrorKind::throttled);
    CHECK(result.error().delivery == DeliveryState::rejected);
  }
  CHECK(route.parse({.status = 503}, batch).size() == 2);
  for (const auto& result : route.parse({.status = 200}, batch)) {
    CHECK(result.error().kind == ErrorKind::protocol);
    CHECK(result.error().delivery == DeliveryState::unknown);
  }
}

TEST_CASE("the route carries ten entries of any kind") {
  CHECK(route.max_batch() == 10);
  CHECK(route.name() == "send");
  CHECK(route.check({.message = {.attributes = {{"a", Attribute::text("v")}}}}).has_value());
}
