#include <dmq/testing/sqs_move_tasks.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;

namespace {

constexpr std::string_view prefix = "arn:aws:sqs:us-east-1:000000000000:";

std::string arn(std::string_view queue) {
  return std::string(prefix).append(queue);
}

/// `work.fifo` and `other.fifo`, whose messages die in `dead.fifo` when they are received a second time.
struct Moves : Cloud {
  Moves() {
    attributes = {{"FifoQueue", "true"}, {"ContentBasedDeduplication", "true"}};
    CHECK(model.create_queue("dead.fifo", attributes, now));
    CHECK(model.create_queue("spare.fifo", attributes, now));
    attributes["RedrivePolicy"] = R"({"deadLetterTargetArn":")" + arn("dead.fifo") + R"(","maxReceiveCount":1})";
    CHECK(model.create_queue("work.fifo", attributes, now));
    CHECK(model.create_queue("other.fifo", attributes, now));
  }
  dmq::testing::QueueAttributes attributes{};

  void send(std::string_view body, std::string_view queue) {
    CHECK(call("SendMessage", R"("MessageGroupId":"g","MessageBody":")" + std::string(body) + "\"", queue).status ==
          200);
  }
  /// Lets all messages of a queue die.
  void kill(std::string_view queue) {
    for (int i = 0; i < 2; ++i)
      CHECK(call("ReceiveMessage", R"("VisibilityTimeout":0,"MaxNumberOfMessages":10)", queue).status == 200);
    CHECK(bodies(queue).empty());
  }
  std::vector<std::string> bodies(std::string_view queue) {
    std::vector<std::string> all;
    for (const auto& message : model.messages(queue)) all.push_back(message.content.body);
    return all;
  }
  dmq::http::Response start(std::string_view more = "", std::string_view source = "dead.fifo") {
    return answer(request("StartMessageMoveTask", R"({"SourceArn":")" + arn(source) + "\"" + std::string(more) + "}"));
  }
  Json list(std::string_view more = "") {
    return Json(
        answer(request("ListMessageMoveTasks", R"({"SourceArn":")" + arn("dead.fifo") + "\"" + std::string(more) + "}"))
            .body);
  }
  dmq::http::Response cancel(std::string_view handle) {
    return answer(request("CancelMessageMoveTask", R"({"TaskHandle":")" + std::string(handle) + "\"}"));
  }
};

dmq::json::Value newest(const Json& list) {
  return *list["Results"].begin();
}

std::string handle_of(const dmq::http::Response& started) {
  CHECK(started.status == 200);
  return std::string(Json(started.body)["TaskHandle"].string().value_or(""));
}

void check_error(const dmq::http::Response& response, int status, std::string_view code, std::string_view message) {
  CHECK(response.status == status);
  CHECK(response.headers.get("x-amzn-query-error") == std::string(code) + ";Sender");
  CHECK(Json(response.body)["message"].string() == message);
}

}  // namespace

TEST_CASE("a task without a destination takes each message back to its own source, as a new one") {
  Moves cloud;
  cloud.send("a", "work.fifo");
  cloud.send("b", "other.fifo");
  cloud.send("c", "work.fifo");
  const std::string old_id = cloud.model.messages("work.fifo").front().message_id;
  cloud.kill("work.fifo");
  cloud.kill("other.fifo");
  cloud.now = cloud.now + 1h;
  CHECK(cloud.start().status == 200);
  cloud.now = cloud.now + 1s;
  const Json done = cloud.list();
  CHECK(newest(done)["Status"].string() == "COMPLETED");
  CHECK(newest(done)["ApproximateNumberOfMessagesMoved"].integer() == 3);
  CHECK(newest(done)["ApproximateNumberOfMessagesToMove"].integer() == 3);
  CHECK(newest(done)["SourceArn"].string() == arn("dead.fifo"));
  CHECK(newest(done)["StartedTimestamp"].integer() == 1'767'229'200'000);
  CHECK(newest(done).size() == 5);
  CHECK(cloud.bodies("work.fifo") == std::vector<std::string>{"a", "c"});
  CHECK(cloud.bodies("other.fifo") == std::vector<std::string>{"b"});
  CHECK(cloud.bodies("dead.fifo").empty());
  const auto moved = cloud.model.messages("work.fifo").front();
  CHECK(moved.message_id != old_id);
  CHECK(moved.receive_count == 0);
  CHECK(moved.dead_letter_source.empty());
  CHECK(moved.sent.ticks == cloud.now.ticks - 1s + 2ms);
}

