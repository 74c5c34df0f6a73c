#include <dmq/testing/sqs_queue_attributes.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <support/cloud.hpp>

using dmq::testing::new_configuration;
using dmq::testing::QueueAttributes;
using support::Cloud;
using support::Json;

namespace {

/// The code of the refusal; empty when there is none.
std::string refusal(const QueueAttributes& attributes, std::string_view name = "q") {
  const auto configuration = new_configuration(name, attributes, &support::parse);
  return configuration ? std::string() : configuration.error().service_code;
}

Json all_of(Cloud& cloud, std::string_view queue) {
  return Json(cloud.call("GetQueueAttributes", R"("AttributeNames":["All"])", queue).body);
}

}  // namespace

TEST_CASE("the attributes of a standard queue, and of a FIFO queue, are those recorded from AWS") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("q", {}, cloud.now));
  const Json standard = all_of(cloud, "q");
  CHECK(standard["Attributes"].size() == 12);
  for (const auto& [name, value] : {std::pair("ApproximateNumberOfMessages", "0"),
                                    {"ApproximateNumberOfMessagesDelayed", "0"},
                                    {"ApproximateNumberOfMessagesNotVisible", "0"},
                                    {"CreatedTimestamp", "1767225600"},
                                    {"DelaySeconds", "0"},
                                    {"LastModifiedTimestamp", "1767225600"},
                                    {"MaximumMessageSize", "1048576"},
                                    {"MessageRetentionPeriod", "345600"},
                                    {"QueueArn", "arn:aws:sqs:us-east-1:000000000000:q"},
                                    {"ReceiveMessageWaitTimeSeconds", "0"},
                                    {"SqsManagedSseEnabled", "true"},
                                    {"VisibilityTimeout", "30"}}) {
    CAPTURE(name);
    CHECK(standard["Attributes"][name].string() == value);
  }
  CHECK(cloud.model.create_queue("q.fifo", {{"FifoQueue", "true"}}, cloud.now));
  const Json fifo = all_of(cloud, "q.fifo");
  CHECK(fifo["Attributes"].size() == 16);
  for (const auto& [name, value] : {std::pair("FifoQueue", "true"),
                                    {"ContentBasedDeduplication", "false"},
                                    {"DeduplicationScope", "queue"},
                                    {"FifoThroughputLimit", "perQueue"}})
    CHECK(fifo["Attributes"][name].string() == value);
}

TEST_CASE("attributes that SQS knows and the queue has not are left out, all others are refused") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("q", {}, cloud.now));
  CHECK(cloud
            .call("GetQueueAttributes",
                  R"("AttributeNames":["Policy","RedrivePolicy","RedriveAllowPolicy","FifoQueue",
                   "ContentBasedDeduplication","DeduplicationScope","FifoThroughputLimit","KmsMasterKeyId",
                   "KmsDataKeyReusePeriodSeconds"])",
                  "q")
            .body == "{}");
  CHECK(cloud.call("GetQueueAttributes", R"("AttributeNames":["policy"])", "q").status == 400);
}

