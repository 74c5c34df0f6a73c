#include <dmq/sqs/queue_attributes.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include <support/sqs_calls.hpp>

using dmq::QueueType;
using dmq::sqs::AttributeMap;
using dmq::sqs::DeduplicationScope;
using dmq::sqs::FifoThroughputLimit;
using dmq::sqs::QueueAttributes;
using dmq::sqs::RedrivePermission;
using dmq::sqs::to_map;
using dmq::sqs::validate;
using std::chrono::seconds;
using support::check_refused;

namespace {
const std::string dead = "arn:aws:sqs:us-east-1:123456789012:dead.fifo";
}

TEST_CASE("attributes are written by SQS's names, and only those that are set") {
  CHECK(to_map({}).empty());
  const QueueAttributes all{.visibility_timeout = seconds(45),
                            .message_retention = seconds(60),
                            .delay = seconds(1),
                            .receive_wait = seconds(20),
                            .max_message_bytes = 2048,
                            .redrive_policy = dmq::sqs::RedrivePolicy{dead, 5},
                            .redrive_allow_policy = dmq::sqs::RedriveAllowPolicy{},
                            .policy = "{}",
                            .sqs_managed_encryption = false,
                            .kms_master_key_id = "alias/k",
                            .kms_data_key_reuse = seconds(300),
                            .content_based_deduplication = true,
                            .deduplication_scope = DeduplicationScope::message_group,
                            .fifo_throughput_limit = FifoThroughputLimit::per_message_group,
                            .others = {{"New", "x"}, {"DelaySeconds", "hidden by the field"}}};
  CHECK(to_map(all) ==
        AttributeMap{{"VisibilityTimeout", "45"},
                     {"MessageRetentionPeriod", "60"},
                     {"DelaySeconds", "1"},
                     {"ReceiveMessageWaitTimeSeconds", "20"},
                     {"MaximumMessageSize", "2048"},
                     {"RedrivePolicy", R"({"deadLetterTargetArn":")" + dead + R"(","maxReceiveCount":5})"},
                     {"RedriveAllowPolicy", R"({"redrivePermission":"allowAll"})"},
                     {"Policy", "{}"},
                     {"SqsManagedSseEnabled", "false"},
                     {"KmsMasterKeyId", "alias/k"},
                     {"KmsDataKeyReusePeriodSeconds", "300"},
                     {"ContentBasedDeduplication", "true"},
                     {"DeduplicationScope", "messageGroup"},
                     {"FifoThroughputLimit", "perMessageGroupId"},
                     {"New", "x"}});
  CHECK(validate(all, QueueType::fifo));
}

TEST_CASE("an empty value takes a policy away") {
  const QueueAttributes none{.redrive_policy = dmq::sqs::RedrivePolicy{}, .policy = ""};
  CHECK(to_map(none) == AttributeMap{{"RedrivePolicy", ""}, {"Policy", ""}});
  CHECK(validate(none, QueueType::standard));
}

TEST_CASE("the other words of the attributes") {
  QueueAttributes attributes{.deduplication_scope = DeduplicationScope::queue,
                             .fifo_throughput_limit = FifoThroughputLimit::per_queue};
  attributes.redrive_allow_policy = {.permission = RedrivePermission::by_queue, .source_queue_arns = {dead, "b"}};
  CHECK(to_map(attributes) ==
        AttributeMap{
            {"DeduplicationScope", "queue"},
            {"FifoThroughputLimit", "perQueue"},
            {"RedriveAllowPolicy", R"({"redrivePermission":"byQueue","sourceQueueArns":[")" + dead + R"(","b"]})"}});
  attributes = {.redrive_allow_policy = dmq::sqs::RedriveAllowPolicy{.permission = RedrivePermission::deny_all}};
  CHECK(to_map(attributes).at("RedriveAllowPolicy") == R"({"redrivePermission":"denyAll"})");
}