TEST_CASE("a task moves as fast as it was told, and that shows in its counts") {
  Moves cloud;
  for (const char* body : {"1", "2", "3", "4", "5"}) cloud.send(body, "work.fifo");
  cloud.kill("work.fifo");
  CHECK(cloud.model.next_deadline() == std::nullopt);
  const auto started =
      cloud.start(R"(,"DestinationArn":")" + arn("spare.fifo") + R"(","MaxNumberOfMessagesPerSecond":2)");
  CHECK(cloud.model.next_deadline() == cloud.now.ticks + 500ms);
  const Json first = cloud.list();
  CHECK(newest(first)["Status"].string() == "RUNNING");
  CHECK(newest(first)["TaskHandle"].string() == handle_of(started));
  CHECK(newest(first)["ApproximateNumberOfMessagesMoved"].integer() == 0);
  CHECK(newest(first)["ApproximateNumberOfMessagesToMove"].integer() == 5);
  CHECK(newest(first)["MaxNumberOfMessagesPerSecond"].integer() == 2);
  CHECK(newest(first)["DestinationArn"].string() == arn("spare.fifo"));
  cloud.now = cloud.now + 1999ms;
  CHECK(newest(cloud.list())["ApproximateNumberOfMessagesMoved"].integer() == 3);
  CHECK(cloud.bodies("spare.fifo") == std::vector<std::string>{"1", "2", "3"});
  cloud.send("6", "work.fifo");
  cloud.kill("work.fifo");
  cloud.now = cloud.now + 1h;
  const Json done = cloud.list();
  CHECK(newest(done)["Status"].string() == "COMPLETED");
  CHECK_FALSE(newest(done)["TaskHandle"].exists());
  CHECK(cloud.bodies("spare.fifo") == std::vector<std::string>{"1", "2", "3", "4", "5"});
  CHECK(cloud.bodies("dead.fifo") == std::vector<std::string>{"6"});
  CHECK(cloud.model.next_deadline() == std::nullopt);
}

TEST_CASE("a message in flight is left alone") {
  Moves cloud;
  cloud.send("1", "work.fifo");
  cloud.kill("work.fifo");
  cloud.call("ReceiveMessage", "", "dead.fifo");
  CHECK(cloud.start().status == 200);
  cloud.now = cloud.now + 1s;
  CHECK(newest(cloud.list())["Status"].string() == "COMPLETED");
  CHECK(newest(cloud.list())["ApproximateNumberOfMessagesMoved"].integer() == 0);
  CHECK(cloud.bodies("dead.fifo").size() == 1);
}

TEST_CASE("a long poll gets what a task moves, when it moves it") {
  Moves cloud;
  cloud.send("1", "work.fifo");
  cloud.kill("work.fifo");
  const auto poll = cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":20)", "work.fifo"));
  cloud.start(R"(,"MaxNumberOfMessagesPerSecond":1)");
  CHECK(cloud.model.advance(cloud.now).empty());
  CHECK(cloud.model.next_deadline() == cloud.now.ticks + 1s);
  cloud.now = cloud.now + 1s;
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered.front().id == std::get<dmq::testing::PollId>(poll));
  CHECK(Json(answered.front().response.body)["Messages"].size() == 1);
}

TEST_CASE("a task that is cancelled moves nothing more") {
  Moves cloud;
  for (const char* body : {"1", "2", "3"}) cloud.send(body, "work.fifo");
  cloud.kill("work.fifo");
  const std::string handle = handle_of(cloud.start(R"(,"MaxNumberOfMessagesPerSecond":1)"));
  cloud.now = cloud.now + 1s;
  const auto cancelled = cloud.cancel(handle);
  CHECK(cancelled.status == 200);
  CHECK(cancelled.body == R"({"ApproximateNumberOfMessagesMoved":1})");
  CHECK(newest(cloud.list())["Status"].string() == "CANCELLING");
  CHECK_FALSE(newest(cloud.list())["TaskHandle"].exists());
  CHECK(cloud.start().status == 400);
  cloud.now = cloud.now + 1h;
  CHECK(newest(cloud.list())["Status"].string() == "CANCELLED");
  CHECK(newest(cloud.list())["ApproximateNumberOfMessagesMoved"].integer() == 1);
  CHECK(cloud.bodies("dead.fifo").size() == 2);
  CHECK(cloud.cancel(handle).status == 400);
  CHECK(cloud.start().status == 200);
}

