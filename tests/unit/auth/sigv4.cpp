#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <dmq/auth/sigv4.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::ErrorKind;
using dmq::Instant;
using dmq::Secret;
using dmq::auth::Credentials;
using dmq::auth::SigningScope;
using dmq::auth::SigV4;
using dmq::auth::StaticCredentials;
using dmq::auth::Verdict;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::ManualClock;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const SigningScope scope{.region = "us-east-1", .service = "sqs"};

SigV4<StaticCredentials> signer() {
  return {StaticCredentials(Credentials{}), scope};
}

Credentials key(std::string id = "AKID", std::string secret = "hunter2", std::string token = "") {
  return {std::move(id), Secret(secret), Secret(token)};
}

Request request() {
  Request request{.method = dmq::http::Method::post, .url = "https://sqs.us-east-1.amazonaws.com/", .body = "{}"};
  request.headers.add("Content-Type", "application/x-amz-json-1.0");
  return request;
}

/// What the authority makes of a request at this time.
std::string date_of(SigV4<StaticCredentials>& authority, Instant now) {
  Request r = request();
  REQUIRE(authority.authorize(r, key(), now));
  return std::string(r.headers.get("X-Amz-Date"));
}

Instant at(dmq::WallTime wall) {
  return {wall, ManualClock::default_start.ticks + (wall - ManualClock::default_start.wall)};
}

const Instant noon{ManualClock::default_start.wall + hours(12), ManualClock::default_start.ticks + hours(12)};

Response refusal(const char* code, const char* date = nullptr, int status = 403) {
  Response response{.status = status, .body = "{\"__type\":\"com.amazon.coral.service#" + std::string(code) + "\"}"};
  if (date != nullptr) response.headers.add("Date", date);
  return response;
}

}  // namespace

TEST_CASE("signing adds three fields and takes old ones away") {
  Request r = request();
  r.headers.add("authorization", "old");
  r.headers.add("x-amz-date", "old");
  r.headers.add("x-amz-security-token", "old");
  auto authority = signer();
  REQUIRE(authority.authorize(r, key("AKID", "hunter2", "token"), noon));
  CHECK(r.headers.size() == 4);
  CHECK(r.headers.get("X-Amz-Date") == "20260101T120000Z");
  CHECK(r.headers.get("X-Amz-Security-Token") == "token");
  CHECK(r.headers.get("Authorization")
            .starts_with("AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/sqs/aws4_request, "
                         "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="));
  REQUIRE(authority.authorize(r, key(), noon));
  CHECK(r.headers.size() == 3);
  CHECK_FALSE(r.headers.find("X-Amz-Security-Token"));
  CHECK(r.headers.get("Authorization").find("SignedHeaders=content-type;host;x-amz-date, ") != std::string::npos);
}

TEST_CASE("a URL that can't be signed is refused") {
  Request r = request();
  r.url = "sqs";
  auto authority = signer();
  const auto ok = authority.authorize(r, key(), noon);
  REQUIRE_FALSE(ok);
  CHECK(ok.error().kind == ErrorKind::invalid_argument);
  CHECK(ok.error().delivery == dmq::DeliveryState::not_sent);
}

TEST_CASE("the derived key follows the day, the key and its secret") {
  auto authority = signer();
  const auto check = [&](const Credentials& credentials, Instant now) {
    Request ours = request();
    REQUIRE(authority.authorize(ours, credentials, now));
    Request plain = request();
    const std::string day = dmq::encoding::amz_date(now.wall).substr(0, 8);
    REQUIRE(
        sign(plain, credentials, dmq::auth::signing_key(credentials.secret_access_key, day, scope), scope, now.wall));
    CHECK(ours.headers.get("Authorization") == plain.headers.get("Authorization"));
  };
  check(key(), noon);
  check(key(), noon);
  check(key(), noon + hours(12) + seconds(-1));
  check(key(), noon + hours(12));
  check(key("AKID", "other"), noon + hours(12));
  check(key("AKID2", "other"), noon + hours(12));
  check(key(), noon);
}

