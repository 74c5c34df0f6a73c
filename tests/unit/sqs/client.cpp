#include <dmq/sqs/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <dmq/testing/scripted_transport.hpp>
#include <support/leaping_clock.hpp>
#include <support/producers.hpp>
#include <support/sqs_calls.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::http::Request;
using dmq::http::Response;
using dmq::sqs::MoveStatus;
using dmq::testing::CloudHooks;
using dmq::testing::CloudTransport;
using dmq::testing::ScriptedTransport;
using std::chrono::seconds;
using support::LeapingClock;

namespace {

template <class Transport>
auto client(Transport transport, LeapingClock clock = {}) {
  return dmq::sqs::Client(std::move(transport), dmq::sqs::Wire("http://localhost", support::parse), support::signer(),
                          std::move(clock));
}

const Error lost{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"};

/// Loses the first answer to an operation, after the cloud has carried it out.
CloudHooks losing_first(const std::string& operation) {
  CloudHooks hooks;
  auto done = std::make_shared<bool>(false);
  hooks.after = [=](const Request& request, dmq::Result<Response> response) -> dmq::Result<Response> {
    if (*done || request.headers.get("X-Amz-Target") != "AmazonSQS." + operation) return response;
    *done = true;
    return lost;
  };
  return hooks;
}

/// A cloud with "orders.fifo" and its dead-letter queue, and a client.
struct Account {
  explicit Account(CloudHooks hooks = {}) : sqs(client(CloudTransport(cloud.host, std::move(hooks)), cloud.clock)) {
    dead_url = sqs.create_queue({.queue_name = "dead.fifo"}).value();
    dead_arn = sqs.get_queue_attributes(dead_url).value().arn;
    url = sqs.create_queue(wanted()).value();
  }

  dmq::sqs::CreateQueue wanted() const {
    return {.queue_name = "orders.fifo",
            .attributes = {.visibility_timeout = seconds(60),
                           .redrive_policy = dmq::sqs::RedrivePolicy{dead_arn, 1},
                           .content_based_deduplication = true,
                           .deduplication_scope = dmq::sqs::DeduplicationScope::message_group,
                           .fifo_throughput_limit = dmq::sqs::FifoThroughputLimit::per_message_group},
            .tags = {{"team", "orders"}}};
  }

  /// Sends messages and receives them until they are dead letters.
  void kill(int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE(sqs.send_message(url, {.message = {.body = "m" + std::to_string(i), .group = std::to_string(i)},
                                     .deduplication_id = std::to_string(i)}));
    for (int i = 0; i < 2; ++i) REQUIRE(sqs.receive_message({.queue_url = url, .visibility = seconds(0)}));
    REQUIRE(sqs.get_queue_attributes(dead_url).value().messages == count);
  }

  support::Cloud<LeapingClock> cloud{};
  decltype(client(CloudTransport(cloud.host), cloud.clock)) sqs;
  std::string dead_url, dead_arn, url;
};

}  // namespace

TEST_CASE("a queue is made, described, changed, emptied and deleted") {
  Account account;
  auto& sqs = account.sqs;
  CHECK(account.url == "http://localhost/000000000000/orders.fifo");
  CHECK(account.dead_arn == "arn:aws:sqs:us-east-1:000000000000:dead.fifo");
  CHECK(sqs.create_queue(account.wanted()).value() == account.url);

  auto queue = sqs.get_queue_attributes(account.url).value();
  CHECK(queue.fifo);
  CHECK(queue.arn == "arn:aws:sqs:us-east-1:000000000000:orders.fifo");
  CHECK(queue.attributes.visibility_timeout == seconds(60));
  CHECK(queue.attributes.redrive_policy == account.wanted().attributes.redrive_policy);
  CHECK(queue.attributes.fifo_throughput_limit == dmq::sqs::FifoThroughputLimit::per_message_group);
  CHECK(queue.attributes.others.empty());

  REQUIRE(sqs.set_queue_attributes(
      {.queue_url = account.url, .attributes = {.delay = seconds(7), .redrive_policy = dmq::sqs::RedrivePolicy{}}}));
  queue = sqs.get_queue_attributes(account.url).value();
  CHECK(queue.attributes.delay == seconds(7));
  CHECK(queue.attributes.visibility_timeout == seconds(60));
  CHECK_FALSE(queue.attributes.redrive_policy);
  const auto other = sqs.create_queue(account.wanted());
  REQUIRE_FALSE(other);
  CHECK(other.error().service_code == "QueueNameExists");

  account.cloud.clock.advance(seconds(1));
  REQUIRE(sqs.send_message(account.url, {.message = {.body = "m", .group = "g"}, .deduplication_id = "1"}));
  REQUIRE(sqs.purge_queue(account.url));
  CHECK(account.cloud.host->with([](auto& cloud) { return cloud.messages("orders.fifo").size(); }) == 0);
  CHECK(sqs.purge_queue(account.url).error().service_code == "PurgeQueueInProgress");
  REQUIRE(sqs.delete_queue(account.url));
  CHECK(sqs.get_queue_url("orders.fifo").error().kind == ErrorKind::configuration);
  const auto gone = sqs.delete_queue(account.url);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().kind == ErrorKind::configuration);
  CHECK(gone.error().delivery == DeliveryState::rejected);
}

