#include <dmq/testing/sqs_account_operations.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

/// Five queues: a1 to a3, b, and dmq.fifo, which every cloud has.
struct Account : Cloud {
  Account() {
    for (const char* name : {"a1", "a2", "a3", "b"}) CHECK(model.create_queue(name, {}, now));
  }
  Json list(std::string_view members) {
    return Json(answer(request("ListQueues", "{" + std::string(members) + "}")).body);
  }
};

std::vector<std::string> names(dmq::json::Value urls) {
  std::vector<std::string> all;
  for (const auto url : urls) {
    const std::string_view text = url.string().value_or("");
    CHECK(text.starts_with("http://cloud.test/000000000000/"));
    all.emplace_back(text.substr(text.rfind('/') + 1));
  }
  return all;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("queues are listed by prefix, page by page") {
  Account cloud;
  CHECK(names(cloud.list("")["QueueUrls"]) == Names{"a1", "a2", "a3", "b", "dmq.fifo"});
  CHECK_FALSE(cloud.list("")["NextToken"].exists());
  const Json first = cloud.list(R"("QueueNamePrefix":"a","MaxResults":2)");
  CHECK(names(first["QueueUrls"]) == Names{"a1", "a2"});
  const std::string token(first["NextToken"].string().value());
  const Json second = cloud.list(R"("QueueNamePrefix":"a","MaxResults":2,"NextToken":")" + token + "\"");
  CHECK(names(second["QueueUrls"]) == Names{"a3"});
  CHECK_FALSE(second["NextToken"].exists());
  CHECK_FALSE(cloud.list(R"("QueueNamePrefix":"a","MaxResults":3)")["NextToken"].exists());
  CHECK(cloud.list(R"("QueueNamePrefix":"x","MaxResults":3)").size() == 0);
}

TEST_CASE("pages have 1 to 1000 results") {
  Account cloud;
  CHECK(cloud.list(R"("MaxResults":1000)")["QueueUrls"].size() == 5);
  for (const char* limit : {"0", "1001", "-1"}) {
    const auto refused = cloud.answer(Cloud::request("ListQueues", "{\"MaxResults\":" + std::string(limit) + "}"));
    CHECK(refused.status == 400);
    CHECK(Json(refused.body)["message"].string() ==
          "Value " + std::string(limit) +
              " for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided.");
  }
  CHECK(cloud.list(R"("MaxResults":1,"NextToken":"?")")["__type"].string() ==
        "com.amazon.coral.service#InvalidParameterValueException");
}

TEST_CASE("without MaxResults there are at most 1000 and no token") {
  Account cloud;
  for (int i = 0; i < 1'001; ++i) CHECK(cloud.model.create_queue("c" + std::to_string(i), {}, cloud.now));
  const Json all = cloud.list(R"("QueueNamePrefix":"c")");
  CHECK(all["QueueUrls"].size() == 1'000);
  CHECK_FALSE(all["NextToken"].exists());
  CHECK(cloud.list(R"("QueueNamePrefix":"c","MaxResults":1000)")["NextToken"].exists());
}

TEST_CASE("the sources of a dead-letter queue are listed under a name in lower case") {
  Account cloud;
  CHECK(cloud.call("ListDeadLetterSourceQueues", "", "b").body == "{}");
  const std::string policy = R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:b","maxReceiveCount":3})";
  for (const char* name : {"s1", "s2"}) CHECK(cloud.model.create_queue(name, {{"RedrivePolicy", policy}}, cloud.now));
  CHECK(cloud.call("ListDeadLetterSourceQueues", "", "b").body ==
        R"({"queueUrls":["http://cloud.test/000000000000/s1","http://cloud.test/000000000000/s2"]})");
  const Json page(cloud.call("ListDeadLetterSourceQueues", R"("MaxResults":1)", "b").body);
  CHECK(names(page["queueUrls"]) == Names{"s1"});
  const std::string token(page["NextToken"].string().value());
  const Json rest(cloud.call("ListDeadLetterSourceQueues", R"("MaxResults":1,"NextToken":")" + token + "\"", "b").body);
  CHECK(names(rest["queueUrls"]) == Names{"s2"});
  CHECK(rest.size() == 1);
  CHECK(cloud.call("ListDeadLetterSourceQueues", "", "nobody").status == 400);
}

TEST_CASE("DeleteQueue tells the long polls on it") {
  Account cloud;
  const auto poll = cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":20)", "a1"));
  const auto other = cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":20)", "a2"));
  CHECK(cloud.call("DeleteQueue", "", "a1").status == 200);
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered.front().id == std::get<dmq::testing::PollId>(poll));
  CHECK(answered.front().response.status == 400);
  CHECK(answered.front().response.headers.get("x-amzn-query-error") ==
        "AWS.SimpleQueueService.NonExistentQueue;Sender");
  CHECK(cloud.model.polls() == 1);
  CHECK(cloud.model.advance(cloud.now).empty());
  CHECK(cloud.call("DeleteQueue", "", "a2").status == 200);
  cloud.model.cancel(std::get<dmq::testing::PollId>(other));
  CHECK(cloud.model.advance(cloud.now).empty());
}

TEST_CASE("GetQueueUrl wants a name, and the owner if one is given") {
  Account cloud;
  const auto code = [&](std::string_view members) {
    return std::string(cloud.answer(Cloud::request("GetQueueUrl", "{" + std::string(members) + "}"))
                           .headers.get("x-amzn-query-error"));
  };
  CHECK(code("") == "InvalidParameterValue;Sender");
  CHECK(code(R"("QueueName":"a1","QueueOwnerAWSAccountId":"000000000000")").empty());
  CHECK(code(R"("QueueName":"a1","QueueOwnerAWSAccountId":"111111111111")") ==
        "AWS.SimpleQueueService.NonExistentQueue;Sender");
}
