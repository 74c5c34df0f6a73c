#include <dmq/testing/gateway_authorizer.hpp>

#include <doctest/doctest.h>

#include <string>

#include <dmq/testing/manual_clock.hpp>
#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::AuthorizerOptions;
using dmq::testing::CognitoModel;
using dmq::testing::GatewayAuthorizer;
using Verdict = GatewayAuthorizer::Verdict;
namespace http = dmq::http;

namespace {

struct Bench {
  CognitoModel cognito{{.issuer = "https://issuer.test/pool"}, support::signing_key(), 1};
  GatewayAuthorizer authorizer{&support::parse};
  AuthorizerOptions options{};
  dmq::Instant now = dmq::testing::ManualClock::default_start;

  Bench() { CHECK(cognito.add_client({})); }

  std::string token() {
    http::Request request{
        .method = http::Method::post,
        .url = "http://cloud.test/oauth2/token",
        .body = "grant_type=client_credentials&client_id=local-client&client_secret=local-client-secret"};
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    const auto response = cognito.handle(request, http::Url::parse(request.url).value(), now).value();
    return std::string(support::Json(response.body)["access_token"].string().value());
  }
  Verdict check(const std::string& presented) { return authorizer.check(presented, options, cognito, now); }
};

}  // namespace

TEST_CASE("tokens of an old key are accepted until it is dropped") {
  Bench bench;
  const std::string old_token = bench.token();
  const std::string old_key = bench.cognito.signing_key().id;
  bench.cognito.rotate_key();
  const std::string new_token = bench.token();
  CHECK(bench.check(old_token) == Verdict::accepted);
  CHECK(bench.check(new_token) == Verdict::accepted);
  CHECK(bench.cognito.retire_key(old_key));
  CHECK(bench.check(old_token) == Verdict::refused);
  CHECK(bench.check(new_token) == Verdict::accepted);
}

TEST_CASE("by default a revocation counts at once") {
  Bench bench;
  const std::string token = bench.token();
  CHECK(bench.check(token) == Verdict::accepted);
  bench.cognito.revoke_tokens();
  CHECK(bench.check(token) == Verdict::refused);
}

TEST_CASE("a token that is known stays accepted after its revocation, until it is forgotten") {
  Bench bench;
  bench.options.cache_lifetime = 300s;
  const std::string known = bench.token();
  const std::string unknown = bench.token();
  CHECK(bench.check(known) == Verdict::accepted);
  bench.cognito.revoke_tokens();
  CHECK(bench.check(unknown) == Verdict::refused);
  bench.now = bench.now + 299s;
  CHECK(bench.check(known) == Verdict::accepted);
  SUBCASE("being used does not prolong it") {
    bench.now = bench.now + 1s;
    CHECK(bench.check(known) == Verdict::refused);
  }
  SUBCASE("others that come do not end it") {
    CHECK(bench.check(bench.token()) == Verdict::accepted);
    CHECK(bench.check(known) == Verdict::accepted);
  }
}

TEST_CASE("a known token is refused when it has expired, and when the method asks for another scope") {
  Bench bench;
  bench.options.cache_lifetime = 3600s;
  const std::string token = bench.token();
  bench.now = bench.now + 3000s;
  CHECK(bench.check(token) == Verdict::accepted);
  bench.options.scopes = {"dmq/other"};
  CHECK(bench.check(token) == Verdict::refused);
  bench.options.scopes = {"dmq/publish"};
  bench.now = bench.now + 600s;
  CHECK(bench.check(token) == Verdict::expired);
}

TEST_CASE("a refusal is not kept") {
  Bench bench;
  bench.options = {.scopes = {"dmq/other"}, .cache_lifetime = 300s};
  const std::string token = bench.token();
  CHECK(bench.check(token) == Verdict::refused);
  bench.cognito.revoke_tokens();
  bench.options.scopes = {"dmq/publish"};
  CHECK(bench.check(token) == Verdict::refused);
}
