#include <doctest/doctest.h>
#include <support/credentials.hpp>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <dmq/auth/container_credentials.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::auth::ContainerCredentials;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;
using std::chrono::seconds;

namespace {

ContainerCredentials container(Environment::Values values, dmq::auth::Sleep sleep = support::no_sleep()) {
  return {Environment::of(std::move(values)), support::parse_json, std::move(sleep)};
}

const Environment::Values relative{{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/id?x=1"}};

std::string refused_request(Environment::Values values) {
  const auto request = container(std::move(values)).request();
  if (request) return "";
  CHECK(request.error().kind == ErrorKind::configuration);
  CHECK_FALSE(support::holds_secret(request.error().describe()));
  return request.error().message;
}

Error refusal(dmq::http::Response response) {
  ScriptedTransport transport;
  transport.otherwise([&](const auto&) { return response; });
  const auto keys = container(relative).fetch(transport, ManualClock::default_start, {});
  REQUIRE_FALSE(keys);
  CHECK_FALSE(support::holds_secret(keys.error().describe()));
  return keys.error();
}

}  // namespace

TEST_CASE("a relative URI is on the containers' address and comes before a full one") {
  Environment::Values values = relative;
  values["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "https://example.com/";
  const auto request = container(values).request().value();
  CHECK(request.url == "http://169.254.170.2/v2/credentials/id?x=1");
  CHECK_FALSE(request.headers.find("Authorization"));
  CHECK(container(values).present());
  CHECK_FALSE(container({}).present());
  for (const char* uri : {"v2", "@example.com/", "/a b"})
    CHECK_FALSE(refused_request({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", uri}}).empty());
}

TEST_CASE("without TLS a full URI leads to this machine or the containers' addresses only") {
  for (const char* host : {"https://example.com", "http://localhost:1", "http://127.0.0.1", "http://[::1]",
                           "http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]"})
    CHECK_MESSAGE(refused_request({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", std::string(host) + "/keys"}}).empty(), host);
  for (const char* host : {"http://example.com", "http://169.254.169.254", "http://169.254.170.3", "http://10.0.0.1",
                           "http://169.254.170.2.example.com", "http://[fd00:ec2::24]", "ftp://localhost", "keys"})
    CHECK_MESSAGE(refused_request({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", std::string(host) + "/keys"}})
                          .find("AWS_CONTAINER_CREDENTIALS_FULL_URI") == 0,
                  host);
}

TEST_CASE("the authorization goes out as it is, from the file before the variable, read anew each time") {
  const support::TemporaryDirectory directory;
  Environment::Values values = relative;
  values["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic hunter2";
  CHECK(container(values).request().value().headers.get("Authorization") == "Basic hunter2");
  values["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = directory.write("token", "hunter3");
  const ContainerCredentials source = container(values);
  CHECK(source.request().value().headers.get("Authorization") == "hunter3");
  directory.write("token", "hunter4");
  CHECK(source.request().value().headers.get("Authorization") == "hunter4");
}

TEST_CASE("an authorization that would begin another header, or is not there, is refused") {
  const support::TemporaryDirectory directory;
  for (const char* token : {"hunter2\r\nX: y", "hunter2\n", "\rhunter2"}) {
    Environment::Values values = relative;
    values["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token;
    CHECK(refused_request(values).starts_with("AWS_CONTAINER_AUTHORIZATION_TOKEN holds a line break"));
    values["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = directory.write("token", token);
    CHECK(refused_request(values).starts_with("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds a line break"));
  }
  Environment::Values values = relative;
  values["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = directory.path("absent");
  CHECK(refused_request(values).find(directory.path("absent")) != std::string::npos);
}

TEST_CASE("keys are read off the answer, and their lifetime by the service's clock") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = support::metadata_keys()});
  dmq::http::Response dated{.status = 200, .body = support::metadata_keys()};
  dated.headers.add("Date", "Thu, 01 Jan 2026 05:00:00 GMT");
  transport.reply(dated);
  const auto keys = container(relative).fetch(transport, ManualClock::default_start, {}).value();
  CHECK(keys.value.access_key_id == "ASIA");
  CHECK(keys.value.secret_access_key.reveal() == "hunter2");
  CHECK(keys.value.session_token.reveal() == "hunter3");
  CHECK(keys.lifetime == std::chrono::hours(6));
  CHECK(container(relative).fetch(transport, ManualClock::default_start, {}).value().lifetime == std::chrono::hours(1));
  CHECK(transport.requests().front().timeout == seconds(2));
}

TEST_CASE("a service in trouble is asked three times with a second between") {
  ScriptedTransport transport;
  transport.reply({.status = 500})
      .reply(Error{.kind = ErrorKind::timeout})
      .reply({.status = 200, .body = support::metadata_keys()});
  std::vector<dmq::Duration> pauses;
  const auto sleep = [&](dmq::Duration duration, std::stop_token) {
    pauses.push_back(duration);
    return true;
  };
  CHECK(container(relative, sleep).fetch(transport, ManualClock::default_start, {}).has_value());
  CHECK(pauses == std::vector<dmq::Duration>{seconds(1), seconds(1)});

  ScriptedTransport broken;
  broken.otherwise([](const auto&) { return Error{.kind = ErrorKind::network, .message = "no route"}; });
  const auto keys = container(relative).fetch(broken, ManualClock::default_start, {});
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::network);
  CHECK(broken.count() == 3);
}

TEST_CASE("a stop ends the pause between two tries") {
  ScriptedTransport transport;
  transport.otherwise([](const auto&) { return dmq::http::Response{.status = 500}; });
  const auto stopped = [](dmq::Duration, std::stop_token) { return false; };
  const auto keys = container(relative, stopped).fetch(transport, ManualClock::default_start, {});
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::cancelled);
  CHECK(transport.count() == 1);
}

TEST_CASE("each refusal and each broken answer has its kind") {
  CHECK(refusal({.status = 403, .body = "hunter2"}).kind == ErrorKind::configuration);
  CHECK(refusal({.status = 404}).http_status == 404);
  CHECK(refusal({.status = 429}).kind == ErrorKind::throttled);
  CHECK(refusal({.status = 503}).kind == ErrorKind::unavailable);
  for (const char* body : {"", "hunter2", R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"t"})",
                           R"({"AccessKeyId":"A","Token":"hunter2","Expiration":"2026-01-01T06:00:00Z"})",
                           R"({"AccessKeyId":"A","SecretAccessKey":"hunter2","Expiration":"hunter2"})"})
    CHECK_MESSAGE(refusal({.status = 200, .body = body}).kind == ErrorKind::protocol, body);
  const Error expired = refusal({.status = 200, .body = support::metadata_keys("2025-12-31T23:59:59Z")});
  CHECK(expired.kind == ErrorKind::protocol);
  CHECK(expired.message.find("have expired") != std::string::npos);
}
