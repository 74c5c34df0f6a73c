#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <chrono>
#include <string>

#include <dmq/auth/cognito.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Secret;
using dmq::auth::cognito::ClientCredentials;
using dmq::auth::cognito::ClientOptions;
using dmq::auth::cognito::SecretIn;
using dmq::http::PlainHttp;
using dmq::http::Request;
using dmq::http::Resend;
using dmq::http::Response;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

dmq::Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

ClientOptions options() {
  ClientOptions options;
  options.token_url = "https://my-pool.auth.eu-central-1.amazoncognito.com/oauth2/token";
  options.client_id = "client";
  options.client_secret = Secret("hunter2");
  options.scope = "queue/publish queue/read";
  return options;
}

ClientCredentials grant(ClientOptions with = options()) {
  return ClientCredentials(std::move(with), parse_json);
}

Error refusal(const Response& response) {
  const auto token = grant().parse(response, {});
  REQUIRE_FALSE(token);
  CHECK(token.error().delivery == DeliveryState::not_sent);
  CHECK(token.error().describe().find("hunter2") == std::string::npos);
  return token.error();
}

Error refusal(int status, std::string body) {
  return refusal(Response{.status = status, .body = std::move(body)});
}

Error configuration(ClientOptions with) {
  const auto request = grant(std::move(with)).request();
  REQUIRE_FALSE(request);
  CHECK(request.error().kind == ErrorKind::configuration);
  CHECK(request.error().describe().find("hunter2") == std::string::npos);
  return request.error();
}

}  // namespace

TEST_CASE("by default the secret travels in a Basic header") {
  const Request request = grant().request().value();
  CHECK(request.method == dmq::http::Method::post);
  CHECK(request.url == options().token_url);
  CHECK(request.body == "grant_type=client_credentials&scope=queue%2Fpublish%20queue%2Fread");
  CHECK(request.headers.size() == 3);
  CHECK(request.headers.get("Content-Type") == "application/x-www-form-urlencoded");
  CHECK(request.headers.get("Accept") == "application/json");
  CHECK(request.headers.get("Authorization") == "Basic Y2xpZW50Omh1bnRlcjI=");
  CHECK(request.resend == Resend::allowed);
  CHECK(request.timeout == seconds(10));
  CHECK(request.response_limit_bytes == 256U * 1024);
}

TEST_CASE("the secret may travel in the form instead") {
  ClientOptions with = options();
  with.secret_in = SecretIn::form;
  with.client_secret = Secret("a&b=c d");
  const Request request = grant(with).request().value();
  CHECK(request.body ==
        "grant_type=client_credentials&scope=queue%2Fpublish%20queue%2Fread&client_id=client&"
        "client_secret=a%26b%3Dc%20d");
  CHECK_FALSE(request.headers.find("Authorization"));
}

TEST_CASE("without a scope none is asked for, and odd characters of id and secret are encoded first") {
  ClientOptions with = options();
  with.scope.clear();
  with.client_id = "a:b";
  with.client_secret = Secret("c%");
  const Request request = grant(with).request().value();
  CHECK(request.body == "grant_type=client_credentials");
  CHECK(request.headers.get("Authorization") == "Basic " + dmq::encoding::base64_encode("a%3Ab:c%25"));
}

TEST_CASE("what can't make a request is a configuration error") {
  ClientOptions with = options();
  with.token_url = "pool";
  CHECK(configuration(with).message.starts_with("the token URL is not a URL"));
  with.token_url = "http://example.com/oauth2/token";
  CHECK(configuration(with).message.find("in the clear") != std::string::npos);
  with = options();
  with.client_id.clear();
  CHECK(configuration(with).message == "the client id is empty");
  with = options();
  with.client_secret = {};
  CHECK(configuration(with).message == "the client secret is empty");
}

TEST_CASE("plain HTTP goes to this machine, elsewhere when asked for") {
  ClientOptions with = options();
  with.token_url = "http://127.0.0.1:9324/oauth2/token";
  CHECK(grant(with).request().has_value());
  with.token_url = "http://example.com/oauth2/token";
  with.plain_http = PlainHttp::anywhere;
  CHECK(grant(with).request().has_value());
}

TEST_CASE("a token is read with its lifetime, of a day at most") {
  const auto lifetime = [](const std::string& number) {
    const auto token = grant().parse(
        {.status = 200, .body = R"({"access_token":"abc","token_type":"Bearer","expires_in":)" + number + "}"}, {});
    REQUIRE(token);
    CHECK(token->value.reveal() == "abc");
    return token->lifetime;
  };
  CHECK(lifetime("3600") == hours(1));
  CHECK(lifetime("3600.0") == hours(1));
  CHECK(lifetime("1") == seconds(1));
  CHECK(lifetime("86400") == hours(24));
  CHECK(lifetime("86401") == hours(24));
  CHECK(lifetime("9007199254740993") == hours(24));
}