TEST_CASE("dead letters go back to the queue they came from") {
  Account account;
  account.kill(3);
  CHECK(account.sqs.list_all_dead_letter_source_queues(account.dead_url).value() ==
        std::vector<std::string>{account.url});
  CHECK(account.sqs.list_message_move_tasks({.source_arn = account.dead_arn}).value().empty());

  const auto handle =
      account.sqs.start_message_move_task({.source_arn = account.dead_arn, .messages_per_second = 1}).value();
  account.cloud.clock.advance(seconds(2));
  auto task = account.sqs.list_message_move_tasks({.source_arn = account.dead_arn}).value().at(0);
  CHECK(task.handle == handle);
  CHECK(task.status == MoveStatus::running);
  CHECK(task.moved == 2);
  CHECK(task.to_move == 3);
  CHECK(task.messages_per_second == 1);
  CHECK(account.sqs.start_message_move_task({.source_arn = account.dead_arn}).error().kind == ErrorKind::rejected);

  account.cloud.clock.advance(seconds(1));
  task = account.sqs.list_message_move_tasks({.source_arn = account.dead_arn}).value().at(0);
  CHECK(task.status == MoveStatus::completed);
  CHECK(account.sqs.get_queue_attributes(account.dead_url).value().messages == 0);
  CHECK(account.sqs.get_queue_attributes(account.url).value().messages == 3);
}

TEST_CASE("a move is cancelled, and what was moved stays moved") {
  Account account;
  account.kill(3);
  const auto handle =
      account.sqs.start_message_move_task({.source_arn = account.dead_arn, .messages_per_second = 1}).value();
  account.cloud.clock.advance(seconds(1));
  CHECK(account.sqs.cancel_message_move_task(handle).value() == 1);
  account.cloud.clock.advance(seconds(10));
  CHECK(account.sqs.list_message_move_tasks({.source_arn = account.dead_arn}).value().at(0).status ==
        MoveStatus::cancelled);
  CHECK(account.sqs.get_queue_attributes(account.dead_url).value().messages == 2);
  CHECK(account.sqs.cancel_message_move_task(handle).error().kind == ErrorKind::rejected);
}

TEST_CASE("a queue has tags") {
  Account account;
  REQUIRE(account.sqs.tag_queue(account.url, {{"cost", "7"}, {"team", "ships"}}));
  CHECK(account.sqs.list_queue_tags(account.url).value() == dmq::sqs::Tags{{"cost", "7"}, {"team", "ships"}});
  REQUIRE(account.sqs.untag_queue(account.url, {"team", "nothing"}));
  CHECK(account.sqs.list_queue_tags(account.url).value() == dmq::sqs::Tags{{"cost", "7"}});
  CHECK(account.sqs.list_queue_tags(account.dead_url).value().empty());
}

TEST_CASE("a permission stands in the queue's policy until it is removed") {
  Account account;
  const dmq::sqs::AddPermission permission{
      .queue_url = account.url, .label = "ships", .account_ids = {"123456789012"}, .actions = {"SendMessage"}};
  REQUIRE(account.sqs.add_permission(permission));
  const auto policy = account.sqs.get_queue_attributes(account.url).value().attributes.policy;
  REQUIRE(policy);
  CHECK(policy->find("123456789012") != std::string::npos);
  CHECK(account.sqs.add_permission(permission).error().kind == ErrorKind::rejected);
  REQUIRE(account.sqs.remove_permission(account.url, "ships"));
  CHECK_FALSE(account.sqs.get_queue_attributes(account.url).value().attributes.policy);
}

TEST_CASE("queues are listed by pages, or all at once") {
  Account account;
  for (const char* name : {"a1", "a2", "a3"}) REQUIRE(account.sqs.create_queue({.queue_name = name}));
  auto page = account.sqs.list_queues({.prefix = "a", .max_results = 2}).value();
  REQUIRE(page.queue_urls.size() == 2);
  REQUIRE_FALSE(page.next_token.empty());
  page = account.sqs.list_queues({.prefix = "a", .max_results = 2, .next_token = page.next_token}).value();
  CHECK(page.queue_urls == std::vector<std::string>{"http://localhost/000000000000/a3"});
  CHECK(page.next_token.empty());
  CHECK(account.sqs.list_all_queues("a").value().size() == 3);
  CHECK(account.sqs.list_all_queues().value().size() == 6);
}

