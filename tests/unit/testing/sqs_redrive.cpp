#include <dmq/testing/sqs_redrive.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <variant>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

std::string redrive(std::string_view target, std::string_view count = "1") {
  return R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:)" + std::string(target) +
         R"(","maxReceiveCount":)" + std::string(count) + "}";
}

/// Two queues, FIFO or standard; what is received once and not deleted goes from the first to the second.
struct Redrive : Cloud {
  explicit Redrive(std::string_view ending = ".fifo")
      : source("work" + std::string(ending)), dead("dead" + std::string(ending)) {
    if (ending == ".fifo") attributes = {{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}};
    CHECK(model.create_queue(dead, attributes, now));
    CHECK(create(redrive(dead)));
  }

  std::string source;
  std::string dead;
  dmq::testing::QueueAttributes attributes{};

  dmq::testing::SqsResult<void> create(const std::string& policy, std::string name = "") {
    auto all = attributes;
    all["RedrivePolicy"] = policy;
    return model.create_queue(name.empty() ? source : name, all, now);
  }
  void send(std::string_view body) {
    CHECK(call("SendMessage",
               R"("MessageGroupId":"g","MessageAttributes":{"a":{"DataType":"String","StringValue":"b"}},
               "MessageBody":")" +
                   std::string(body) + "\"",
               source)
              .status == 200);
  }
  std::string receive(const std::string& queue, std::string_view more = "") {
    return call("ReceiveMessage",
                R"("MessageSystemAttributeNames":["All"],"MessageAttributeNames":["All"],
                "VisibilityTimeout":10,"MaxNumberOfMessages":10)" +
                    std::string(more),
                queue)
        .body;
  }
};

}  // namespace

TEST_CASE("a message goes to the dead-letter queue at the receive that would exceed the count") {
  for (const std::string_view ending : {".fifo", ""}) {
    CAPTURE(ending);
    Redrive cloud(ending);
    cloud.send("hello");
    const Json first(cloud.receive(cloud.source));
    const std::string id((*first["Messages"].begin())["MessageId"].string().value());
    cloud.now = cloud.now + 10s;
    CHECK(cloud.model.messages(cloud.source).size() == 1);
    CHECK(cloud.receive(cloud.dead) == "{}");
    CHECK(cloud.receive(cloud.source) == "{}");
    CHECK(cloud.model.messages(cloud.source).empty());

    const Json moved(cloud.receive(cloud.dead));
    const auto message = *moved["Messages"].begin();
    CHECK(message["MessageId"].string() == id);
    CHECK(message["Body"].string() == "hello");
    CHECK(message["MessageAttributes"]["a"]["StringValue"].string() == "b");
    CHECK(message["Attributes"]["MessageGroupId"].string() == "g");
    CHECK(message["Attributes"]["ApproximateReceiveCount"].string() == "2");
    CHECK(message["Attributes"]["DeadLetterQueueSourceArn"].string() ==
          "arn:aws:sqs:us-east-1:000000000000:" + cloud.source);
    CHECK_FALSE((*first["Messages"].begin())["Attributes"]["DeadLetterQueueSourceArn"].exists());
  }
}

TEST_CASE("a group goes on when its head has died") {
  Redrive cloud;
  cloud.send("one");
  cloud.receive(cloud.source);
  cloud.send("two");
  cloud.now = cloud.now + 10s;
  const Json next(cloud.receive(cloud.source));
  CHECK(next["Messages"].size() == 1);
  CHECK((*next["Messages"].begin())["Body"].string() == "two");
  CHECK(cloud.model.messages(cloud.dead, "g").size() == 1);
  cloud.now = cloud.now + 10s;
  CHECK(cloud.receive(cloud.source) == "{}");
  cloud.send("three");
  CHECK(Json(cloud.receive(cloud.source))["Messages"].size() == 1);
  CHECK(Json(cloud.receive(cloud.dead))["Messages"].size() == 2);
}

TEST_CASE("retention begins anew in a FIFO dead-letter queue, and goes on in a standard one") {
  for (const std::string_view ending : {".fifo", ""}) {
    CAPTURE(ending);
    Redrive cloud(ending);
    const auto sent = cloud.now;
    cloud.send("hello");
    cloud.receive(cloud.source);
    cloud.now = cloud.now + 1h;
    cloud.receive(cloud.source);
    const auto held = cloud.model.messages(cloud.dead).front();
    CHECK(held.sent == (ending.empty() ? sent : cloud.now));
  }
}

TEST_CASE("a long poll on the dead-letter queue gets what dies") {
  Redrive cloud;
  cloud.send("hello");
  cloud.receive(cloud.source);
  const std::string request = R"("WaitTimeSeconds":20)";
  const auto on_dead = cloud.handle(Cloud::queue_request("ReceiveMessage", request, cloud.dead));
  const auto on_source = cloud.handle(Cloud::queue_request("ReceiveMessage", request, cloud.source));
  CHECK(std::holds_alternative<dmq::testing::PollId>(on_source));
  cloud.now = cloud.now + 10s;
  CHECK(cloud.model.next_deadline() == cloud.now.ticks);
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered.front().id == std::get<dmq::testing::PollId>(on_dead));
  CHECK(Json(answered.front().response.body)["Messages"].size() == 1);
}

TEST_CASE("the dead-letter queue must exist and be of the same type, the count be 1 to 1000") {
  Redrive cloud;
  CHECK(cloud.model.create_queue("standard", {}, cloud.now));
  for (const auto& policy : {redrive("nobody.fifo"), redrive("standard"), redrive(cloud.dead, "0"),
                             redrive(cloud.dead, "1001"), redrive(cloud.dead, "\"x\""), std::string("nonsense"),
                             std::string("[]"), std::string(R"({"maxReceiveCount":3})")}) {
    CAPTURE(policy);
    const auto refused = cloud.create(policy, "other.fifo");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().service_code == "InvalidParameterValue");
  }
  for (const auto& [name, count] : {std::pair("a.fifo", "1"), {"b.fifo", "1000"}, {"c.fifo", "\"7\""}})
    CHECK(cloud.create(redrive(cloud.dead, count), name));
}

TEST_CASE("redrive policies are attributes of the queue") {
  Redrive cloud;
  CHECK(cloud.create(redrive(cloud.dead)));
  CHECK_FALSE(cloud.create(redrive(cloud.dead, "2")));
  const Json told(cloud.call("GetQueueAttributes", R"("AttributeNames":["All"])", cloud.source).body);
  CHECK(told["Attributes"]["RedrivePolicy"].string() == redrive(cloud.dead));
  const std::string allow = R"({"redrivePermission":"denyAll"})";
  CHECK(cloud.model.create_queue("free", {{"RedriveAllowPolicy", allow}}, cloud.now));
  CHECK_FALSE(cloud.model.create_queue("bound", {{"RedriveAllowPolicy", "nonsense"}}, cloud.now));
  CHECK(cloud.model.queue("free")->settings().redrive_allow_policy == allow);
}