TEST_CASE("the type of a token may be absent or in any case") {
  CHECK(grant().parse({.status = 200, .body = R"({"access_token":"t","expires_in":60})"}, {}).has_value());
  CHECK(grant()
            .parse({.status = 200, .body = R"({"access_token":"t","token_type":"bEARER","expires_in":60})"}, {})
            .has_value());
}

TEST_CASE("an answer of 200 that is no token is a protocol error") {
  for (const char* body : {"",
                           "hunter2",
                           "<html>",
                           R"({"access_token":"hunter2)",
                           "[]",
                           "{}",
                           "null",
                           "\"hunter2\"",
                           R"({"access_token":"","expires_in":60})",
                           R"({"access_token":7,"expires_in":60})",
                           R"({"access_token":"hunter2\r\nX: y","expires_in":60})",
                           R"({"access_token":"hunter2\u0000","expires_in":60})",
                           R"({"access_token":"hunter2","token_type":"MAC","expires_in":60})",
                           R"({"access_token":"hunter2"})",
                           R"({"access_token":"hunter2","expires_in":0})",
                           R"({"access_token":"hunter2","expires_in":-60})",
                           R"({"access_token":"hunter2","expires_in":"60"})",
                           R"({"access_token":"hunter2","expires_in":1e300})",
                           R"({"access_token":"hunter2","expires_in":null})",
                           R"({"error":"invalid_client"})"}) {
    CAPTURE(body);
    const Error error = refusal(200, body);
    CHECK(error.kind == ErrorKind::protocol);
    CHECK(error.http_status == 200);
    CHECK(error.message.starts_with("the token endpoint's answer "));
  }
}

TEST_CASE("each refusal of the token endpoint has its kind and its advice") {
  struct Case {
    int status;
    const char* code;
    ErrorKind kind;
    const char* advice;
  };
  const Case cases[] = {
      {400, "invalid_client", ErrorKind::authentication, "COGNITO_CLIENT_SECRET"},
      {401, "invalid_client", ErrorKind::authentication, "COGNITO_CLIENT_ID"},
      {400, "invalid_grant", ErrorKind::configuration, "allow that OAuth flow"},
      {400, "unauthorized_client", ErrorKind::configuration, "allow that OAuth flow"},
      {400, "unsupported_grant_type", ErrorKind::configuration, "allow that OAuth flow"},
      {400, "invalid_scope", ErrorKind::configuration, "COGNITO_CLIENT_SCOPE"},
      {400, "invalid_request", ErrorKind::configuration, "COGNITO_TOKEN_URL"},
      {400, "something_new", ErrorKind::configuration, "COGNITO_TOKEN_URL"},
      {429, "", ErrorKind::throttled, "fewer requests"},
      {400, "slow_down", ErrorKind::throttled, "fewer requests"},
      {500, "", ErrorKind::unavailable, "failed"},
      {503, "invalid_client", ErrorKind::unavailable, "failed"},
      {504, "", ErrorKind::unavailable, "failed"},
      {405, "", ErrorKind::configuration, "COGNITO_URL_PREFIX"},
      {404, "", ErrorKind::configuration, "COGNITO_URL_PREFIX"},
      {302, "", ErrorKind::configuration, "COGNITO_URL_PREFIX"},
      {204, "", ErrorKind::configuration, "COGNITO_URL_PREFIX"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.status);
    CAPTURE(c.code);
    const Error error = refusal(c.status, R"({"error":")" + std::string(c.code) + "\"}");
    CHECK(error.kind == c.kind);
    CHECK(error.message.find(c.advice) != std::string::npos);
    CHECK(error.http_status == c.status);
    CHECK(error.service_code == c.code);
    // The status alone suffices where the body is none.
    if (*c.code == '\0') CHECK(refusal(c.status, "<html>").kind == c.kind);
  }
}

TEST_CASE("a refusal carries the request id and the wait that is asked for") {
  Response response{.status = 429};
  response.headers.add("X-Amz-Cognito-Request-Id", "r1");
  response.headers.add("Retry-After", "7");
  const Error error = refusal(response);
  CHECK(error.request_id == "r1");
  CHECK(error.retry_after == seconds(7));
}

TEST_CASE("an endpoint that repeats what it got brings no secret into an error") {
  for (const char* body : {R"({"error":"hunter2"})", R"({"error":"bad secret: hunter2"})",
                           R"({"error":"invalid_request","error_description":"hunter2"})", "hunter2",
                           R"({"error":"Basic Y2xpZW50Omh1bnRlcjI="})"}) {
    const Error error = refusal(400, body);
    CHECK(error.kind == ErrorKind::configuration);
    CHECK(error.describe().find("Y2xpZW50") == std::string::npos);
  }
  CHECK(refusal(400, R"({"error":")" + std::string(41, 'a') + "\"}").service_code.empty());
}
