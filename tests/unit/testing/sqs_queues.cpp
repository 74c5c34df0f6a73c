#include <dmq/testing/sqs_queues.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

std::string arn(std::string_view queue) {
  return "arn:aws:sqs:us-east-1:000000000000:" + std::string(queue);
}

std::string redrive(std::string_view target, int count = 1) {
  return R"({"deadLetterTargetArn":")" + arn(target) + R"(","maxReceiveCount":)" + std::to_string(count) + "}";
}

struct Queues : Cloud {
  dmq::testing::SqsResult<void> create(const std::string& name, const dmq::testing::QueueAttributes& attributes = {}) {
    return model.create_queue(name, attributes, now);
  }
  dmq::testing::SqsResult<void> set(std::string_view name, const dmq::testing::QueueAttributes& attributes) {
    std::string members;
    for (const auto& [attribute, value] : attributes) {
      members.append(members.empty() ? "" : ",");
      dmq::encoding::append_json_string(members, attribute);
      dmq::encoding::append_json_string(members += ":", value);
    }
    const auto response = call("SetQueueAttributes", "\"Attributes\":{" + members + "}", name);
    if (response.status == 200) {
      CHECK(response.body.empty());
      return {};
    }
    const Json json(response.body);
    return dmq::testing::sqs_error(response.status, std::string(json["__type"].string().value()),
                                   std::string(response.headers.get("x-amzn-query-error")),
                                   std::string(json["message"].string().value()));
  }
  std::string told(std::string_view queue, std::string_view attribute) {
    const Json json(call("GetQueueAttributes", "\"AttributeNames\":[\"" + std::string(attribute) + "\"]", queue).body);
    return std::string(json["Attributes"][attribute].string().value_or("absent"));
  }
};

}  // namespace

TEST_CASE("creating a queue again succeeds with the attributes it has, given in part or in another form") {
  Queues cloud;
  CHECK(cloud.create("dead"));
  const std::string policy = R"({ "maxReceiveCount": "3", "deadLetterTargetArn": ")" + arn("dead") + "\" }";
  CHECK(cloud.create("q", {{"RedrivePolicy", policy}, {"DelaySeconds", "5"}}));
  CHECK(cloud.create("q"));
  CHECK(cloud.create("q", {{"RedrivePolicy", redrive("dead", 3)}}));
  CHECK(cloud.create("q", {{"VisibilityTimeout", "30"}, {"SqsManagedSseEnabled", "true"}}));
  CHECK_FALSE(cloud.create("q", {{"KmsMasterKeyId", "alias/key"}}));
  const auto refused = cloud.create("q", {{"DelaySeconds", "6"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().type == "com.amazonaws.sqs#QueueNameExists");
  CHECK(cloud.set("q", {{"DelaySeconds", "6"}}));
  CHECK(cloud.create("q", {{"DelaySeconds", "6"}}));
}

TEST_CASE("a deleted queue is gone with its messages, and its name is taken for a minute") {
  Queues cloud;
  CHECK(cloud.create("q"));
  cloud.call("SendMessage", R"("MessageBody":"x")", "q");
  const auto deleted = cloud.call("DeleteQueue", "", "q");
  CHECK(deleted.status == 200);
  CHECK(deleted.body.empty());
  CHECK(cloud.call("SendMessage", R"("MessageBody":"x")", "q").headers.get("x-amzn-query-error") ==
        "AWS.SimpleQueueService.NonExistentQueue;Sender");
  CHECK(cloud.call("DeleteQueue", "", "q").status == 400);
  cloud.now = cloud.now + 59s;
  const auto refused = cloud.create("q");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().http_status == 400);
  CHECK(refused.error().type == "com.amazonaws.sqs#QueueDeletedRecently");
  CHECK(refused.error().service_code == "AWS.SimpleQueueService.QueueDeletedRecently");
  CHECK(refused.error().message ==
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.");
  CHECK(cloud.create("other"));
  cloud.now = cloud.now + 1s;
  CHECK(cloud.create("q"));
  CHECK(cloud.model.messages("q").empty());
}

TEST_CASE("a message stays where it is when its dead-letter queue was deleted") {
  Queues cloud;
  CHECK(cloud.create("dead"));
  CHECK(cloud.create("q", {{"RedrivePolicy", redrive("dead")}}));
  cloud.call("SendMessage", R"("MessageBody":"x")", "q");
  CHECK(cloud.call("DeleteQueue", "", "dead").status == 200);
  for (const char* count : {"1", "2", "3"}) {
    const Json received(
        cloud.call("ReceiveMessage", R"("VisibilityTimeout":0,"AttributeNames":["ApproximateReceiveCount"])", "q")
            .body);
    CHECK((*received["Messages"].begin())["Attributes"]["ApproximateReceiveCount"].string() == count);
  }
  CHECK(cloud.set("q", {{"DelaySeconds", "1"}}));
  CHECK_FALSE(cloud.set("q", {{"RedrivePolicy", redrive("dead")}}));
  cloud.now = cloud.now + 60s;
  CHECK(cloud.create("dead"));
  CHECK(cloud.call("ReceiveMessage", "", "q").body == "{}");
  CHECK(cloud.model.messages("dead").size() == 1);
}

TEST_CASE("a dead-letter queue may refuse sources") {
  Queues cloud;
  const std::string by_queue =
      R"({"redrivePermission": "byQueue", "sourceQueueArns": [")" + arn("friend") + R"(", ")" + arn("q") + "\"]}";
  CHECK(cloud.create("dead", {{"RedriveAllowPolicy", by_queue}}));
  CHECK(cloud.told("dead", "RedriveAllowPolicy") ==
        R"({"redrivePermission":"byQueue","sourceQueueArns":[")" + arn("friend") + R"(",")" + arn("q") + "\"]}");
  CHECK(cloud.create("friend", {{"RedrivePolicy", redrive("dead")}}));
  const auto refused = cloud.create("stranger", {{"RedrivePolicy", redrive("dead")}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().service_code == "InvalidParameterValue");
  CHECK(cloud.create("q"));
  CHECK(cloud.set("q", {{"RedrivePolicy", redrive("dead")}}));
  CHECK(cloud.set("dead", {{"RedriveAllowPolicy", R"({"redrivePermission":"denyAll"})"}}));
  CHECK_FALSE(cloud.set("q", {{"RedrivePolicy", redrive("dead", 2)}}));
  CHECK(cloud.set("q", {{"DelaySeconds", "1"}}));
  CHECK(cloud.set("dead", {{"RedriveAllowPolicy", R"({"redrivePermission":"allowAll"})"}}));
  CHECK(cloud.set("q", {{"RedrivePolicy", redrive("dead", 2)}}));
  CHECK(cloud.set("dead", {{"RedriveAllowPolicy", ""}}));
  CHECK(cloud.told("dead", "RedriveAllowPolicy") == "absent");
}

