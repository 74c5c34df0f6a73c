#include <dmq/sqs/queue_description.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>

#include <support/parser.hpp>

using dmq::sqs::AttributeMap;
using dmq::sqs::DeduplicationScope;
using dmq::sqs::FifoThroughputLimit;
using dmq::sqs::QueueAttributes;
using dmq::sqs::RedrivePermission;
using std::chrono::seconds;

namespace {

dmq::sqs::QueueDescription read(AttributeMap map) {
  return dmq::sqs::read_queue_description(std::move(map), support::parse);
}

}  // namespace

TEST_CASE("a queue's attributes are read, those too that can't be set") {
  const auto queue = read({{"QueueArn", "arn:aws:sqs:r:1:q.fifo"},
                           {"FifoQueue", "true"},
                           {"ApproximateNumberOfMessages", "3"},
                           {"ApproximateNumberOfMessagesNotVisible", "2"},
                           {"ApproximateNumberOfMessagesDelayed", "1"},
                           {"CreatedTimestamp", "1700000000"},
                           {"LastModifiedTimestamp", "1700000001"},
                           {"VisibilityTimeout", "30"},
                           {"MessageRetentionPeriod", "345600"},
                           {"DelaySeconds", "0"},
                           {"ReceiveMessageWaitTimeSeconds", "20"},
                           {"MaximumMessageSize", "1048576"},
                           {"KmsDataKeyReusePeriodSeconds", "300"},
                           {"KmsMasterKeyId", "alias/k"},
                           {"Policy", "{}"},
                           {"SqsManagedSseEnabled", "false"},
                           {"ContentBasedDeduplication", "true"},
                           {"DeduplicationScope", "messageGroup"},
                           {"FifoThroughputLimit", "perMessageGroupId"},
                           {"RedrivePolicy", R"({"deadLetterTargetArn":"arn:d","maxReceiveCount":5})"},
                           {"RedriveAllowPolicy", R"({"redrivePermission":"byQueue","sourceQueueArns":["a","b"]})"},
                           {"FromTheFuture", "x"}});
  CHECK(queue.arn == "arn:aws:sqs:r:1:q.fifo");
  CHECK(queue.fifo);
  CHECK(queue.messages == 3);
  CHECK(queue.in_flight == 2);
  CHECK(queue.delayed == 1);
  CHECK(queue.created == dmq::WallTime(seconds(1'700'000'000)));
  CHECK(queue.modified == dmq::WallTime(seconds(1'700'000'001)));
  const QueueAttributes& attributes = queue.attributes;
  CHECK(attributes.visibility_timeout == seconds(30));
  CHECK(attributes.message_retention == seconds(345'600));
  CHECK(attributes.delay == seconds(0));
  CHECK(attributes.receive_wait == seconds(20));
  CHECK(attributes.max_message_bytes == 1'048'576);
  CHECK(attributes.kms_data_key_reuse == seconds(300));
  CHECK(attributes.kms_master_key_id == "alias/k");
  CHECK(attributes.policy == "{}");
  CHECK(attributes.sqs_managed_encryption == false);
  CHECK(attributes.content_based_deduplication == true);
  CHECK(attributes.deduplication_scope == DeduplicationScope::message_group);
  CHECK(attributes.fifo_throughput_limit == FifoThroughputLimit::per_message_group);
  CHECK(attributes.redrive_policy == dmq::sqs::RedrivePolicy{"arn:d", 5});
  CHECK(attributes.redrive_allow_policy == dmq::sqs::RedriveAllowPolicy{RedrivePermission::by_queue, {"a", "b"}});
  CHECK(attributes.others == AttributeMap{{"FromTheFuture", "x"}});
}

TEST_CASE("what can't be read is kept as it is") {
  const AttributeMap odd{{"VisibilityTimeout", "soon"},
                         {"DelaySeconds", "-1"},
                         {"MaximumMessageSize", ""},
                         {"SqsManagedSseEnabled", "yes"},
                         {"DeduplicationScope", "galaxy"},
                         {"FifoQueue", "TRUE"},
                         {"RedrivePolicy", "{"},
                         {"RedriveAllowPolicy", R"({"redrivePermission":"ask"})"},
                         {"CreatedTimestamp", "99999999999999"}};
  const auto queue = read(odd);
  CHECK(queue.attributes == QueueAttributes{.others = odd});
  CHECK_FALSE(queue.fifo);
  CHECK(queue.created == dmq::WallTime());
  CHECK(to_map(queue.attributes) == odd);
}

TEST_CASE("a redrive policy's count may be text, and has to be in its range") {
  const auto redrive = [](const std::string& count) {
    return read({{"RedrivePolicy", R"({"deadLetterTargetArn":"arn:d","maxReceiveCount":)" + count + "}"}})
        .attributes.redrive_policy;
  };
  CHECK(redrive("\"7\"") == dmq::sqs::RedrivePolicy{"arn:d", 7});
  for (const char* count : {"0", "1001", "\"x\"", "null", "99999999999"}) CHECK_FALSE(redrive(count));
  CHECK_FALSE(read({{"RedrivePolicy", R"({"maxReceiveCount":3})"}}).attributes.redrive_policy);
}

TEST_CASE("nothing read is nothing set") {
  const auto queue = read({});
  CHECK(queue.attributes == QueueAttributes());
  CHECK(queue.arn.empty());
  CHECK(queue.messages == 0);
}