TEST_CASE("values must be in range") {
  for (const auto& [name, low, high] : {std::tuple("VisibilityTimeout", 0, 43'200),
                                        {"DelaySeconds", 0, 900},
                                        {"MessageRetentionPeriod", 60, 1'209'600},
                                        {"ReceiveMessageWaitTimeSeconds", 0, 20},
                                        {"MaximumMessageSize", 1'024, 1'048'576},
                                        {"KmsDataKeyReusePeriodSeconds", 60, 86'400}}) {
    CAPTURE(name);
    CHECK(refusal({{name, std::to_string(low)}}).empty());
    CHECK(refusal({{name, std::to_string(high)}}).empty());
    CHECK(refusal({{name, std::to_string(low - 1)}}) == "InvalidAttributeValue");
    CHECK(refusal({{name, std::to_string(high + 1)}}) == "InvalidAttributeValue");
    CHECK(refusal({{name, ""}}) == "InvalidAttributeValue");
    CHECK(refusal({{name, "x"}}) == "InvalidAttributeValue");
  }
  CHECK(refusal({{"SqsManagedSseEnabled", "yes"}}) == "InvalidAttributeValue");
  CHECK(refusal({{"Policy", "yes"}}) == "InvalidAttributeValue");
  CHECK(refusal({{"QueueArn", "arn"}}) == "InvalidAttributeName");
}

TEST_CASE("what only FIFO queues have is unknown to others, and must fit together") {
  CHECK(refusal({{"FifoQueue", "false"}}) == "InvalidAttributeName");
  CHECK(refusal({{"ContentBasedDeduplication", "true"}}) == "InvalidAttributeName");
  CHECK(refusal({{"FifoQueue", "true"}}) == "InvalidParameterValue");
  CHECK(refusal({}, "q.fifo") == "InvalidParameterValue");
  CHECK(refusal({{"FifoQueue", "true"}, {"FifoThroughputLimit", "perMessageGroupId"}}, "q.fifo") ==
        "InvalidAttributeValue");
  CHECK(
      refusal(
          {{"FifoQueue", "true"}, {"FifoThroughputLimit", "perMessageGroupId"}, {"DeduplicationScope", "messageGroup"}},
          "q.fifo")
          .empty());
  CHECK(refusal({{"FifoQueue", "true"}, {"DeduplicationScope", "group"}}, "q.fifo") == "InvalidAttributeValue");
}

TEST_CASE("a queue is encrypted in one way at a time") {
  Cloud cloud;
  CHECK(refusal({{"KmsMasterKeyId", "k"}, {"SqsManagedSseEnabled", "true"}}) == "InvalidAttributeName");
  CHECK(cloud.model.create_queue("q", {{"KmsMasterKeyId", "k"}, {"KmsDataKeyReusePeriodSeconds", "6000"}}, cloud.now));
  const Json kms = all_of(cloud, "q");
  CHECK(kms["Attributes"]["KmsMasterKeyId"].string() == "k");
  CHECK(kms["Attributes"]["KmsDataKeyReusePeriodSeconds"].string() == "6000");
  CHECK(kms["Attributes"]["SqsManagedSseEnabled"].string() == "false");
  cloud.call("SetQueueAttributes", R"("Attributes":{"SqsManagedSseEnabled":"true"})", "q");
  const Json sqs = all_of(cloud, "q");
  CHECK(sqs["Attributes"]["SqsManagedSseEnabled"].string() == "true");
  CHECK(sqs["Attributes"].size() == 12);
  cloud.call("SetQueueAttributes", R"("Attributes":{"KmsMasterKeyId":"alias/k"})", "q");
  CHECK(all_of(cloud, "q")["Attributes"]["KmsDataKeyReusePeriodSeconds"].string() == "300");
  cloud.call("SetQueueAttributes", R"("Attributes":{"KmsMasterKeyId":""})", "q");
  const Json none = all_of(cloud, "q");
  CHECK(none["Attributes"]["SqsManagedSseEnabled"].string() == "false");
  CHECK(none["Attributes"].size() == 12);
}

TEST_CASE("a redrive allow policy names a permission, and sources where it needs them") {
  const auto allow = [](std::string_view text) { return refusal({{"RedriveAllowPolicy", std::string(text)}}); };
  const auto by_queue = [&](int count) {
    std::string arns;
    for (int i = 0; i < count; ++i) arns += (i == 0 ? "\"arn" : ",\"arn") + std::to_string(i) + "\"";
    return allow(R"({"redrivePermission":"byQueue","sourceQueueArns":[)" + arns + "]}");
  };
  for (const char* good : {R"({"redrivePermission":"allowAll"})", R"({"redrivePermission":"denyAll"})", ""})
    CHECK(allow(good).empty());
  for (const char* bad : {"x", "[]", "{}", R"({"redrivePermission":"some"})", R"({"redrivePermission":"byQueue"})",
                          R"({"redrivePermission":"allowAll","sourceQueueArns":["a"]})",
                          R"({"redrivePermission":"byQueue","sourceQueueArns":"a"})",
                          R"({"redrivePermission":"byQueue","sourceQueueArns":[1]})"})
    CHECK(allow(bad) == "InvalidParameterValue");
  CHECK(by_queue(0) == "InvalidParameterValue");
  CHECK(by_queue(1).empty());
  CHECK(by_queue(10).empty());
  CHECK(by_queue(11) == "InvalidParameterValue");
}
