#include <dmq/sqs/access_operations.hpp>

#include <doctest/doctest.h>

#include <string>

#include <support/sqs_calls.hpp>

using support::answer;
using support::check_refused;
using support::check_unusable;
using support::check_void_answers;
using support::request;

TEST_CASE("TagQueue sends keys with values") {
  const dmq::sqs::TagQueue operation{.queue_url = "u", .tags = {{"a", "1"}, {"b", ""}}};
  CHECK(operation.check());
  CHECK(request(operation) == R"(AmazonSQS.TagQueue {"QueueUrl":"u","Tags":{"a":"1","b":""}})");
  check_void_answers(operation);
  check_refused(dmq::sqs::TagQueue{.queue_url = "u"}.check(), "no tags to add");
  check_refused(dmq::sqs::TagQueue{.tags = {{"a", "1"}}}.check(), "URL is empty");
}

TEST_CASE("tags are counted in characters, not in bytes") {
  std::string key;
  for (int i = 0; i < 128; ++i) key += "\xC3\xA9";
  CHECK(dmq::sqs::TagQueue{.queue_url = "u", .tags = {{key, key + key}}}.check());
  check_refused(dmq::sqs::TagQueue{.queue_url = "u", .tags = {{key + "x", ""}}}.check(), "not 129");
  check_refused(dmq::sqs::TagQueue{.queue_url = "u", .tags = {{"k", key + key + "x"}}}.check(), "not 257");
}

TEST_CASE("UntagQueue sends keys") {
  const dmq::sqs::UntagQueue operation{.queue_url = "u", .keys = {"a", "b"}};
  CHECK(operation.check());
  CHECK(request(operation) == R"(AmazonSQS.UntagQueue {"QueueUrl":"u","TagKeys":["a","b"]})");
  check_void_answers(operation);
  check_refused(dmq::sqs::UntagQueue{.queue_url = "u"}.check(), "no tags to take away");
  check_refused(dmq::sqs::UntagQueue{.queue_url = "u", .keys = {""}}.check(), "1 to 128 characters");
}

TEST_CASE("ListQueueTags gives tags, or none") {
  const dmq::sqs::ListQueueTags operation{.queue_url = "u"};
  CHECK(request(operation) == R"(AmazonSQS.ListQueueTags {"QueueUrl":"u"})");
  CHECK(answer(operation, 200, R"({"Tags":{"a":"1","b":""}})").value() == dmq::sqs::Tags{{"a", "1"}, {"b", ""}});
  CHECK(answer(operation, 200, "{}").value().empty());
  for (const char* body : {"", R"({"Tags":[]})"}) check_unusable(operation, body);
  check_refused(dmq::sqs::ListQueueTags{}.check(), "URL is empty");
}

TEST_CASE("AddPermission names who may do what") {
  dmq::sqs::AddPermission operation{.queue_url = "u",
                                    .label = "ship-1",
                                    .account_ids = {"123456789012", "000000000001"},
                                    .actions = {"SendMessage", "*"}};
  CHECK(operation.check());
  CHECK(request(operation) == R"(AmazonSQS.AddPermission {"QueueUrl":"u","Label":"ship-1",)"
                              R"("AWSAccountIds":["123456789012","000000000001"],"Actions":["SendMessage","*"]})");
  check_void_answers(operation);
  for (const std::string& label : {std::string(), std::string("a b"), std::string(81, 'a')}) {
    dmq::sqs::AddPermission bad = operation;
    bad.label = label;
    check_refused(bad.check(), "label must be 1 to 80");
  }
  for (const char* id : {"", "12345678901", "12345678901x", "1234567890123"}) {
    dmq::sqs::AddPermission bad = operation;
    bad.account_ids.emplace_back(id);
    check_refused(bad.check(), "12 digits");
  }
  operation.actions.assign(7, "SendMessage");
  CHECK(operation.check());
  operation.actions.emplace_back("PurgeQueue");
  check_refused(operation.check(), "1 to 7 actions, not 8");
  operation.actions.clear();
  check_refused(operation.check(), "not 0");
  operation.account_ids.clear();
  check_refused(operation.check(), "needs an account");
}

TEST_CASE("RemovePermission names the label") {
  const dmq::sqs::RemovePermission operation{.queue_url = "u", .label = "ship-1"};
  CHECK(operation.check());
  CHECK(request(operation) == R"(AmazonSQS.RemovePermission {"QueueUrl":"u","Label":"ship-1"})");
  check_void_answers(operation);
  check_refused(dmq::sqs::RemovePermission{.queue_url = "u"}.check(), "label");
  check_refused(dmq::sqs::RemovePermission{.label = "l"}.check(), "URL is empty");
}
