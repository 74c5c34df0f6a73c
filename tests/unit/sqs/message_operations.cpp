#include <dmq/sqs/message_operations.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <support/sqs_calls.hpp>

using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::sqs::Handle;
using std::chrono::seconds;
using support::answer;
using support::check_unusable;
using support::request;

TEST_CASE("ReceiveMessage asks for all attributes") {
  CHECK(request(dmq::sqs::ReceiveMessage{.queue_url = "u", .wait = seconds(20)}) ==
        R"(AmazonSQS.ReceiveMessage {"QueueUrl":"u","MaxNumberOfMessages":10,"WaitTimeSeconds":20,)"
        R"("MessageSystemAttributeNames":["All"],"MessageAttributeNames":["All"]})");
  CHECK(request(dmq::sqs::ReceiveMessage{
            .queue_url = "u", .max_messages = 1, .visibility = seconds(0), .attempt_id = "a"}) ==
        R"(AmazonSQS.ReceiveMessage {"QueueUrl":"u","MaxNumberOfMessages":1,"WaitTimeSeconds":0,)"
        R"("VisibilityTimeout":0,"ReceiveRequestAttemptId":"a",)"
        R"("MessageSystemAttributeNames":["All"],"MessageAttributeNames":["All"]})");
}

TEST_CASE("ReceiveMessage gives each message, or the error in its place") {
  const dmq::sqs::ReceiveMessage operation{.queue_url = "u"};
  CHECK(answer(operation, 200, "{}").value().empty());
  CHECK(answer(operation, 200, R"({"Messages":[]})").value().empty());
  const auto messages = answer(operation, 200,
                               R"({"Messages":[{"MessageId":"m","ReceiptHandle":"h","Body":"hello",)"
                               R"("MD5OfBody":"5d41402abc4b2a76b9719d911017c592"},7]})")
                            .value();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].value().body == "hello");
  CHECK(messages[1].error().kind == ErrorKind::integrity);
}

TEST_CASE("an answer to a receive without a list is no answer") {
  for (const char* body : {"", "{", R"({"Messages":7})", R"({"Messages":{}})", R"({"Messages":null})", "[]", "<html>"})
    check_unusable(dmq::sqs::ReceiveMessage{.queue_url = "u"}, body);
}

TEST_CASE("DeleteMessage and ChangeMessageVisibility succeed with nothing to read") {
  const dmq::sqs::DeleteMessage remove{.queue_url = "u", .receipt_handle = "h"};
  CHECK(request(remove) == R"(AmazonSQS.DeleteMessage {"QueueUrl":"u","ReceiptHandle":"h"})");
  const dmq::sqs::ChangeMessageVisibility change{.queue_url = "u", .receipt_handle = "h", .visibility = seconds(5)};
  CHECK(request(change) ==
        R"(AmazonSQS.ChangeMessageVisibility {"QueueUrl":"u","ReceiptHandle":"h","VisibilityTimeout":5})");
  for (const char* body : {"", "{}"}) {
    CHECK(answer(remove, 200, body).has_value());
    CHECK(answer(change, 200, body).has_value());
  }
  check_unusable(remove, "<html>");
  check_unusable(change, "{");
  CHECK(answer(remove, 200, R"({"__type":"InvalidParameterValueException"})").error().kind == ErrorKind::rejected);
  CHECK(answer(remove, 500, "").error().delivery == DeliveryState::unknown);
  CHECK(answer(remove, 404, R"({"__type":"ReceiptHandleIsInvalid"})").error().service_code == "ReceiptHandleIsInvalid");
}

TEST_CASE("batches of handles are named by their places") {
  const std::vector<Handle> handles{{.receipt_handle = "a", .visibility = seconds(1)},
                                    {.receipt_handle = "b", .visibility = seconds(2)}};
  CHECK(request(dmq::sqs::DeleteMessageBatch{.queue_url = "u", .handles = handles}) ==
        R"(AmazonSQS.DeleteMessageBatch {"QueueUrl":"u","Entries":[{"Id":"0","ReceiptHandle":"a"},)"
        R"({"Id":"1","ReceiptHandle":"b"}]})");
  CHECK(
      request(dmq::sqs::ChangeMessageVisibilityBatch{.queue_url = "u", .handles = handles}) ==
      R"(AmazonSQS.ChangeMessageVisibilityBatch {"QueueUrl":"u","Entries":[)"
      R"({"Id":"0","ReceiptHandle":"a","VisibilityTimeout":1},{"Id":"1","ReceiptHandle":"b","VisibilityTimeout":2}]})");
}

TEST_CASE("each handle of a batch has its own result") {
  const std::vector<Handle> handles(4);
  const auto check = [](const auto& operation) {
    const auto results =
        answer(operation, 200,
               R"({"Successful":[{"Id":"0"},{"Id":"2"},{"Id":"9"},{"Id":"00"}],"Failed":[{"Id":"1","SenderFault":true,)"
               R"("Code":"ReceiptHandleIsInvalid","Message":"no"},{"Id":"2","SenderFault":true,"Code":"X"}]})")
            .value();
    REQUIRE(results.size() == 4);
    CHECK(results[0].has_value());
    CHECK(results[1].error().service_code == "ReceiptHandleIsInvalid");
    CHECK(results[1].error().delivery == DeliveryState::rejected);
    CHECK(results[1].error().http_status == 200);
    for (const std::size_t unsettled : {2U, 3U}) {
      REQUIRE_FALSE(results[unsettled]);
      CHECK(results[unsettled].error().kind == ErrorKind::protocol);
      CHECK(results[unsettled].error().delivery == DeliveryState::unknown);
    }
    for (const char* nothing : {"", "{}"})
      for (const auto& result : answer(operation, 200, nothing).value())
        CHECK(result.error().delivery == DeliveryState::unknown);
  };
  check(dmq::sqs::DeleteMessageBatch{.queue_url = "u", .handles = handles});
  check(dmq::sqs::ChangeMessageVisibilityBatch{.queue_url = "u", .handles = handles});
}