TEST_CASE("numbers are refused beyond their ranges, by name") {
  struct Range {
    std::optional<seconds> QueueAttributes::* field;
    int least;
    int most;
    const char* name;
  };
  for (const Range& range : {Range{&QueueAttributes::visibility_timeout, 0, 43'200, "VisibilityTimeout"},
                             Range{&QueueAttributes::message_retention, 60, 1'209'600, "MessageRetentionPeriod"},
                             Range{&QueueAttributes::delay, 0, 900, "DelaySeconds"},
                             Range{&QueueAttributes::receive_wait, 0, 20, "ReceiveMessageWaitTimeSeconds"},
                             Range{&QueueAttributes::kms_data_key_reuse, 60, 86'400, "KmsDataKeyReusePeriodSeconds"}}) {
    QueueAttributes attributes;
    for (const int good : {range.least, range.most}) {
      attributes.*range.field = seconds(good);
      CHECK(validate(attributes, QueueType::fifo));
    }
    for (const int bad : {range.least - 1, range.most + 1}) {
      attributes.*range.field = seconds(bad);
      check_refused(validate(attributes, QueueType::fifo), range.name);
      check_refused(validate(attributes, QueueType::fifo), "not " + std::to_string(bad));
    }
  }
  CHECK(validate({.max_message_bytes = 1'024}, QueueType::fifo));
  check_refused(validate({.max_message_bytes = 1'023}, QueueType::fifo), "MaximumMessageSize must be 1024 to 1048576");
  check_refused(validate({.max_message_bytes = 1'048'577}, QueueType::fifo), "not 1048577");
}

TEST_CASE("a redrive policy needs the ARN of a queue of the same type, and a count") {
  const auto redrive = [](std::string arn, int count) {
    return QueueAttributes{.redrive_policy = dmq::sqs::RedrivePolicy{std::move(arn), count}};
  };
  CHECK(validate(redrive(dead, 1), QueueType::fifo));
  CHECK(validate(redrive(dead, 1'000), QueueType::fifo));
  check_refused(validate(redrive(dead, 0), QueueType::fifo), "maxReceiveCount must be 1 to 1000, not 0");
  check_refused(validate(redrive(dead, 1'001), QueueType::fifo), "not 1001");
  check_refused(validate(redrive(dead, 5), QueueType::standard), "of a standard queue");
  check_refused(validate(redrive("arn:aws:sqs:us-east-1:123456789012:dead", 5), QueueType::fifo), "must be a FIFO");
  for (const char* arn : {"dead.fifo", "https://h/1/dead.fifo", "arn:aws:sqs:1:dead.fifo", "arn:aws:sqs:r:1:"})
    check_refused(validate(redrive(arn, 5), QueueType::fifo), "must be the ARN of a queue");
}

TEST_CASE("a redrive allow policy lists queues by queue only") {
  const auto allow = [](RedrivePermission permission, std::vector<std::string> arns) {
    return QueueAttributes{.redrive_allow_policy = dmq::sqs::RedriveAllowPolicy{permission, std::move(arns)}};
  };
  CHECK(validate(allow(RedrivePermission::by_queue, std::vector<std::string>(10, dead)), QueueType::fifo));
  check_refused(validate(allow(RedrivePermission::by_queue, std::vector<std::string>(11, dead)), QueueType::fifo),
                "not 11");
  check_refused(validate(allow(RedrivePermission::by_queue, {}), QueueType::fifo), "not 0");
  check_refused(validate(allow(RedrivePermission::by_queue, {"x"}), QueueType::fifo), "ARN");
  check_refused(validate(allow(RedrivePermission::deny_all, {dead}), QueueType::fifo), "byQueue only");
}

TEST_CASE("what only a FIFO queue has, and what excludes each other, is refused") {
  for (const QueueAttributes& attributes : {QueueAttributes{.content_based_deduplication = false},
                                            QueueAttributes{.deduplication_scope = DeduplicationScope::queue},
                                            QueueAttributes{.fifo_throughput_limit = FifoThroughputLimit::per_queue}}) {
    CHECK(validate(attributes, QueueType::fifo));
    check_refused(validate(attributes, QueueType::standard), "FIFO queues only");
  }
  QueueAttributes high{.fifo_throughput_limit = FifoThroughputLimit::per_message_group};
  CHECK(validate(high, QueueType::fifo));
  high.deduplication_scope = DeduplicationScope::queue;
  check_refused(validate(high, QueueType::fifo), "needs the DeduplicationScope messageGroup");

  QueueAttributes encrypted{.sqs_managed_encryption = true, .kms_master_key_id = "alias/k"};
  check_refused(validate(encrypted, QueueType::fifo), "not with both");
  encrypted.kms_master_key_id = "";
  CHECK(validate(encrypted, QueueType::fifo));
}
