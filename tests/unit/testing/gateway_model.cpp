#include <dmq/testing/gateway_model.hpp>

#include <doctest/doctest.h>

#include <string>

#include <support/cloud.hpp>

using namespace std::chrono_literals;
using support::Cloud;
using support::Json;
namespace http = dmq::http;

namespace {

std::string fetch_token(Cloud& cloud) {
  http::Request request{
      .method = http::Method::post,
      .url = "http://cloud.test/oauth2/token",
      .body = "grant_type=client_credentials&client_id=local-client&client_secret=local-client-secret"};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  return std::string(Json(cloud.answer(request).body)["access_token"].string().value());
}

http::Request publish_request(const std::string& token, std::string body, std::string_view path = "") {
  http::Request request{.method = http::Method::post,
                        .url = "http://cloud.test/v1/publish-queue" + std::string(path),
                        .body = std::move(body)};
  request.headers.add("Authorization", "Bearer " + token);
  request.headers.add("Content-Type", "application/json");
  request.headers.add("MessageGroupId", "g");
  return request;
}

http::Request with(http::Request request, std::string_view name, std::string_view value) {
  request.headers.set(name, value);
  return request;
}

void check_refused(const http::Response& response, int status, std::string_view message, std::string_view type) {
  CHECK(response.status == status);
  CHECK(response.body == "{\"message\":\"" + std::string(message) + "\"}");
  CHECK(response.headers.get("x-amzn-ErrorType") == type);
  CHECK(response.headers.find("x-amz-apigw-id"));
}

}  // namespace

TEST_CASE("the header route publishes the body as it is and answers like SQS's query protocol") {
  Cloud cloud;
  auto request = publish_request(fetch_token(cloud), "a & b + 100 %");
  request.headers.add("MessageDeduplicationId", "d1");
  const auto response = cloud.answer(request);
  CHECK(response.status == 200);
  CHECK(response.headers.get("content-type") == "application/json");
  const Json json(response.body);
  CHECK(json["SendMessageResponse"]["ResponseMetadata"]["RequestId"].string()->size() == 36);
  const auto result = json["SendMessageResponse"]["SendMessageResult"];
  CHECK(result["MD5OfMessageBody"].string() == dmq::testing::md5_text("a & b + 100 %"));
  CHECK(result["MD5OfMessageAttributes"].is(dmq::json::Kind::null));
  CHECK(result["SequenceNumber"].string()->size() == 20);
  const auto held = cloud.model.messages("dmq.fifo", "g");
  REQUIRE(held.size() == 1);
  CHECK(held[0].message_id == result["MessageId"].string());
  CHECK(held[0].content.body == "a & b + 100 %");
  CHECK(held[0].content.deduplication_id == "d1");

  const Json again(cloud.answer(request).body);
  CHECK(again["SendMessageResponse"]["SendMessageResult"]["MessageId"].string() == held[0].message_id);
  CHECK(cloud.model.messages("dmq.fifo").size() == 1);
}

TEST_CASE("a token may come without its scheme, and an empty body becomes an empty object") {
  Cloud cloud;
  const std::string token = fetch_token(cloud);
  CHECK(cloud.answer(with(publish_request(token, ""), "Authorization", token)).status == 200);
  CHECK(cloud.model.messages("dmq.fifo").front().content.body == "{}");
}

TEST_CASE("the authorizer checks the signature, the time, the kind of token and the scopes") {
  Cloud cloud;
  const std::string token = fetch_token(cloud);
  const auto publish = [&](const std::string& presented) { return cloud.answer(publish_request(presented, "x")); };
  const auto unauthorized = [](const http::Response& response) {
    check_refused(response, 401, "Unauthorized", "UnauthorizedException");
  };
  CHECK(publish(token).status == 200);

  SUBCASE("what is not a token, or was changed") {
    unauthorized(publish(""));
    unauthorized(publish("nonsense"));
    unauthorized(publish("a.b.c"));
    std::string changed = token;
    changed[token.find('.') + 10] = changed[token.find('.') + 10] == 'A' ? 'B' : 'A';
    unauthorized(publish(changed));
    auto request = publish_request(token, "x");
    request.headers.remove("Authorization");
    unauthorized(cloud.answer(request));
  }
  SUBCASE("a token of another pool's key") {
    const auto key = dmq::testing::RsaKey::generate();
    const auto jwt = dmq::testing::Jwt::parse(token);
    unauthorized(publish(dmq::testing::make_jwt(key, jwt->header, jwt->claims)));
    CHECK(publish(dmq::testing::make_jwt(support::signing_key(), jwt->header, jwt->claims)).status == 200);
  }
  SUBCASE("expired") {
    cloud.now = cloud.now + 3599s;
    CHECK(publish(token).status == 200);
    cloud.now = cloud.now + 1s;
    check_refused(publish(token), 401, "The incoming token has expired", "UnauthorizedException");
  }
  SUBCASE("revoked") {
    cloud.model.revoke_tokens();
    unauthorized(publish(token));
    CHECK(publish(fetch_token(cloud)).status == 200);
  }
  SUBCASE("any one scope is enough") {
    cloud.model.gateway().authorizer.scopes = {"other", "dmq/publish"};
    CHECK(publish(token).status == 200);
    cloud.model.gateway().authorizer.scopes = {"other", "dmq/pub"};
    unauthorized(publish(token));
  }
  SUBCASE("without scopes an ID token is wanted") {
    cloud.model.gateway().authorizer.scopes = {};
    unauthorized(publish(token));
  }
  CHECK(cloud.model.gateway_requests() > 1);
}

