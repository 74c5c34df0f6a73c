#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <chrono>
#include <string>

#include <dmq/gateway/gateway_error.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::gateway::read_error;
using dmq::http::Response;
using std::chrono::seconds;

namespace {

Error read(const Response& response) {
  dmq::json::Document document;
  const auto parsed = support::parse(response.body, document);
  return read_error(response, parsed ? document.root() : dmq::json::Value());
}

Response answer(int status, const std::string& text, const std::string& type = "") {
  Response response{.status = status, .body = R"({"message":")" + text + "\"}"};
  if (!type.empty()) response.headers.add("x-amzn-ErrorType", type);
  response.headers.add("x-amzn-RequestId", "r1");
  return response;
}

}  // namespace

TEST_CASE("each error of the gateway has its kind, delivery and advice") {
  struct Case {
    int status;
    const char* text;
    const char* type;
    ErrorKind kind;
    DeliveryState delivery;
    const char* advice;
  };
  const Case cases[] = {
      {400, "Bad Request", "BadRequestException", ErrorKind::rejected, DeliveryState::rejected, "refuses the request"},
      {401, "Unauthorized", "UnauthorizedException", ErrorKind::authentication, DeliveryState::rejected, "authorizer"},
      {401, "The incoming token has expired", "UnauthorizedException", ErrorKind::authentication,
       DeliveryState::rejected, "does not accept the token"},
      {403, "Missing Authentication Token", "MissingAuthenticationTokenException", ErrorKind::configuration,
       DeliveryState::rejected, "check API_URL"},
      {403, "Invalid key=value pair (missing equal-sign) in Authorization header", "IncompleteSignatureException",
       ErrorKind::configuration, DeliveryState::rejected, "check API_URL"},
      {403, "Forbidden", "ForbiddenException", ErrorKind::authorization, DeliveryState::rejected, "API key"},
      {403, "User is not authorized to access this resource", "AccessDeniedException", ErrorKind::authorization,
       DeliveryState::rejected, "resource policy"},
      {404, "Not Found", "", ErrorKind::configuration, DeliveryState::rejected, "check API_URL"},
      {405, "Method Not Allowed", "", ErrorKind::configuration, DeliveryState::rejected, "check API_URL"},
      {413, "Request Too Long", "RequestTooLargeException", ErrorKind::rejected, DeliveryState::rejected, "size"},
      {415, "Unsupported Media Type", "", ErrorKind::configuration, DeliveryState::rejected, "mapping templates"},
      {429, "Too Many Requests", "TooManyRequestsException", ErrorKind::throttled, DeliveryState::rejected,
       "fewer requests"},
      {429, "Limit Exceeded", "LimitExceededException", ErrorKind::throttled, DeliveryState::rejected, "quota"},
      {500, "Internal server error", "InternalServerErrorException", ErrorKind::unavailable, DeliveryState::unknown,
       "failed"},
      {502, "Bad Gateway", "", ErrorKind::unavailable, DeliveryState::unknown, "failed"},
      {504, "Endpoint request timed out", "InternalServerErrorException", ErrorKind::unavailable,
       DeliveryState::unknown, "may have taken it"},
      {301, "", "", ErrorKind::configuration, DeliveryState::unknown, "redirects are not followed"},
      {307, "", "", ErrorKind::configuration, DeliveryState::unknown, "redirects are not followed"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.status);
    CAPTURE(c.text);
    const Error error = read(answer(c.status, c.text, c.type));
    CHECK(error.kind == c.kind);
    CHECK(error.delivery == c.delivery);
    CHECK(error.message.find(c.advice) != std::string::npos);
    CHECK(error.http_status == c.status);
    CHECK(error.service_code == c.type);
    CHECK(error.request_id == "r1");
  }
}

TEST_CASE("the status alone suffices where the body is none") {
  for (const char* body : {"", "<html>", "{", "[]", "7"}) {
    CHECK(read({.status = 401, .body = body}).kind == ErrorKind::authentication);
    CHECK(read({.status = 403, .body = body}).kind == ErrorKind::authorization);
    CHECK(read({.status = 413, .body = body}).kind == ErrorKind::rejected);
    CHECK(read({.status = 429, .body = body}).kind == ErrorKind::throttled);
    CHECK(read({.status = 504, .body = body}).delivery == DeliveryState::unknown);
    CHECK(read({.status = 302, .body = body}).kind == ErrorKind::configuration);
  }
}

TEST_CASE("the text may stand under either name, and the type has a tail") {
  Response response{.status = 403, .body = R"({"Message":"Missing Authentication Token"})"};
  response.headers.add("x-amzn-ErrorType", "MissingAuthenticationTokenException:http://internal/");
  const Error error = read(response);
  CHECK(error.kind == ErrorKind::configuration);
  CHECK(error.service_code == "MissingAuthenticationTokenException");
}

TEST_CASE("a throttle waits as asked, a quota 20 s at least") {
  const auto wait = [](const char* text, const char* retry_after, const char* type = "") {
    Response response = answer(429, text, type);
    if (retry_after != nullptr) response.headers.add("Retry-After", retry_after);
    return read(response).retry_after;
  };
  CHECK(wait("Too Many Requests", nullptr) == std::nullopt);
  CHECK(wait("Too Many Requests", "3") == seconds(3));
  CHECK(wait("Limit Exceeded", nullptr) == seconds(20));
  CHECK(wait("Limit Exceeded", "3") == seconds(20));
  CHECK(wait("Limit Exceeded", "60") == seconds(60));
  CHECK(wait("", nullptr, "LimitExceededException") == seconds(20));
}

TEST_CASE("an error of SQS that the integration passes through is SQS's") {
  const Error query = read({.status = 400,
                            .body = R"({"Error":{"Code":"AWS.SimpleQueueService.NonExistentQueue","Message":"gone",)"
                                    R"("Type":"Sender"},"RequestId":"x"})"});
  CHECK(query.kind == ErrorKind::configuration);
  CHECK(query.service_code == "AWS.SimpleQueueService.NonExistentQueue");
  const Error shape = read({.status = 403, .body = R"({"__type":"com.amazonaws.sqs#RequestThrottled","message":"x"})"});
  CHECK(shape.kind == ErrorKind::throttled);
  const Error kms = read({.status = 200, .body = R"({"Error":{"Code":"KMS.DisabledException","Message":"off"}})"});
  CHECK(kms.kind == ErrorKind::configuration);
  CHECK(kms.delivery == DeliveryState::rejected);
  CHECK(kms.http_status == 200);
}

TEST_CASE("an error without a name inside a 2xx says nothing of the fate") {
  for (const char* body : {R"({"Error":null})", R"({"Error":{}})", R"({"__type":""})"}) {
    const Error error = read({.status = 200, .body = body});
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.delivery == DeliveryState::unknown);
  }
}

TEST_CASE("nothing that the gateway says is repeated") {
  const Error error = read(answer(403, "hunter2 not a valid key=value pair in Authorization header: 'Bearer hunter2'"));
  CHECK(error.describe().find("hunter2") == std::string::npos);
}
