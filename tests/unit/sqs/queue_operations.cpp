#include <dmq/sqs/queue_operations.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <support/sqs_calls.hpp>

using dmq::ErrorKind;
using std::chrono::seconds;
using support::answer;
using support::check_refused;
using support::check_unusable;
using support::check_void_answers;
using support::request;

TEST_CASE("CreateQueue says by the name whether the queue is FIFO, and has its tags under a small letter") {
  CHECK(request(dmq::sqs::CreateQueue{.queue_name = "q"}) == R"(AmazonSQS.CreateQueue {"QueueName":"q"})");
  const dmq::sqs::CreateQueue operation{
      .queue_name = "q.fifo", .attributes = {.visibility_timeout = seconds(60)}, .tags = {{"team", "orders \"x\""}}};
  CHECK(request(operation) ==
        R"(AmazonSQS.CreateQueue {"QueueName":"q.fifo","Attributes":{"FifoQueue":"true","VisibilityTimeout":"60"},)"
        R"("tags":{"team":"orders \"x\""}})");
  CHECK(answer(operation, 200, R"({"QueueUrl":"https://h/1/q.fifo"})").value() == "https://h/1/q.fifo");
  for (const char* body : {"", "{}", R"({"QueueUrl":""})", R"({"QueueUrl":7})"}) check_unusable(operation, body);
  const auto exists = answer(operation, 400, R"({"__type":"com.amazonaws.sqs#QueueNameExists","message":"m"})");
  CHECK(exists.error().kind == ErrorKind::rejected);
  CHECK(exists.error().service_code == "QueueNameExists");
}

TEST_CASE("CreateQueue refuses a name that SQS would not take") {
  const auto check = [](const std::string& name) { return dmq::sqs::CreateQueue{.queue_name = name}.check(); };
  CHECK(check("a"));
  CHECK(check("Orders_2-x.fifo"));
  CHECK(check(std::string(80, 'a')));
  CHECK(check(std::string(75, 'a') + ".fifo"));
  check_refused(check(""), "this one has 0");
  check_refused(check(".fifo"), "1 to 80 characters");
  check_refused(check(std::string(81, 'a')), "this one has 81");
  check_refused(check(std::string(76, 'a') + ".fifo"), "this one has 81");
  check_refused(check("a b"), "look at byte 1");
  check_refused(check("q.fifo.fifo"), "look at byte 1");
  check_refused(check("q.FIFO"), "look at byte 1");
  check_refused(check("caf\xC3\xA9"), "look at byte 3");
}

TEST_CASE("CreateQueue refuses attributes and tags that SQS would not take") {
  dmq::sqs::CreateQueue operation{.queue_name = "q", .attributes = {.content_based_deduplication = true}};
  check_refused(operation.check(), "FIFO queues only");
  operation.queue_name = "q.fifo";
  CHECK(operation.check());
  operation.tags = {{"k", std::string(257, 'v')}};
  check_refused(operation.check(), "value must have up to 256 characters, not 257");
  operation.tags = {{"", "v"}};
  check_refused(operation.check(), "key must have 1 to 128 characters, not 0");
}

TEST_CASE("GetQueueUrl gives a URL") {
  CHECK(request(dmq::sqs::GetQueueUrl{.queue_name = "q"}) == R"(AmazonSQS.GetQueueUrl {"QueueName":"q"})");
  const dmq::sqs::GetQueueUrl operation{.queue_name = "q", .owner_account_id = "1"};
  CHECK(request(operation) == R"(AmazonSQS.GetQueueUrl {"QueueName":"q","QueueOwnerAWSAccountId":"1"})");
  CHECK(answer(operation, 200, R"({"QueueUrl":"https://h/1/q"})").value() == "https://h/1/q");
  for (const char* body : {"", "{}", R"({"QueueUrl":""})", R"({"QueueUrl":7})"}) check_unusable(operation, body);
  CHECK(answer(operation, 400, R"({"__type":"QueueDoesNotExist"})").error().kind == ErrorKind::configuration);
}

TEST_CASE("ListQueues asks for a page and says how to get the next") {
  CHECK(request(dmq::sqs::ListQueues{}) == R"(AmazonSQS.ListQueues {"MaxResults":1000})");
  const dmq::sqs::ListQueues operation{.prefix = "or", .max_results = 2, .next_token = "t"};
  CHECK(request(operation) == R"(AmazonSQS.ListQueues {"QueueNamePrefix":"or","MaxResults":2,"NextToken":"t"})");
  const auto page = answer(operation, 200, R"({"QueueUrls":["a","b"],"NextToken":"next"})").value();
  CHECK(page.queue_urls == std::vector<std::string>{"a", "b"});
  CHECK(page.next_token == "next");
  CHECK(answer(operation, 200, "{}").value().queue_urls.empty());
  CHECK(answer(operation, 200, R"({"QueueUrls":["a"],"NextToken":null})").value().next_token.empty());
  CHECK(answer(operation, 200, R"({"queueUrls":["a"]})").value().queue_urls.empty());
  for (const char* body : {"", R"({"QueueUrls":"a"})", R"({"QueueUrls":[7]})", R"({"QueueUrls":[""]})"})
    check_unusable(operation, body);
  check_refused(dmq::sqs::ListQueues{.max_results = 0}.check(), "MaxResults must be 1 to 1000, not 0");
  check_refused(dmq::sqs::ListQueues{.max_results = 1001}.check(), "not 1001");
}

TEST_CASE("ListDeadLetterSourceQueues has its answer under a small letter") {
  const dmq::sqs::ListDeadLetterSourceQueues operation{.queue_url = "u", .next_token = "t"};
  CHECK(request(operation) ==
        R"(AmazonSQS.ListDeadLetterSourceQueues {"QueueUrl":"u","MaxResults":1000,"NextToken":"t"})");
  const auto page = answer(operation, 200, R"({"queueUrls":["a"],"NextToken":"n"})").value();
  CHECK(page.queue_urls == std::vector<std::string>{"a"});
  CHECK(page.next_token == "n");
  CHECK(answer(operation, 200, "{}").value().queue_urls.empty());
  CHECK(answer(operation, 200, R"({"QueueUrls":["a"]})").value().queue_urls.empty());
  for (const char* body : {"", R"({"queueUrls":{}})"}) check_unusable(operation, body);
  check_refused(dmq::sqs::ListDeadLetterSourceQueues{}.check(), "the queue URL is empty");
  check_refused(dmq::sqs::ListDeadLetterSourceQueues{.queue_url = "u", .max_results = 0}.check(), "MaxResults");
}

TEST_CASE("GetQueueAttributes gives all that have a value") {
  const dmq::sqs::GetQueueAttributes operation{.queue_url = "u"};
  CHECK(request(operation) == R"(AmazonSQS.GetQueueAttributes {"QueueUrl":"u","AttributeNames":["All"]})");
  const auto attributes =
      answer(operation, 200, R"({"Attributes":{"FifoQueue":"true","VisibilityTimeout":"30"}})").value();
  CHECK(attributes.size() == 2);
  CHECK(attributes.at("VisibilityTimeout") == "30");
  for (const char* body : {"", "{}", R"({"Attributes":[]})"}) check_unusable(operation, body);
}

TEST_CASE("SetQueueAttributes sends what is set, and not the type of the queue") {
  const dmq::sqs::SetQueueAttributes operation{.queue_url = "h/q.fifo",
                                               .attributes = {.delay = seconds(5), .others = {{"New", "1"}}}};
  CHECK(operation.check());
  CHECK(request(operation) ==
        R"(AmazonSQS.SetQueueAttributes {"QueueUrl":"h/q.fifo","Attributes":{"DelaySeconds":"5","New":"1"}})");
  check_void_answers(operation);
  check_refused(dmq::sqs::SetQueueAttributes{.queue_url = "u"}.check(), "no attributes");
  check_refused(dmq::sqs::SetQueueAttributes{.attributes = {.delay = seconds(5)}}.check(), "URL is empty");
  check_refused(dmq::sqs::SetQueueAttributes{.queue_url = "u", .attributes = {.delay = seconds(901)}}.check(),
                "DelaySeconds must be 0 to 900, not 901");
  check_refused(
      dmq::sqs::SetQueueAttributes{.queue_url = "h/q", .attributes = {.content_based_deduplication = true}}.check(),
      "FIFO queues only");
}

TEST_CASE("PurgeQueue may not be repeated, DeleteQueue may") {
  const dmq::sqs::PurgeQueue purge{.queue_url = "u"};
  CHECK(request(purge) == R"(AmazonSQS.PurgeQueue {"QueueUrl":"u"})");
  check_void_answers(purge);
  CHECK(dmq::sqs::PurgeQueue::repeat == dmq::retry::Repeat::never);
  const auto busy = answer(purge, 403, R"({"__type":"com.amazonaws.sqs#PurgeQueueInProgress","message":"m"})");
  CHECK(busy.error().kind == ErrorKind::rejected);
  CHECK(busy.error().delivery == dmq::DeliveryState::rejected);
  check_refused(dmq::sqs::PurgeQueue{}.check(), "URL is empty");

  const dmq::sqs::DeleteQueue remove{.queue_url = "u"};
  CHECK(request(remove) == R"(AmazonSQS.DeleteQueue {"QueueUrl":"u"})");
  check_void_answers(remove);
  CHECK(dmq::sqs::DeleteQueue::repeat == dmq::retry::Repeat::always);
  check_refused(dmq::sqs::DeleteQueue{}.check(), "URL is empty");
}
