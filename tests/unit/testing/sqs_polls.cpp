#include <doctest/doctest.h>

#include <string>
#include <variant>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::PollId;
using support::Cloud;
using support::Json;

namespace {

PollId poll(Cloud& cloud, std::string_view members = "\"WaitTimeSeconds\":20", std::string_view queue = "dmq.fifo") {
  return std::get<PollId>(cloud.handle(Cloud::queue_request("ReceiveMessage", members, queue)));
}

void send(Cloud& cloud, std::string_view body) {
  cloud.call("SendMessage", "\"MessageBody\":\"" + std::string(body) + "\",\"MessageGroupId\":\"g\"");
}

std::string first_body(const dmq::http::Response& response) {
  return std::string((*Json(response.body)["Messages"].begin())["Body"].string().value_or(""));
}

}  // namespace

TEST_CASE("a long poll is answered by a send, and those that wait longest come first") {
  Cloud cloud;
  const PollId first = poll(cloud);
  const PollId second = poll(cloud);
  CHECK(cloud.model.advance(cloud.now).empty());
  send(cloud, "1");
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].id == first);
  CHECK(first_body(answered[0].response) == "1");
  CHECK(answered[0].response.headers.get("x-amzn-requestid").size() == 36);
  CHECK(cloud.model.polls() == 1);
  cloud.model.cancel(second);
  CHECK(cloud.model.polls() == 0);
  CHECK_FALSE(cloud.model.next_deadline());
}

TEST_CASE("a long poll ends empty when its time is over") {
  Cloud cloud;
  const PollId id = poll(cloud, "\"WaitTimeSeconds\":3");
  CHECK(cloud.model.next_deadline() == cloud.now.ticks + 3s);
  cloud.now = cloud.now + 2s;
  CHECK(cloud.model.advance(cloud.now).empty());
  cloud.now = cloud.now + 1s;
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(answered[0].id == id);
  CHECK(answered[0].response.status == 200);
  CHECK(answered[0].response.body == "{}");
  CHECK(cloud.model.advance(cloud.now).empty());
}

TEST_CASE("a long poll wakes when the last message in flight is deleted, or becomes visible") {
  Cloud cloud;
  send(cloud, "1");
  send(cloud, "2");
  const Json received(cloud.call("ReceiveMessage", "\"VisibilityTimeout\":10").body);
  const std::string handle((*received["Messages"].begin())["ReceiptHandle"].string().value());
  poll(cloud);
  CHECK(cloud.model.advance(cloud.now).empty());
  CHECK(cloud.model.next_deadline() == cloud.now.ticks + 10s);
  std::string expected;
  SUBCASE("deleted") {
    cloud.call("DeleteMessage", "\"ReceiptHandle\":\"" + handle + "\"");
    expected = "2";
  }
  SUBCASE("made visible") {
    cloud.call("ChangeMessageVisibility", "\"VisibilityTimeout\":0,\"ReceiptHandle\":\"" + handle + "\"");
    expected = "1";
  }
  SUBCASE("timed out") {
    cloud.now = cloud.now + 10s;
    expected = "1";
  }
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(first_body(answered[0].response) == expected);
}

TEST_CASE("the queue's own wait holds where a receive gives none") {
  Cloud cloud;
  CHECK(cloud.model.create_queue("patient", {{"ReceiveMessageWaitTimeSeconds", "7"}}, cloud.now));
  poll(cloud, "", "patient");
  CHECK(cloud.model.next_deadline() == cloud.now.ticks + 7s);
  CHECK(cloud.call("ReceiveMessage", "\"WaitTimeSeconds\":0", "patient").body == "{}");
}

TEST_CASE("a poll nobody listens to takes messages; its attempt id brings them back") {
  Cloud cloud;
  const std::string members = "\"WaitTimeSeconds\":20,\"ReceiveRequestAttemptId\":\"id\"";
  const PollId lost = poll(cloud, members);
  const PollId repeated = poll(cloud, members);
  send(cloud, "1");
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 2);
  CHECK(answered[0].id == lost);
  CHECK(answered[1].id == repeated);
  CHECK(answered[0].response.body == answered[1].response.body);
  CHECK(cloud.call("ReceiveMessage", "").body == "{}");
}

TEST_CASE("a publish through the gateway wakes a poll") {
  Cloud cloud;
  poll(cloud);
  dmq::http::Request token{
      .method = dmq::http::Method::post,
      .url = "http://cloud.test/oauth2/token",
      .body = "grant_type=client_credentials&client_id=local-client&client_secret=local-client-secret"};
  token.headers.add("Content-Type", "application/x-www-form-urlencoded");
  dmq::http::Request publish{
      .method = dmq::http::Method::post, .url = "http://cloud.test/v1/publish-queue", .body = "hello"};
  publish.headers.add("Authorization", Json(cloud.answer(token).body)["access_token"].string().value());
  publish.headers.add("MessageGroupId", "g");
  CHECK(cloud.answer(publish).status == 200);
  const auto answered = cloud.model.advance(cloud.now);
  REQUIRE(answered.size() == 1);
  CHECK(first_body(answered[0].response) == "hello");
}
