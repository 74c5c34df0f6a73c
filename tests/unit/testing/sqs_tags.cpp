#include <dmq/testing/sqs_tags.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <support/cloud.hpp>

using support::Cloud;
using support::Json;

namespace {

std::string tags(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += (text.empty() ? "" : ",") + ("\"k" + std::to_string(i) + "\":\"v\"");
  return "\"Tags\":{" + text + "}";
}

std::string code(const dmq::http::Response& response) {
  return std::string(response.headers.get("x-amzn-query-error"));
}

}  // namespace

TEST_CASE("tags are added, replaced, taken away and listed") {
  Cloud cloud;
  CHECK(cloud.call("ListQueueTags", "").body == "{}");
  const auto tagged = cloud.call("TagQueue", R"("Tags":{"env":"test","empty":""})");
  CHECK(tagged.status == 200);
  CHECK(tagged.body.empty());
  CHECK(cloud.call("TagQueue", R"("Tags":{"env":"live","owner":"me"})").status == 200);
  CHECK(cloud.call("ListQueueTags", "").body == R"({"Tags":{"empty":"","env":"live","owner":"me"}})");
  const auto untagged = cloud.call("UntagQueue", R"("TagKeys":["env","owner","nobody's"])");
  CHECK(untagged.status == 200);
  CHECK(untagged.body.empty());
  CHECK(cloud.call("ListQueueTags", "").body == R"({"Tags":{"empty":""}})");
  cloud.call("UntagQueue", R"("TagKeys":["empty"])");
  CHECK(cloud.call("ListQueueTags", "").body == "{}");
}

TEST_CASE("a queue has at most 50 tags, and a call that would exceed that adds none") {
  Cloud cloud;
  CHECK(cloud.call("TagQueue", tags(1, 50)).status == 200);
  CHECK(code(cloud.call("TagQueue", tags(51, 51))) == "InvalidParameterValue;Sender");
  CHECK(cloud.call("TagQueue", tags(1, 3)).status == 200);
  CHECK(Json(cloud.call("ListQueueTags", "").body)["Tags"].size() == 50);
}

TEST_CASE("CreateQueue takes tags under a name in lower case, for a new queue only") {
  Cloud cloud;
  const auto create = [&](std::string_view more) {
    return cloud.answer(Cloud::request("CreateQueue", R"({"QueueName":"new")" + std::string(more) + "}"));
  };
  CHECK(code(create("," + ("\"tags\"" + tags(1, 51).substr(6)))) == "InvalidParameterValue;Sender");
  CHECK(cloud.model.queue("new") == nullptr);
  CHECK(create(R"(,"tags":{"a":"b"},"Tags":{"c":"d"})").status == 200);
  CHECK(cloud.call("ListQueueTags", "", "new").body == R"({"Tags":{"a":"b"}})");
  CHECK(create(R"(,"tags":{"e":"f"})").status == 200);
  CHECK(cloud.call("ListQueueTags", "", "new").body == R"({"Tags":{"a":"b"}})");
}

TEST_CASE("tags out of range or of the wrong type are refused") {
  Cloud cloud;
  const std::string key(128, 'k');
  CHECK(cloud.call("TagQueue", "\"Tags\":{\"" + key + "\":\"" + std::string(256, 'v') + "\"}").status == 200);
  CHECK(code(cloud.call("TagQueue", "\"Tags\":{\"" + key + "x\":\"v\"}")) == "InvalidParameterValue;Sender");
  CHECK(code(cloud.call("TagQueue", "\"Tags\":{\"\":\"v\"}")) == "InvalidParameterValue;Sender");
  CHECK(code(cloud.call("TagQueue", "\"Tags\":{\"k\":\"" + std::string(257, 'v') + "\"}")) ==
        "InvalidParameterValue;Sender");
  CHECK(code(cloud.call("TagQueue", "\"Tags\":{}")) == "MissingParameter;Sender");
  CHECK(code(cloud.call("TagQueue", "\"Tags\":[]")) == "MalformedInput;Sender");
  CHECK(code(cloud.call("TagQueue", "\"Tags\":{\"k\":1}")) == "MalformedInput;Sender");
  CHECK(code(cloud.call("UntagQueue", "")) == "MissingParameter;Sender");
  CHECK(code(cloud.call("TagQueue", tags(1, 1), "nobody")) == "AWS.SimpleQueueService.NonExistentQueue;Sender");
}