TEST_CASE("a task fails when it can't tell where to, or the destination is gone") {
  Moves cloud;
  cloud.send("direct", "dead.fifo");
  CHECK(cloud.start().status == 200);
  cloud.now = cloud.now + 1s;
  CHECK(newest(cloud.list())["Status"].string() == "FAILED");
  CHECK(newest(cloud.list())["FailureReason"].string() == "CouldNotDetermineMessageSource");
  CHECK(cloud.bodies("dead.fifo").size() == 1);

  CHECK(cloud.start(R"(,"DestinationArn":")" + arn("spare.fifo") + R"(","MaxNumberOfMessagesPerSecond":1)").status ==
        200);
  CHECK(cloud.call("DeleteQueue", "", "spare.fifo").status == 200);
  cloud.now = cloud.now + 1s;
  CHECK(newest(cloud.list())["FailureReason"].string() == "AWS.SimpleQueueService.NonExistentQueue");
  CHECK(cloud.bodies("dead.fifo").size() == 1);
}

TEST_CASE("the ten newest tasks are listed, the newest first, one unless more are wanted") {
  Moves cloud;
  for (int i = 1; i <= 12; ++i) {
    CHECK(cloud.start(",\"MaxNumberOfMessagesPerSecond\":" + std::to_string(i)).status == 200);
    cloud.now = cloud.now + 2s;
  }
  CHECK(cloud.list()["Results"].size() == 1);
  CHECK(cloud.list(R"(,"MaxResults":4)")["Results"].size() == 4);
  const Json all = cloud.list(R"(,"MaxResults":10)");
  CHECK(all["Results"].size() == 10);
  std::int64_t rate = 12;
  for (const auto task : all["Results"]) CHECK(task["MaxNumberOfMessagesPerSecond"].integer() == rate--);
  CHECK(cloud.list(R"(,"MaxResults":11)")["__type"].exists());
  CHECK(cloud.list(R"(,"MaxResults":0)")["__type"].exists());
}

TEST_CASE("what AWS refuses of move tasks is refused, in its words where they are recorded") {
  Moves cloud;
  constexpr std::string_view invalid = "InvalidParameterValue";
  constexpr std::string_view missing = "ResourceNotFoundException";
  CHECK(cloud.list().size() == 0);
  check_error(cloud.start("", "work.fifo"), 400, invalid, "Source queue must be configured as a Dead Letter Queue.");
  check_error(cloud.start("", "nobody.fifo"), 404, missing,
              "The resource that you specified for the SourceArn parameter doesn't exist.");
  check_error(cloud.start(R"(,"DestinationArn":")" + arn("nobody.fifo") + "\""), 404, missing,
              "The resource that you specified for the DestinationArn parameter doesn't exist.");
  CHECK(cloud.start(R"(,"DestinationArn":")" + arn("dead.fifo") + "\"").status == 400);
  CHECK(cloud.model.create_queue("standard", {}, cloud.now));
  CHECK(cloud.start(R"(,"DestinationArn":")" + arn("standard") + "\"").status == 400);
  CHECK(cloud.start(R"(,"MaxNumberOfMessagesPerSecond":0)").status == 400);
  CHECK(cloud.start(R"(,"MaxNumberOfMessagesPerSecond":501)").status == 400);
  const std::string handle = handle_of(cloud.start(R"(,"MaxNumberOfMessagesPerSecond":500)"));
  check_error(
      cloud.start(), 400, invalid,
      "There is already a task running. Only one active task is allowed for a source queue arn at a given time.");
  check_error(cloud.cancel("nonsense"), 400, invalid, "Value for parameter TaskHandle is invalid.");
  check_error(cloud.cancel(dmq::testing::TaskHandle{"id", arn("nobody")}.text()), 404, missing,
              "The resource that you specified for the SourceArn parameter doesn't exist.");
  check_error(cloud.cancel(dmq::testing::TaskHandle{"id", arn("dead.fifo")}.text()), 404, missing,
              "Task does not exist.");
}

TEST_CASE("with the source its tasks are gone") {
  Moves cloud;
  CHECK(cloud.start(R"(,"MaxNumberOfMessagesPerSecond":1)").status == 200);
  CHECK(cloud.call("DeleteQueue", "", "dead.fifo").status == 200);
  CHECK(cloud.model.next_deadline() == std::nullopt);
  cloud.now = cloud.now + 60s;
  CHECK(cloud.list()["__type"].string() == "com.amazonaws.sqs#ResourceNotFoundException");
  CHECK(cloud.model.create_queue("dead.fifo", {{"FifoQueue", "true"}}, cloud.now));
  CHECK(cloud.list().size() == 0);
}
