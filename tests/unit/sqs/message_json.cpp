#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <optional>
#include <string>

#include <dmq/sqs/message_json.hpp>

using dmq::Attribute;
using dmq::Attributes;
using dmq::Entry;
using dmq::encoding::JsonWriter;
using dmq::sqs::read_attributes;
using dmq::sqs::write_entries;
using dmq::sqs::write_entry;

namespace {

std::string written(const Entry& entry) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_entry(json, entry);
  json.end_object();
  return out;
}

std::optional<Attributes> read(const std::string& json) {
  dmq::json::Document document;
  support::parse(json, document).value();
  return read_attributes(document.root());
}

}  // namespace

TEST_CASE("an entry has its body, and what else it has") {
  CHECK(written({.message = {.body = "b"}}) == R"({"MessageBody":"b"})");
  CHECK(written({.message = {.body = "b", .group = "g", .deduplication_id = "ignored"}, .deduplication_id = "d"}) ==
        R"({"MessageBody":"b","MessageGroupId":"g","MessageDeduplicationId":"d"})");
  CHECK(written({.message = {.body = "b", .delay = std::chrono::seconds(5)}}) ==
        R"({"MessageBody":"b","DelaySeconds":5})");
  CHECK(
      written({.message = {.body = "b", .trace_header = "Root=1"}}) ==
      R"({"MessageBody":"b","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}})");
}

TEST_CASE("attributes are text, or bytes in base64") {
  CHECK(written({.message = {.body = "b",
                             .attributes = {{"n", Attribute::number("1")},
                                            {"s", {"String.x", "\"q\""}},
                                            {"x", {"Binary.png", std::string("\0\xFF", 2)}}}}}) ==
        R"({"MessageBody":"b","MessageAttributes":{"n":{"DataType":"Number","StringValue":"1"},)"
        R"("s":{"DataType":"String.x","StringValue":"\"q\""},"x":{"DataType":"Binary.png","BinaryValue":"AP8="}}})");
}

TEST_CASE("an entry's Id in a batch is its place") {
  const Entry a{.message = {.body = "a"}};
  const Entry b{.message = {.body = "b"}};
  const Entry* const batch[] = {&a, &b};
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write_entries(json, batch);
  json.end_object();
  CHECK(out == R"({"Entries":[{"Id":"0","MessageBody":"a"},{"Id":"1","MessageBody":"b"}]})");
}

TEST_CASE("what was written is read again") {
  const Attributes attributes{{"a", Attribute::text("\xF0\x9F\x98\x80 \"\\\n")},
                              {"b", {"Number.int", "-1"}},
                              {"c", Attribute::binary(std::string("\0\1\xFF", 3))}};
  dmq::json::Document document;
  const std::string json = written({.message = {.body = "b", .attributes = attributes}});
  support::parse(json, document).value();
  CHECK(read_attributes(document.root()["MessageAttributes"]) == attributes);
}

TEST_CASE("no attributes are none, and an attribute without a type or value is nothing") {
  CHECK(read("{}") == Attributes{});
  CHECK(read_attributes({}) == Attributes{});
  for (const char* json :
       {R"({"a":{}})", R"({"a":"x"})", R"({"a":{"DataType":"String"}})", R"({"a":{"StringValue":"x"}})",
        R"({"a":{"DataType":"Binary","StringValue":"x"}})", R"({"a":{"DataType":"String","BinaryValue":"AQ=="}})",
        R"({"a":{"DataType":"Binary","BinaryValue":"?"}})", R"({"a":{"DataType":7,"StringValue":"x"}})",
        R"({"a":{"DataType":"String","StringValue":7}})", R"([{}])"})
    CHECK_MESSAGE(!read(json), json);
}
