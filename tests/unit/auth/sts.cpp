#include <doctest/doctest.h>
#include <support/credentials.hpp>

#include <chrono>
#include <string>

#include <dmq/auth/sts.hpp>

using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::auth::AwsSettings;
using dmq::http::PlainHttp;
using dmq::testing::ManualClock;
namespace sts = dmq::auth::sts;

namespace {

const sts::Role role{.arn = "arn:aws:iam::1:role/r"};

dmq::Result<std::string> endpoint(Environment::Values values, const std::string& region = "eu-central-1") {
  return sts::resolve_endpoint(AwsSettings::read(Environment::of(std::move(values))).value(), region,
                               PlainHttp::loopback_only);
}

auto parse(const dmq::http::Response& response) {
  auto keys = sts::parse("AssumeRole", response, role, ManualClock::default_start);
  if (!keys) CHECK_FALSE(support::holds_secret(keys.error().describe()));
  return keys;
}

Error refusal(int status, const std::string& body) {
  const auto keys = parse({.status = status, .body = body});
  REQUIRE_FALSE(keys);
  return keys.error();
}

}  // namespace

TEST_CASE("the endpoint is that of the region, or the one that is set") {
  CHECK(endpoint({}).value() == "https://sts.eu-central-1.amazonaws.com/");
  CHECK(endpoint({}, "cn-north-1").value() == "https://sts.cn-north-1.amazonaws.com.cn/");
  CHECK(endpoint({{"AWS_USE_FIPS_ENDPOINT", "true"}}).value() == "https://sts-fips.eu-central-1.amazonaws.com/");
  CHECK(endpoint({{"AWS_USE_FIPS_ENDPOINT", "true"}}, "us-gov-west-1").value() ==
        "https://sts.us-gov-west-1.amazonaws.com/");
  CHECK(endpoint({{"AWS_USE_DUALSTACK_ENDPOINT", "true"}}).value() == "https://sts.eu-central-1.api.aws/");
  CHECK(endpoint({{"AWS_ENDPOINT_URL_STS", "http://localhost:1/"}}).value() == "http://localhost:1/");
  CHECK(endpoint({{"AWS_ENDPOINT_URL", "http://localhost:2"}}, "").value() == "http://localhost:2/");
}

TEST_CASE("an endpoint that can't be used is named") {
  CHECK(endpoint({}, "").error().message.find("AWS_REGION") != std::string::npos);
  CHECK(endpoint({}, "evil.com/").error().kind == ErrorKind::configuration);
  const auto plain = endpoint({{"AWS_ENDPOINT_URL_STS", "http://example.com"}});
  REQUIRE_FALSE(plain);
  CHECK(plain.error().message.find("AWS_ENDPOINT_URL_STS") != std::string::npos);
  const auto path = endpoint({{"AWS_ENDPOINT_URL_STS", "https://proxy/sts"}});
  REQUIRE_FALSE(path);
  CHECK(path.error().message.ends_with("should have no path, like https://proxy"));
  CHECK(endpoint({{"AWS_USE_FIPS_ENDPOINT", "x"}}).error().kind == ErrorKind::configuration);
}

TEST_CASE("a request is a form with what is set of the role") {
  const auto plain = sts::request("AssumeRole", "https://h/", role, ManualClock::default_start.wall);
  CHECK(
      plain.body ==
      "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=dmq-1767225600");
  CHECK(plain.headers.get("Content-Type") == "application/x-www-form-urlencoded; charset=utf-8");
  CHECK(plain.timeout == std::chrono::seconds(10));
  const auto full = sts::request(
      "A", "https://h/", {.arn = "r", .session_name = "s", .external_id = "e&f", .duration_seconds = "900"}, {});
  CHECK(full.body == "Action=A&Version=2011-06-15&RoleArn=r&RoleSessionName=s&ExternalId=e%26f&DurationSeconds=900");
}

TEST_CASE("keys are read off the answer") {
  const auto keys = parse({.status = 200, .body = support::sts_keys("AssumeRole")}).value();
  CHECK(keys.value.access_key_id == "ASIA");
  CHECK(keys.value.secret_access_key.reveal() == "hunter2");
  CHECK(keys.value.session_token.reveal() == "hunter3");
  CHECK(keys.lifetime == std::chrono::hours(1));
}

TEST_CASE("an answer without usable keys is a protocol error") {
  const std::string good = support::sts_keys("AssumeRole");
  const auto without = [&](std::string_view name) {
    std::string body = good;
    const std::size_t at = body.find("<" + std::string(name) + ">");
    const std::size_t end = body.find("</" + std::string(name) + ">") + name.size() + 3;
    return body.erase(at, end - at);
  };
  for (const std::string& body :
       {std::string(), std::string("hunter2"), support::sts_keys("GetSessionToken"), good.substr(0, good.size() - 3),
        without("AccessKeyId"), without("SecretAccessKey"), without("SessionToken"), without("Expiration"),
        support::sts_keys("AssumeRole", "hunter2"), support::sts_keys("AssumeRole", "2026-01-01T00:00:00Z")})
    CHECK_MESSAGE(refusal(200, body).kind == ErrorKind::protocol, body);
}

TEST_CASE("each refusal of STS has its kind") {
  struct Case {
    int status;
    const char* code;
    ErrorKind kind;
  };
  const Case cases[] = {
      {403, "AccessDenied", ErrorKind::authorization},
      {400, "ExpiredTokenException", ErrorKind::configuration},
      {400, "InvalidIdentityToken", ErrorKind::configuration},
      {403, "IDPRejectedClaim", ErrorKind::configuration},
      {403, "InvalidClientTokenId", ErrorKind::configuration},
      {403, "SignatureDoesNotMatch", ErrorKind::configuration},
      {400, "ValidationError", ErrorKind::configuration},
      {400, "IDPCommunicationError", ErrorKind::unavailable},
      {400, "Throttling", ErrorKind::throttled},
      {500, "InternalFailure", ErrorKind::unavailable},
      {302, "", ErrorKind::configuration},
  };
  for (const Case& c : cases) {
    CAPTURE(c.code);
    const Error error = refusal(c.status, support::sts_error(c.code));
    CHECK(error.kind == c.kind);
    CHECK(error.service_code == c.code);
    CHECK(error.http_status == c.status);
  }
  CHECK(refusal(429, "").kind == ErrorKind::throttled);
  CHECK(refusal(503, "<html>").kind == ErrorKind::unavailable);
  CHECK(refusal(403, support::sts_error("AccessDenied")).message.find("arn:aws:iam::1:role/r") != std::string::npos);
}

TEST_CASE("what a service puts in place of a code brings no secret into an error") {
  CHECK(refusal(400, support::sts_error("bad token: hunter2")).service_code.empty());
  CHECK(refusal(400, support::sts_error(std::string(65, 'a'))).service_code.empty());
}
