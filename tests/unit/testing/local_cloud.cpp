#include <dmq/testing/local_cloud.hpp>

#include <doctest/doctest.h>

#include <string>
#include <variant>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::LocalCloud;
using dmq::testing::PollId;
using support::Cloud;
using support::Json;
namespace http = dmq::http;

namespace {

http::Request publish_request(Cloud& cloud, const std::string& body) {
  http::Request token{.method = http::Method::post,
                      .url = "http://cloud.test/oauth2/token",
                      .body = "grant_type=client_credentials&client_id=local-client&client_secret=local-client-secret"};
  token.headers.add("Content-Type", "application/x-www-form-urlencoded");
  const Json json(cloud.answer(token).body);
  http::Request request{.method = http::Method::post, .url = "http://cloud.test/v1/publish-queue", .body = body};
  request.headers.add("Authorization", json["access_token"].string().value());
  request.headers.add("MessageGroupId", "g");
  return request;
}

}  // namespace

TEST_CASE("the path chooses the service") {
  Cloud cloud;
  const auto answer = [&](std::string_view path) {
    return cloud.answer({.method = http::Method::post, .url = std::string(Cloud::origin) + std::string(path)});
  };
  const auto is_sqs = [&](std::string_view path) {
    return answer(path).body.find("MissingAction") != std::string::npos;
  };
  CHECK(is_sqs("/"));
  CHECK(is_sqs("/000000000000/dmq.fifo"));
  CHECK(is_sqs("/123456789012/other"));
  CHECK(answer("/v1/publish-queue").headers.find("x-amz-apigw-id"));
  CHECK(Json(answer("/v2/publish-queue").body)["message"].string() == "Forbidden");
  CHECK(Json(answer("/nowhere").body)["message"].string() == "Forbidden");
  CHECK(Json(answer("/oauth2/token").body)["error"].string() == "invalid_request");
  CHECK(cloud.model.gateway_requests() == 3);
  CHECK(cloud.model.token_requests() == 1);

  const auto gateway_requests = cloud.model.gateway_requests();
  auto named = Cloud::queue_request("GetQueueAttributes", "");
  named.url = "http://cloud.test/any/path";
  CHECK(cloud.answer(named).status == 200);
  CHECK(cloud.model.gateway_requests() == gateway_requests);
  named.url = "http://cloud.test/v1/path";
  CHECK(cloud.answer(named).status == 403);
  CHECK(cloud.model.gateway_requests() == gateway_requests + 1);
}

TEST_CASE("answers that come late wait side by side with long polls under ids of their own") {
  Cloud cloud;
  const http::Request publish = publish_request(cloud, "x");
  const auto first_poll =
      std::get<PollId>(cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":9)")));
  cloud.model.gateway().faults.timeout_before = 1;
  cloud.model.gateway().integration_timeout = 12s;
  const auto late = std::get<PollId>(cloud.handle(publish));
  const auto second_poll =
      std::get<PollId>(cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":20)")));
  CHECK(first_poll != late);
  CHECK(late != second_poll);
  CHECK(cloud.model.polls() == 2);

  LocalCloud fork = cloud.model;
  fork.cancel(late);
  for (const auto& [wait, id] : {std::pair(9s, first_poll), std::pair(12s, late), std::pair(20s, second_poll)}) {
    CHECK(cloud.model.next_deadline() == cloud.now.ticks + wait);
    const auto answers = cloud.model.advance(cloud.now + wait);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].id == id);
    CHECK(answers[0].response.status == (id == late ? 504 : 200));
    CHECK(answers[0].response.headers.find("date"));
  }
  CHECK_FALSE(cloud.model.next_deadline());
  CHECK(fork.advance(cloud.now + 1h).size() == 2);
}

TEST_CASE("a message whose sender timed out wakes a poll at once") {
  Cloud cloud;
  const http::Request publish = publish_request(cloud, "x");
  const auto poll = std::get<PollId>(cloud.handle(Cloud::queue_request("ReceiveMessage", R"("WaitTimeSeconds":20)")));
  cloud.model.gateway().faults.timeout_after = 1;
  CHECK(std::holds_alternative<PollId>(cloud.handle(publish)));
  const auto answers = cloud.model.advance(cloud.now);
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].id == poll);
  CHECK((*Json(answers[0].response.body)["Messages"].begin())["Body"].string() == "x");
}

TEST_CASE("the environment names everything that a client needs") {
  const auto values = LocalCloud({.signing_key = support::signing_key()}, &support::parse).environment("http://h:1");
  CHECK(values == dmq::Environment::Values{
                      {"API_URL", "http://h:1/v1/publish-queue"},
                      {"AWS_ACCESS_KEY_ID", "AKIALOCALCLOUD000000"},
                      {"AWS_ENDPOINT_URL_SQS", "http://h:1"},
                      {"AWS_REGION", "us-east-1"},
                      {"AWS_SECRET_ACCESS_KEY", "local-cloud-secret-key"},
                      {"COGNITO_CLIENT_ID", "local-client"},
                      {"COGNITO_CLIENT_SCOPE", "dmq/publish"},
                      {"COGNITO_CLIENT_SECRET", "local-client-secret"},
                      {"COGNITO_TOKEN_URL", "http://h:1/oauth2/token"},
                      {"SQS_QUEUE_URL", "http://h:1/000000000000/dmq.fifo"},
                  });
}
