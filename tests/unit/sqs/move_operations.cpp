#include <dmq/sqs/move_operations.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

#include <support/sqs_calls.hpp>

using dmq::ErrorKind;
using dmq::sqs::MoveStatus;
using support::answer;
using support::check_refused;
using support::check_unusable;
using support::request;

namespace {
constexpr const char* dead = "arn:aws:sqs:us-east-1:123456789012:dead.fifo";
constexpr const char* other = "arn:aws:sqs:us-east-1:123456789012:other.fifo";
}  // namespace

TEST_CASE("StartMessageMoveTask says from where, and to where and how fast when asked") {
  CHECK(request(dmq::sqs::StartMessageMoveTask{.source_arn = "s"}) ==
        R"(AmazonSQS.StartMessageMoveTask {"SourceArn":"s"})");
  const dmq::sqs::StartMessageMoveTask operation{
      .source_arn = dead, .destination_arn = other, .messages_per_second = 500};
  CHECK(operation.check());
  CHECK(request(operation) ==
        R"(AmazonSQS.StartMessageMoveTask {"SourceArn":"arn:aws:sqs:us-east-1:123456789012:dead.fifo",)"
        R"("DestinationArn":"arn:aws:sqs:us-east-1:123456789012:other.fifo","MaxNumberOfMessagesPerSecond":500})");
  CHECK(answer(operation, 200, R"({"TaskHandle":"h"})").value() == "h");
  for (const char* body : {"", "{}", R"({"TaskHandle":""})"}) check_unusable(operation, body);
  CHECK(answer(operation, 404, R"({"__type":"com.amazonaws.sqs#ResourceNotFoundException","message":"m"})")
            .error()
            .service_code == "ResourceNotFoundException");
  CHECK(dmq::sqs::StartMessageMoveTask::repeat == dmq::retry::Repeat::never);
}

TEST_CASE("StartMessageMoveTask refuses what is no ARN, and rates that SQS does not take") {
  check_refused(dmq::sqs::StartMessageMoveTask{}.check(), "SourceArn must be the ARN");
  check_refused(dmq::sqs::StartMessageMoveTask{.source_arn = dead, .destination_arn = "q"}.check(), "DestinationArn");
  for (const int rate : {0, -1, 501})
    check_refused(dmq::sqs::StartMessageMoveTask{.source_arn = dead, .messages_per_second = rate}.check(),
                  "must be 1 to 500, not " + std::to_string(rate));
}

TEST_CASE("ListMessageMoveTasks reads tasks") {
  const dmq::sqs::ListMessageMoveTasks operation{.source_arn = dead, .max_results = 2};
  CHECK(operation.check());
  CHECK(
      request(operation) ==
      R"(AmazonSQS.ListMessageMoveTasks {"SourceArn":"arn:aws:sqs:us-east-1:123456789012:dead.fifo","MaxResults":2})");
  const auto tasks =
      answer(operation, 200,
             R"({"Results":[{"TaskHandle":"h","Status":"RUNNING","SourceArn":"s","DestinationArn":"d",)"
             R"("MaxNumberOfMessagesPerSecond":5,"ApproximateNumberOfMessagesMoved":3,)"
             R"("ApproximateNumberOfMessagesToMove":7,"StartedTimestamp":1700000000123},)"
             R"({"Status":"FAILED","SourceArn":"s","ApproximateNumberOfMessagesMoved":0,"FailureReason":"why",)"
             R"("MaxNumberOfMessagesPerSecond":null,"StartedTimestamp":1700000000000}]})")
          .value();
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].handle == "h");
  CHECK(tasks[0].status == MoveStatus::running);
  CHECK(tasks[0].source_arn == "s");
  CHECK(tasks[0].destination_arn == "d");
  CHECK(tasks[0].messages_per_second == 5);
  CHECK(tasks[0].moved == 3);
  CHECK(tasks[0].to_move == 7);
  CHECK(tasks[0].started == dmq::WallTime(std::chrono::milliseconds(1'700'000'000'123)));
  CHECK(tasks[1].handle.empty());
  CHECK(tasks[1].status == MoveStatus::failed);
  CHECK_FALSE(tasks[1].messages_per_second);
  CHECK_FALSE(tasks[1].to_move);
  CHECK(tasks[1].failure_reason == "why");
  CHECK(answer(operation, 200, "{}").value().empty());
  for (const char* body : {"", R"({"Results":{}})"}) check_unusable(operation, body);
  check_refused(dmq::sqs::ListMessageMoveTasks{.source_arn = dead, .max_results = 11}.check(), "1 to 10, not 11");
  check_refused(dmq::sqs::ListMessageMoveTasks{.source_arn = "q"}.check(), "ARN");
}

TEST_CASE("a task's status is one of five, or one that is not known here") {
  const auto status = [](const std::string& word) {
    return answer(dmq::sqs::ListMessageMoveTasks{.source_arn = dead}, 200,
                  R"({"Results":[{"Status":")" + word + "\"}]}")
        .value()
        .at(0)
        .status;
  };
  for (const auto& [word, meant] :
       {std::pair("RUNNING", MoveStatus::running), std::pair("COMPLETED", MoveStatus::completed),
        std::pair("CANCELLING", MoveStatus::cancelling), std::pair("CANCELLED", MoveStatus::cancelled),
        std::pair("FAILED", MoveStatus::failed), std::pair("PAUSED", MoveStatus::other),
        std::pair("", MoveStatus::other)}) {
    CAPTURE(word);
    CHECK(status(word) == meant);
    CHECK(is_active(meant) == (meant == MoveStatus::running || meant == MoveStatus::cancelling));
  }
}

TEST_CASE("CancelMessageMoveTask tells how many were moved") {
  const dmq::sqs::CancelMessageMoveTask operation{.task_handle = "h"};
  CHECK(operation.check());
  CHECK(request(operation) == R"(AmazonSQS.CancelMessageMoveTask {"TaskHandle":"h"})");
  CHECK(answer(operation, 200, R"({"ApproximateNumberOfMessagesMoved":12})").value() == 12);
  CHECK(answer(operation, 200, "{}").value() == 0);
  check_unusable(operation, "");
  check_refused(dmq::sqs::CancelMessageMoveTask{}.check(), "handle is empty");
}
