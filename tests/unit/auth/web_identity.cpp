#include <doctest/doctest.h>
#include <support/credentials.hpp>
#include <support/temporary_directory.hpp>

#include <string>

#include <dmq/auth/web_identity.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::ErrorKind;
using dmq::auth::WebIdentityCredentials;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;

namespace {
constexpr const char* action = "AssumeRoleWithWebIdentity";
}

TEST_CASE("a token from the file, as it then is, is changed for keys without a signature") {
  const support::TemporaryDirectory directory;
  const std::string file = directory.write("token", "hunter4\n");
  const WebIdentityCredentials source("https://sts/", {.arn = "r", .session_name = "s"}, file);
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = support::sts_keys(action)});
  transport.reply({.status = 200, .body = support::sts_keys(action)});
  const auto keys = source.fetch(transport, ManualClock::default_start, {}).value();
  CHECK(keys.value.access_key_id == "ASIA");
  CHECK(keys.lifetime == std::chrono::hours(1));
  directory.write("token", "hunter5");
  CHECK(source.fetch(transport, ManualClock::default_start, {}).has_value());
  const auto requests = transport.requests();
  CHECK(requests[0].url == "https://sts/");
  CHECK(requests[0].body ==
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=r&RoleSessionName=s&WebIdentityToken=hunter4");
  CHECK(requests[1].body.ends_with("WebIdentityToken=hunter5"));
  CHECK_FALSE(requests[0].headers.find("Authorization"));
}

TEST_CASE("a token file that is not there, or empty, is named") {
  const support::TemporaryDirectory directory;
  for (const std::string& path : {directory.path("absent"), directory.write("empty", " \n"), directory.path()}) {
    ScriptedTransport transport;
    const auto keys = WebIdentityCredentials("https://sts/", {}, path).fetch(transport, ManualClock::default_start, {});
    REQUIRE_FALSE(keys);
    CHECK(keys.error().kind == ErrorKind::configuration);
    CHECK(keys.error().message.find(path) != std::string::npos);
    CHECK(transport.count() == 0);
  }
}

TEST_CASE("refusals of STS and errors of the transport are passed on, without the token") {
  const support::TemporaryDirectory directory;
  const WebIdentityCredentials source("https://sts/", {.arn = "r"}, directory.write("token", "hunter4"));
  ScriptedTransport transport;
  transport.reply({.status = 400, .body = support::sts_error("ExpiredTokenException")})
      .reply({.status = 200, .body = support::sts_keys("AssumeRole")})
      .reply(dmq::Error{.kind = ErrorKind::timeout, .message = "slow"});
  for (const ErrorKind kind : {ErrorKind::configuration, ErrorKind::protocol, ErrorKind::timeout}) {
    const auto keys = source.fetch(transport, ManualClock::default_start, {});
    REQUIRE_FALSE(keys);
    CHECK(keys.error().kind == kind);
    CHECK_FALSE(support::holds_secret(keys.error().describe()));
  }
}