TEST_CASE("a queue can be its own dead-letter queue, and needs none") {
  Queues cloud;
  CHECK_FALSE(cloud.create("q", {{"RedrivePolicy", redrive("q")}}));
  CHECK(cloud.create("q"));
  CHECK(cloud.set("q", {{"RedrivePolicy", redrive("q")}}));
  CHECK(cloud.told("q", "RedrivePolicy") == redrive("q"));
  CHECK(cloud.set("q", {{"RedrivePolicy", ""}}));
  CHECK(cloud.told("q", "RedrivePolicy") == "absent");
  const auto refused =
      cloud.set("q", {{"RedrivePolicy", R"({"deadLetterTargetArn": "dummy", "maxReceiveCount": 42})"}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message ==
        R"(Value {"deadLetterTargetArn": "dummy", "maxReceiveCount": 42} for parameter RedrivePolicy is invalid. )"
        "Reason: Invalid value for deadLetterTargetArn.");
}

TEST_CASE("attributes change all together or not at all, and the time of the change is told") {
  Queues cloud;
  CHECK(cloud.create("q"));
  cloud.now = cloud.now + 100s;
  CHECK_FALSE(cloud.set("q", {{"DelaySeconds", "7"}, {"VisibilityTimeout", "43201"}}));
  CHECK(cloud.told("q", "DelaySeconds") == "0");
  CHECK(cloud.told("q", "LastModifiedTimestamp") == "1767225600");
  CHECK(cloud.set("q", {{"DelaySeconds", "7"}, {"VisibilityTimeout", "43200"}}));
  CHECK(cloud.told("q", "DelaySeconds") == "7");
  CHECK(cloud.told("q", "VisibilityTimeout") == "43200");
  CHECK(cloud.told("q", "LastModifiedTimestamp") == "1767225700");
  CHECK(cloud.told("q", "CreatedTimestamp") == "1767225600");
  CHECK(cloud.call("SetQueueAttributes", "", "q").headers.get("x-amzn-query-error") == "MissingParameter;Sender");
  CHECK(
      cloud.call("SetQueueAttributes", "\"Attributes\":{\"DelaySeconds\":1}", "q").headers.get("x-amzn-query-error") ==
      "MalformedInput;Sender");
}

TEST_CASE("new attributes are those that the next operations use") {
  Queues cloud;
  CHECK(cloud.create("q"));
  CHECK(cloud.set("q", {{"DelaySeconds", "7"}, {"VisibilityTimeout", "9"}, {"MaximumMessageSize", "1024"}}));
  const std::string body = "\"MessageBody\":\"" + std::string(1024, 'x');
  CHECK(cloud.call("SendMessage", body + "x\"", "q").status == 400);
  CHECK(cloud.call("SendMessage", body + "\"", "q").status == 200);
  CHECK(cloud.call("ReceiveMessage", "", "q").body == "{}");
  cloud.now = cloud.now + 7s;
  CHECK(cloud.call("ReceiveMessage", "", "q").body != "{}");
  cloud.now = cloud.now + 8s;
  CHECK(cloud.call("ReceiveMessage", "", "q").body == "{}");
  cloud.now = cloud.now + 1s;
  CHECK(cloud.call("ReceiveMessage", "", "q").body != "{}");
}

TEST_CASE("a shorter retention also ends what is older by now") {
  Queues cloud;
  CHECK(cloud.create("q"));
  cloud.call("SendMessage", R"("MessageBody":"old")", "q");
  cloud.now = cloud.now + 10min;
  cloud.call("SendMessage", R"("MessageBody":"new")", "q");
  CHECK(cloud.set("q", {{"MessageRetentionPeriod", "300"}}));
  const Json received(cloud.call("ReceiveMessage", R"("MaxNumberOfMessages":10)", "q").body);
  REQUIRE(received["Messages"].size() == 1);
  CHECK((*received["Messages"].begin())["Body"].string() == "new");
  CHECK(cloud.told("q", "ApproximateNumberOfMessagesNotVisible") == "1");
  cloud.now = cloud.now + 5min;
  CHECK(cloud.told("q", "ApproximateNumberOfMessagesNotVisible") == "0");
}

TEST_CASE("the type of a queue can't be changed") {
  Queues cloud;
  CHECK(cloud.create("q"));
  for (const char* value : {"true", "false"}) {
    const auto standard = cloud.set("q", {{"FifoQueue", value}});
    REQUIRE_FALSE(standard);
    CHECK(standard.error().type == "com.amazonaws.sqs#InvalidAttributeName");
    CHECK(standard.error().message == "Unknown Attribute FifoQueue.");
  }
  CHECK(cloud.set("dmq.fifo", {{"FifoQueue", "true"}}));
  const auto fifo = cloud.set("dmq.fifo", {{"FifoQueue", "false"}});
  REQUIRE_FALSE(fifo);
  CHECK(fifo.error().type == "com.amazonaws.sqs#InvalidAttributeValue");
  CHECK(fifo.error().message ==
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.");
}

TEST_CASE("a new deduplication scope holds after a minute") {
  Queues cloud;
  CHECK(cloud.create("s.fifo", {{"FifoQueue", "true"}}));
  const auto send = [&](std::string_view group, std::string_view id) {
    CHECK(cloud
              .call("SendMessage",
                    "\"MessageBody\":\"x\",\"MessageGroupId\":\"" + std::string(group) +
                        "\",\"MessageDeduplicationId\":\"" + std::string(id) + "\"",
                    "s.fifo")
              .status == 200);
    return cloud.model.messages("s.fifo").size();
  };
  CHECK(send("a", "1") == 1);
  CHECK(cloud.set("s.fifo", {{"DeduplicationScope", "messageGroup"}, {"FifoThroughputLimit", "perMessageGroupId"}}));
  CHECK(cloud.told("s.fifo", "DeduplicationScope") == "messageGroup");
  CHECK(send("b", "1") == 1);
  cloud.now = cloud.now + 60s;
  CHECK(send("a", "2") == 2);
  CHECK(send("b", "2") == 3);
  CHECK(send("b", "2") == 3);
  CHECK_FALSE(cloud.set("s.fifo", {{"DeduplicationScope", "queue"}}));
  CHECK(cloud.set("s.fifo", {{"DeduplicationScope", "queue"}, {"FifoThroughputLimit", "perQueue"}}));
}