TEST_CASE("all pages are asked for, and a list that leads to itself is refused") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"QueueUrls":["a"],"NextToken":"1"})"});
  transport.reply({.status = 200, .body = R"({"NextToken":"2"})"});
  transport.reply({.status = 200, .body = R"({"QueueUrls":["b"]})"});
  CHECK(client(transport).list_all_queues("p").value() == std::vector<std::string>{"a", "b"});
  REQUIRE(transport.count() == 3);
  CHECK(transport.requests()[0].body == R"({"QueueNamePrefix":"p","MaxResults":1000})");
  CHECK(transport.requests()[2].body == R"({"QueueNamePrefix":"p","MaxResults":1000,"NextToken":"2"})");

  transport.otherwise(
      [](const Request&) { return Response{.status = 200, .body = R"({"queueUrls":["a"],"NextToken":"1"})"}; });
  const auto endless = client(transport).list_all_dead_letter_source_queues("u");
  REQUIRE_FALSE(endless);
  CHECK(endless.error().kind == ErrorKind::protocol);
  CHECK(transport.count() == 5);
}

TEST_CASE("what is refused beforehand is never sent") {
  ScriptedTransport transport;
  auto sqs = client(transport);
  support::check_refused(sqs.create_queue({.queue_name = "a b"}), "look at byte 1");
  support::check_refused(sqs.set_queue_attributes({.queue_url = "u"}), "no attributes");
  support::check_refused(sqs.list_queues({.max_results = 0}), "MaxResults");
  support::check_refused(sqs.list_all_dead_letter_source_queues(""), "URL is empty");
  support::check_refused(sqs.purge_queue(""), "URL is empty");
  support::check_refused(sqs.delete_queue(""), "URL is empty");
  support::check_refused(sqs.tag_queue("u", {}), "no tags");
  support::check_refused(sqs.untag_queue("u", {}), "no tags");
  support::check_refused(sqs.list_queue_tags(""), "URL is empty");
  support::check_refused(sqs.add_permission({.queue_url = "u"}), "label");
  support::check_refused(sqs.remove_permission("u", ""), "label");
  support::check_refused(sqs.start_message_move_task({}), "ARN");
  support::check_refused(sqs.list_message_move_tasks({}), "ARN");
  support::check_refused(sqs.cancel_message_move_task(""), "handle");
  CHECK(transport.count() == 0);
}

TEST_CASE("a deletion whose answer was lost is seen to be done") {
  Account account(losing_first("DeleteQueue"));
  CHECK(account.sqs.delete_queue(account.url));
  CHECK(account.cloud.host->with([](auto& cloud) { return cloud.calls("DeleteQueue"); }) == 2);
  CHECK(account.sqs.get_queue_url("orders.fifo").error().kind == ErrorKind::configuration);
}

TEST_CASE("a creation whose answer was lost is asked for again") {
  Account account(losing_first("CreateQueue"));
  CHECK(account.sqs.get_queue_url("dead.fifo").value() == account.dead_url);
  CHECK(account.cloud.host->with([](auto& cloud) { return cloud.calls("CreateQueue"); }) == 3);
}

TEST_CASE("a purge and the start of a move are not repeated when their answers are lost") {
  Account account(losing_first("PurgeQueue"));
  const auto purged = account.sqs.purge_queue(account.url);
  REQUIRE_FALSE(purged);
  CHECK(purged.error().delivery == DeliveryState::unknown);
  CHECK(account.cloud.host->with([](auto& cloud) { return cloud.calls("PurgeQueue"); }) == 1);

  Account other(losing_first("StartMessageMoveTask"));
  other.kill(1);
  const auto started = other.sqs.start_message_move_task({.source_arn = other.dead_arn});
  REQUIRE_FALSE(started);
  CHECK(started.error().delivery == DeliveryState::unknown);
  CHECK(other.cloud.host->with([](auto& cloud) { return cloud.calls("StartMessageMoveTask"); }) == 1);
  CHECK(other.sqs.list_message_move_tasks({.source_arn = other.dead_arn}).value().size() == 1);
}

TEST_CASE("a permission whose answer was lost is refused on the repeat, and its fate stays unknown") {
  Account account(losing_first("AddPermission"));
  const auto added = account.sqs.add_permission(
      {.queue_url = account.url, .label = "l", .account_ids = {"123456789012"}, .actions = {"*"}});
  REQUIRE_FALSE(added);
  CHECK(added.error().kind == ErrorKind::rejected);
  CHECK(added.error().delivery == DeliveryState::unknown);
  CHECK(account.sqs.get_queue_attributes(account.url).value().attributes.policy.has_value());
}
