#include <doctest/doctest.h>
#include <support/credentials.hpp>

#include <chrono>
#include <string>

#include <dmq/auth/assume_role.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::ErrorKind;
using dmq::Secret;
using dmq::auth::Credentials;
using dmq::auth::RoleTaker;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;
namespace sts = dmq::auth::sts;

namespace {

const Credentials key{"AKID", Secret("hunter1"), Secret("hunter0")};
const sts::Role role{.arn = "r", .session_name = "s", .external_id = "x"};

auto assume(RoleTaker& taker, ScriptedTransport& transport) {
  return taker.assume(role, "https://sts.eu-central-1.amazonaws.com/", key, transport, ManualClock::default_start, {});
}

dmq::http::Response late(const char* date) {
  dmq::http::Response response{.status = 403, .body = support::sts_error("SignatureDoesNotMatch")};
  response.headers.add("Date", date);
  return response;
}

}  // namespace

TEST_CASE("a role is taken on with a request that is signed for STS") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = support::sts_keys("AssumeRole")});
  RoleTaker taker("eu-central-1");
  const auto keys = assume(taker, transport).value();
  CHECK(keys.value.access_key_id == "ASIA");
  CHECK(keys.lifetime == std::chrono::hours(1));
  const auto request = transport.requests().front();
  CHECK(request.body == "Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s&ExternalId=x");
  CHECK(request.headers.get("X-Amz-Security-Token") == "hunter0");
  dmq::http::Request ours = request;
  REQUIRE(dmq::auth::sign(
      ours, key,
      dmq::auth::signing_key(key.secret_access_key, "20260101", {.region = "eu-central-1", .service = "sts"}),
      {.region = "eu-central-1", .service = "sts"}, ManualClock::default_start.wall));
  CHECK(request.headers.get("Authorization") == ours.headers.get("Authorization"));
  CHECK(request.headers.get("Authorization")
            .starts_with("AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-central-1/sts/aws4_request, "));
}

TEST_CASE("a clock that is wrong is corrected, the request signed anew once, and the correction kept") {
  ScriptedTransport transport;
  transport.reply(late("Thu, 01 Jan 2026 02:00:00 GMT"))
      .reply({.status = 200, .body = support::sts_keys("AssumeRole")})
      .reply({.status = 200, .body = support::sts_keys("AssumeRole")});
  RoleTaker taker("eu-central-1");
  CHECK(assume(taker, transport).has_value());
  CHECK(assume(taker, transport).has_value());
  const auto requests = transport.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].headers.get("X-Amz-Date") == "20260101T000000Z");
  CHECK(requests[1].headers.get("X-Amz-Date") == "20260101T020000Z");
  CHECK(requests[2].headers.get("X-Amz-Date") == "20260101T020000Z");
}

TEST_CASE("a signature that is wrong with the right clock is an error, and so is a clock that stays wrong") {
  ScriptedTransport transport;
  transport.reply(late("Thu, 01 Jan 2026 00:00:01 GMT"));
  RoleTaker taker("eu-central-1");
  const auto keys = assume(taker, transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::configuration);
  CHECK(keys.error().service_code == "SignatureDoesNotMatch");
  CHECK_FALSE(support::holds_secret(keys.error().describe()));
  CHECK(transport.count() == 1);

  ScriptedTransport stubborn;
  stubborn.otherwise([](const auto&) { return late("Thu, 01 Jan 2026 02:00:00 GMT"); });
  CHECK_FALSE(assume(taker, stubborn));
  CHECK(stubborn.count() == 2);
}

TEST_CASE("an error of the transport is passed on") {
  ScriptedTransport transport;
  transport.reply(dmq::Error{.kind = ErrorKind::network, .message = "no route"});
  RoleTaker taker("eu-central-1");
  CHECK(assume(taker, transport).error().kind == ErrorKind::network);
}