TEST_CASE("a wrong clock is learnt from Date, and corrects every signature from then on") {
  auto authority = signer();
  CHECK(date_of(authority, noon) == "20260101T120000Z");
  const Response late = refusal("InvalidSignatureException", "Thu, 01 Jan 2026 13:00:00 GMT");
  CHECK(authority.verdict(late, noon) == Verdict::skew);
  CHECK(date_of(authority, noon) == "20260101T130000Z");
  CHECK(date_of(authority, noon + minutes(5)) == "20260101T130500Z");
  // The day of the key is the service's.
  CHECK(date_of(authority, noon + hours(11)) == "20260102T000000Z");
}

TEST_CASE("each code that may stand for a wrong clock is compared with Date") {
  for (const char* code : {"InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed",
                           "RequestExpired", "RequestInTheFuture"})
    for (const int status : {400, 401, 403}) {
      auto authority = signer();
      CHECK_MESSAGE(authority.verdict(refusal(code, "Thu, 01 Jan 2026 11:55:00 GMT", status), noon) == Verdict::skew,
                    code);
      CHECK(date_of(authority, noon) == "20260101T115500Z");
    }
}

TEST_CASE("a clock that is right by four minutes is not the reason") {
  auto authority = signer();
  for (const char* date :
       {"Thu, 01 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 2026 12:03:59 GMT", "Thu, 01 Jan 2026 11:56:01 GMT"})
    CHECK_MESSAGE(authority.verdict(refusal("SignatureDoesNotMatch", date), noon) == Verdict::ok, date);
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 12:04:00 GMT"), noon) == Verdict::skew);
}

TEST_CASE("no Date, an odd Date and one a day away are not believed") {
  auto authority = signer();
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch"), noon) == Verdict::ok);
  for (const char* date : {"", "yesterday", "Fri, 02 Jan 2026 12:00:01 GMT", "Wed, 31 Dec 2025 11:59:59 GMT",
                           "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"})
    CHECK_MESSAGE(authority.verdict(refusal("SignatureDoesNotMatch", date), noon) == Verdict::ok, date);
  CHECK(date_of(authority, noon) == "20260101T120000Z");
}

TEST_CASE("what was signed by the old time while another request corrected the clock is signed again, too") {
  auto authority = signer();
  const Response late = refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 13:00:00 GMT");
  CHECK(authority.verdict(late, noon) == Verdict::skew);
  CHECK(authority.verdict(late, noon + seconds(1)) == Verdict::skew);
  CHECK(date_of(authority, noon) == "20260101T130000Z");
  // Later the same answer means that the signature is wrong for another reason.
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 13:02:00 GMT"), noon + minutes(2)) ==
        Verdict::ok);
}

TEST_CASE("a clock that is put right afterwards is learnt again") {
  auto authority = signer();
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 13:00:00 GMT"), noon) == Verdict::skew);
  const Instant corrected = at(noon.wall + hours(1) + minutes(10));
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 13:10:00 GMT"), corrected) ==
        Verdict::skew);
  CHECK(date_of(authority, corrected) == "20260101T131000Z");
}

TEST_CASE("an expired session token makes the credentials stale") {
  auto authority = signer();
  CHECK(authority.verdict(refusal("ExpiredTokenException"), noon) == Verdict::stale_value);
  CHECK(authority.verdict(refusal("ExpiredToken", nullptr, 400), noon) == Verdict::stale_value);
}

TEST_CASE("other answers are for the operation to read") {
  auto authority = signer();
  CHECK(authority.verdict({.status = 200, .body = "ExpiredToken SignatureDoesNotMatch"}, noon) == Verdict::ok);
  CHECK(authority.verdict(refusal("AccessDeniedException", "Thu, 01 Jan 2026 13:00:00 GMT"), noon) == Verdict::ok);
  CHECK(authority.verdict(refusal("SignatureDoesNotMatch", "Thu, 01 Jan 2026 13:00:00 GMT", 500), noon) == Verdict::ok);
}

TEST_CASE("credentials come from the source and are fetched five minutes ahead of their end") {
  dmq::testing::ScriptedTransport transport;
  SigV4<StaticCredentials> authority(StaticCredentials(key()), scope);
  CHECK(authority.fetch(transport, noon, {}).value().value.access_key_id == "AKID");
  CHECK(authority.refresh_policy().ahead == minutes(5));
  CHECK(authority.refresh_policy().if_refused.find("access key") != std::string_view::npos);
}