TEST_CASE("the gateway's own errors") {
  Cloud cloud;
  const std::string token = fetch_token(cloud);
  auto get = publish_request(token, "x");
  get.method = http::Method::get;
  check_refused(cloud.answer(get), 403, "Missing Authentication Token", "MissingAuthenticationTokenException");
  check_refused(cloud.answer(publish_request(token, "x", "/other")), 403, "Missing Authentication Token",
                "MissingAuthenticationTokenException");
  check_refused(cloud.answer(with(publish_request(token, "x"), "Content-Type", "text/plain")), 415,
                "Unsupported Media Type", "BadRequestException");
  CHECK(cloud.answer(with(publish_request(token, "x"), "Content-Type", "application/json; charset=utf-8")).status ==
        200);
  CHECK(cloud.answer(with(publish_request(token, "x"), "Filler", std::string(10'240, 'x'))).status == 413);
  CHECK(cloud.answer(publish_request(token, std::string(10U * 1024 * 1024 + 1, 'x'))).status == 413);
  CHECK(cloud.answer(publish_request(token, "{", "/batch")).status == 400);
}

TEST_CASE("a wrong stage is forbidden, and the stage is an option") {
  auto options = support::unsigned_options();
  options.gateway.stage = "prod";
  Cloud cloud(options);
  auto request = publish_request(fetch_token(cloud), "x");
  check_refused(cloud.answer(request), 403, "Forbidden", "ForbiddenException");
  request.url = "http://cloud.test/prod/publish-queue";
  CHECK(cloud.answer(request).status == 200);
  request.url = "http://cloud.test/prod";
  check_refused(cloud.answer(request), 403, "Missing Authentication Token", "MissingAuthenticationTokenException");
  CHECK(cloud.model.environment("http://cloud.test")["API_URL"] == "http://cloud.test/prod/publish-queue");
}

TEST_CASE("the limits of payload and headers are options") {
  Cloud cloud;
  const auto request = publish_request(fetch_token(cloud), "12345");
  cloud.model.gateway().payload_limit_bytes = 5;
  CHECK(cloud.answer(request).status == 200);
  cloud.model.gateway().payload_limit_bytes = 4;
  check_refused(cloud.answer(request), 413, "Request Too Long", "RequestTooLargeException");
  cloud.model.gateway() = {.header_limit_bytes = 100};
  CHECK(cloud.answer(request).status == 413);
}

TEST_CASE("callers that come too fast are throttled, and may come again in a while") {
  Cloud cloud;
  const auto request = publish_request(fetch_token(cloud), "x");
  cloud.model.gateway().throttle = {.per_second = 2, .burst = 3};
  for (int i = 0; i < 3; ++i) CHECK(cloud.answer(request).status == 200);
  check_refused(cloud.answer(request), 429, "Too Many Requests", "TooManyRequestsException");
  cloud.now = cloud.now + 499ms;
  CHECK(cloud.answer(request).status == 429);
  cloud.now = cloud.now + 1ms;
  CHECK(cloud.answer(request).status == 200);
  CHECK(cloud.answer(request).status == 429);
}

TEST_CASE("a usage plan has an API key and a quota for each period") {
  Cloud cloud;
  const auto request = publish_request(fetch_token(cloud), "x");
  cloud.model.gateway().api_key = "key";
  cloud.model.gateway().quota = {.requests = 2, .period = 10min};
  check_refused(cloud.answer(request), 403, "Forbidden", "ForbiddenException");
  check_refused(cloud.answer(with(request, "X-API-Key", "other")), 403, "Forbidden", "ForbiddenException");
  const auto keyed = with(request, "X-API-Key", "key");
  CHECK(cloud.answer(keyed).status == 200);
  CHECK(cloud.answer(keyed).status == 200);
  check_refused(cloud.answer(keyed), 429, "Limit Exceeded", "LimitExceededException");
  cloud.now = cloud.now + 10min;
  CHECK(cloud.answer(keyed).status == 200);
}

TEST_CASE("faults before SQS leave no message, those after it do, and the answers look the same") {
  using dmq::testing::GatewayFaults;
  Cloud cloud;
  const auto request = publish_request(fetch_token(cloud), "x");
  auto& faults = cloud.model.gateway().faults;
  const auto held = [&] { return cloud.model.messages("dmq.fifo").size(); };
  const auto check_error = [&] {
    check_refused(cloud.answer(request), 500, "Internal server error", "InternalServerErrorException");
  };
  SUBCASE("throttled") {
    faults.throttled = 1;
    check_refused(cloud.answer(request), 429, "Too Many Requests", "TooManyRequestsException");
    CHECK(held() == 0);
  }
  SUBCASE("error before") {
    faults.error_before = 1;
    check_error();
    CHECK(held() == 0);
  }
  SUBCASE("error after") {
    faults.error_after = 1;
    check_error();
    CHECK(held() == 1);
  }
  SUBCASE("a fault strikes only who would have been let in") {
    faults.error_after = 1;
    CHECK(cloud.answer(publish_request("nonsense", "x")).status == 401);
  }
  SUBCASE("none") {
    CHECK(cloud.answer(request).status == 200);
  }
}

TEST_CASE("a timeout is answered when it has passed, whatever SQS has done at once") {
  for (const bool accepted : {false, true}) {
    CAPTURE(accepted);
    Cloud cloud;
    const auto request = publish_request(fetch_token(cloud), "x");
    auto& faults = cloud.model.gateway().faults;
    (accepted ? faults.timeout_after : faults.timeout_before) = 1;
    const auto id = std::get<dmq::testing::PollId>(cloud.handle(request));
    CHECK(cloud.model.messages("dmq.fifo").size() == (accepted ? 1 : 0));
    CHECK(cloud.model.next_deadline() == cloud.now.ticks + 29s);
    cloud.now = cloud.now + (29s - 1ns);
    CHECK(cloud.model.advance(cloud.now).empty());
    cloud.now = cloud.now + 1ns;
    const auto answers = cloud.model.advance(cloud.now);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].id == id);
    check_refused(answers[0].response, 504, "Endpoint request timed out", "InternalServerErrorException");
    CHECK_FALSE(cloud.model.next_deadline());
  }
}

TEST_CASE("an error of SQS keeps its status, or hides behind a 200 with the default mapping alone") {
  for (const bool hidden : {false, true}) {
    Cloud cloud;
    if (hidden) cloud.model.gateway().mapping = dmq::testing::StatusMapping::default_only;
    auto request = publish_request(fetch_token(cloud), "x");
    request.headers.remove("MessageGroupId");
    const auto response = cloud.answer(request);
    CHECK(response.status == (hidden ? 200 : 400));
    const Json json(response.body);
    CHECK(json["Error"]["Code"].string() == "MissingParameter");
    CHECK(json["Error"]["Message"].string() == "The request must contain the parameter MessageGroupId.");
    CHECK(json["Error"]["Type"].string() == "Sender");
    CHECK(json["RequestId"].string()->size() == 36);
  }
}

TEST_CASE("the header route is a call of SQS in the query protocol, in which a body cannot add parameters") {
  Cloud cloud({.signing_key = support::signing_key()});
  const std::string token = fetch_token(cloud);
  const std::string body = "x&MessageGroupId=other&DelaySeconds=abc";
  CHECK(cloud.answer(publish_request(token, body)).status == 200);
  CHECK(cloud.model.calls("SendMessage") == 1);
  CHECK(cloud.model.messages("dmq.fifo", "g").front().content.body == body);

  CHECK(Json(cloud.answer(publish_request(token, "\xFF")).body)["Error"]["Code"].string() == "MalformedInput");
  cloud.model.gateway().queue = "none.fifo";
  const auto response = cloud.answer(publish_request(token, "x"));
  CHECK(response.status == 400);
  CHECK(Json(response.body)["Error"]["Message"].string() ==
        "The specified queue does not exist for this wsdl version.");
}

TEST_CASE("the batch route answers in the shape of SQS's JSON protocol") {
  Cloud cloud;
  const std::string token = fetch_token(cloud);
  const auto response = cloud.answer(publish_request(token, R"({"Entries":[
      {"Id":"1","MessageBody":"a","MessageGroupId":"g","MessageDeduplicationId":"d",
       "MessageAttributes":{"Hello":{"DataType":"String","StringValue":"There"}}},
      {"Id":"2","MessageBody":"\u0001","MessageGroupId":"g"}]})",
                                                     "/batch"));
  CHECK(response.status == 200);
  const Json json(response.body);
  const auto sent = *json["Successful"].begin();
  CHECK(sent["Id"].string() == "1");
  CHECK(sent["MD5OfMessageAttributes"].string() == "a311262e065454b75da111d535b8dacd");
  CHECK((*json["Failed"].begin())["Code"].string() == "InvalidMessageContents");

  const auto empty = cloud.answer(publish_request(token, R"({"Entries":[]})", "/batch"));
  CHECK(empty.status == 400);
  CHECK(Json(empty.body)["__type"].string() == "com.amazonaws.sqs#EmptyBatchRequest");
}
