#include <dmq/testing/cognito_model.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/base64.hpp>
#include <dmq/testing/jwt.hpp>
#include <dmq/testing/signing_keys.hpp>
#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::Jwt;
using support::Cloud;
using support::Json;
namespace http = dmq::http;

namespace {

http::Request token_request(std::string form) {
  http::Request request{.method = http::Method::post, .url = "http://cloud.test/oauth2/token", .body = std::move(form)};
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  return request;
}

const std::string client = "grant_type=client_credentials&client_id=local-client&client_secret=local-client-secret";

Cloud with_clients() {
  auto options = support::unsigned_options();
  options.clients.push_back({.id = "two", .secret = "s:+/ =", .scopes = {"rs/a", "rs/b"}, .token_lifetime = 300s});
  options.clients.push_back({.id = "off", .secret = "off", .flows = dmq::testing::OAuthFlows::disabled});
  return Cloud(std::move(options));
}

std::string error_of(const http::Response& response) {
  CHECK(response.status == 400);
  return std::string(Json(response.body)["error"].string().value_or(""));
}

Json claims_of(const http::Response& response) {
  CHECK(response.status == 200);
  return Json(Jwt::parse(Json(response.body)["access_token"].string().value())->claims);
}

http::Request get(std::string_view path) {
  return {.url = std::string(Cloud::origin) + std::string(path)};
}

/// Made once, like the one of the tests.
const dmq::testing::RsaKey& another_key() {
  static const auto key = dmq::testing::RsaKey::generate();
  return key;
}

}  // namespace

TEST_CASE("a token is a real JWT with exactly the claims of a machine") {
  Cloud cloud = with_clients();
  cloud.now = cloud.now + 250ms;
  const auto response = cloud.answer(token_request(client));
  CHECK(response.status == 200);
  const Json json(response.body);
  CHECK(json["token_type"].string() == "Bearer");
  CHECK(json["expires_in"].integer() == 3600);
  const auto jwt = Jwt::parse(json["access_token"].string().value());
  REQUIRE(jwt);
  CHECK(support::signing_key().verify(jwt->signed_text, jwt->signature));
  CHECK_FALSE(support::signing_key().verify(jwt->signed_text + "x", jwt->signature));

  const Json header(jwt->header);
  CHECK(header["alg"].string() == "RS256");
  CHECK(header["kid"].string() == dmq::testing::key_id(support::signing_key()));
  const Json claims(jwt->claims);
  CHECK(claims.size() == 10);
  CHECK(claims["sub"].string() == "local-client");
  CHECK(claims["client_id"].string() == "local-client");
  CHECK(claims["token_use"].string() == "access");
  CHECK(claims["scope"].string() == "dmq/publish");
  CHECK(claims["iss"].string() == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_LocalCloud");
  CHECK(claims["version"].integer() == 2);
  CHECK(claims["jti"].string()->size() == 36);
  for (const char* instant : {"iat", "auth_time"}) CHECK(claims[instant].integer() == 1'767'225'600);
  CHECK(claims["exp"].integer() == 1'767'225'600 + 3600);
}

TEST_CASE("the key set has the key that signs") {
  Cloud cloud;
  const Json json(cloud.answer({.url = "http://cloud.test/.well-known/jwks.json"}).body);
  CHECK(json["keys"].size() == 1);
  const auto key = *json["keys"].begin();
  CHECK(key["kid"].string() == dmq::testing::key_id(support::signing_key()));
  CHECK(key["alg"].string() == "RS256");
  CHECK(key["use"].string() == "sig");
  CHECK(key["kty"].string() == "RSA");
  CHECK(key["e"].string() == "AQAB");
  const auto modulus = dmq::encoding::base64_decode(key["n"].string().value(), dmq::encoding::Base64::url);
  CHECK(modulus->size() == 256);
  CHECK(*modulus == support::signing_key().modulus());
}

TEST_CASE("a client may show itself in the header, and ask for some of its scopes") {
  Cloud cloud = with_clients();
  const auto scopes = [&](const std::string& form) {
    auto request = token_request("grant_type=client_credentials" + form);
    request.headers.add("Authorization", "Basic " + dmq::encoding::base64_encode("two:s:+/ ="));
    const Json json(cloud.answer(request).body);
    CHECK(json["expires_in"].integer() == 300);
    return std::string(Json(Jwt::parse(json["access_token"].string().value())->claims)["scope"].string().value());
  };
  CHECK(scopes("") == "rs/a rs/b");
  CHECK(scopes("&scope=rs%2Fb") == "rs/b");
  CHECK(scopes("&scope=rs/b+rs/a&client_id=two") == "rs/b rs/a");
  const auto by_form =
      cloud.answer(token_request("grant_type=client_credentials&client_id=two&client_secret=s%3A%2B%2F+%3D"));
  CHECK(by_form.status == 200);
}

TEST_CASE("token errors") {
  Cloud cloud = with_clients();
  const auto error = [&](std::string form) { return error_of(cloud.answer(token_request(std::move(form)))); };
  CHECK(error("grant_type=client_credentials&client_id=local-client&client_secret=wrong") == "invalid_client");
  CHECK(error("grant_type=client_credentials&client_id=local-client") == "invalid_client");
  CHECK(error("grant_type=client_credentials&client_id=nobody&client_secret=x") == "invalid_client");
  CHECK(error("grant_type=client_credentials") == "invalid_request");
  CHECK(error("client_id=local-client&client_secret=local-client-secret") == "invalid_request");
  CHECK(error("grant_type=magic&client_id=local-client&client_secret=local-client-secret") == "unsupported_grant_type");
  CHECK(error("grant_type=refresh_token&client_id=local-client&client_secret=local-client-secret") ==
        "unauthorized_client");
  CHECK(error("grant_type=authorization_code&client_id=local-client&client_secret=local-client-secret") ==
        "unauthorized_client");
  CHECK(error("grant_type=client_credentials&client_id=off&client_secret=off") == "invalid_grant");
  CHECK(error(client + "&scope=dmq/publish+other") == "invalid_scope");
  CHECK(error(client + "&scope=dmq/publish&scope=dmq/publish") == "invalid_request");
  CHECK(error(client + "&scope=%zz") == "invalid_request");

  auto untyped = token_request(client);
  untyped.headers.remove("Content-Type");
  CHECK(error_of(cloud.answer(untyped)) == "invalid_request");
  auto contradicting = token_request(client);
  contradicting.headers.add("Authorization", "Basic " + dmq::encoding::base64_encode("two:s:+/ ="));
  CHECK(error_of(cloud.answer(contradicting)) == "invalid_request");
  for (const char* header : {"Bearer abc", "Basic ?", "Basic bm8gY29sb24="}) {
    CAPTURE(header);
    auto unreadable = token_request("grant_type=client_credentials");
    unreadable.headers.add("Authorization", header);
    CHECK(error_of(cloud.answer(unreadable)) == "invalid_request");
  }
  auto wrong_method = token_request(client);
  wrong_method.method = http::Method::get;
  CHECK(cloud.answer(wrong_method).status == 405);
  CHECK(cloud.model.token_requests() == 18);
}

TEST_CASE("metadata may come with a request and changes nothing") {
  Cloud cloud = with_clients();
  CHECK(claims_of(cloud.answer(token_request(client + "&aws_client_metadata=%7B%22a%22%3A%22b%22%7D"))).size() == 10);
}

TEST_CASE("two secrets count while one takes the place of the other") {
  Cloud cloud;
  CHECK(cloud.model.add_client({.id = "moving", .secret = "old", .second_secret = "new"}));
  const auto status = [&](std::string_view secret) {
    return cloud
        .answer(token_request("grant_type=client_credentials&client_id=moving&client_secret=" + std::string(secret)))
        .status;
  };
  CHECK(status("old") == 200);
  CHECK(status("new") == 200);
  CHECK(status("") == 400);
  CHECK(cloud.model.add_client({.id = "moving", .secret = "new"}));
  CHECK(status("old") == 400);
  CHECK(status("new") == 200);
}

TEST_CASE("an app client has to be one that Cognito would make") {
  Cloud cloud;
  const auto kind = [&](dmq::testing::AppClient added) {
    const auto result = cloud.model.add_client(std::move(added));
    return result ? std::nullopt : std::optional(result.error().kind);
  };
  CHECK(kind({.token_lifetime = 300s}) == std::nullopt);
  CHECK(kind({.token_lifetime = 24h}) == std::nullopt);
  CHECK(kind({.token_lifetime = 299s}) == dmq::ErrorKind::invalid_argument);
  CHECK(kind({.token_lifetime = 24h + 1s}) == dmq::ErrorKind::invalid_argument);
  CHECK(kind({.id = ""}) == dmq::ErrorKind::invalid_argument);
  CHECK(kind({.id = "a:b"}) == dmq::ErrorKind::invalid_argument);
  CHECK(kind({.secret = ""}) == dmq::ErrorKind::invalid_argument);
  cloud.model.cognito().options.resource_servers = {{.id = "https://api.test/v1", .scopes = {"read"}}};
  CHECK(kind({.scopes = {"https://api.test/v1/read"}}) == std::nullopt);
  CHECK(kind({.scopes = {"https://api.test/v1/write"}}) == dmq::ErrorKind::invalid_argument);
  CHECK(kind({.scopes = {"read"}}) == dmq::ErrorKind::invalid_argument);
}

TEST_CASE("scopes have to be defined by a resource server and allowed to the client") {
  auto options = support::unsigned_options();
  options.cognito.resource_servers = {{.id = "rs", .scopes = {"a", "b", "c"}}, {}};
  options.clients.push_back({.id = "ab", .secret = "s", .scopes = {"rs/a", "rs/b"}});
  Cloud cloud(options);
  const auto ask = [&](std::string_view scope) {
    return cloud.answer(
        token_request("grant_type=client_credentials&client_id=ab&client_secret=s&scope=" + std::string(scope)));
  };
  CHECK(claims_of(ask("rs/b"))["scope"].string() == "rs/b");
  CHECK(error_of(ask("rs/a+rs/c")) == "invalid_scope");
  CHECK(error_of(ask("rs/d")) == "invalid_scope");

  SUBCASE("or, as another page has it, the disallowed ones are ignored") {
    cloud.model.cognito().options.disallowed = dmq::testing::DisallowedScope::ignored;
    CHECK(claims_of(ask("rs/a+rs/c"))["scope"].string() == "rs/a");
    CHECK(error_of(ask("rs/c")) == "invalid_scope");
    CHECK(error_of(ask("rs/a+rs/d")) == "invalid_scope");
  }
  SUBCASE("one that is no longer defined is no longer granted") {
    cloud.model.cognito().options.resource_servers[0].scopes = {"b"};
    CHECK(claims_of(ask(""))["scope"].string() == "rs/b");
    CHECK(error_of(ask("rs/a")) == "invalid_scope");
  }
}

TEST_CASE("the token endpoint has a rate and a burst") {
  Cloud cloud;
  cloud.model.cognito().options.rate = {.per_second = 10, .burst = 2};
  const auto status = [&] { return cloud.answer(token_request(client)).status; };
  CHECK(status() == 200);
  CHECK(status() == 200);
  const auto refused = cloud.answer(token_request(client));
  CHECK(refused.status == 429);
  CHECK(Json(refused.body)["error"].string() == "too_many_requests");
  cloud.now = cloud.now + 100ms;
  CHECK(status() == 200);
  CHECK(status() == 429);
}

TEST_CASE("a new key signs, and the key set lists both until the old one is dropped") {
  Cloud cloud;
  auto& cognito = cloud.model.cognito();
  const auto key_of = [&] {
    const auto jwt = Jwt::parse(Json(cloud.answer(token_request(client)).body)["access_token"].string().value());
    return std::string(Json(jwt->header)["kid"].string().value());
  };
  const auto listed = [&] { return Json(cloud.answer(get("/.well-known/jwks.json")).body)["keys"].size(); };
  const std::string old_key = key_of();
  const std::string new_key = cognito.rotate_key(another_key());
  CHECK(new_key == dmq::testing::key_id(another_key()));
  CHECK(new_key != old_key);
  CHECK(key_of() == new_key);
  CHECK(listed() == 2);
  CHECK_FALSE(cognito.retire_key(new_key));
  CHECK_FALSE(cognito.retire_key("none"));
  CHECK(cognito.retire_key(old_key));
  CHECK(listed() == 1);
  CHECK(cognito.find_key(old_key) == nullptr);
  CHECK(cognito.find_key(new_key) != nullptr);
}

TEST_CASE("the discovery document leads to the key set and the token endpoint") {
  Cloud cloud;
  for (const char* path :
       {"/.well-known/openid-configuration", "/us-east-1_LocalCloud/.well-known/openid-configuration"}) {
    const auto response = cloud.answer(get(path));
    CHECK(response.status == 200);
    const Json json(response.body);
    CHECK(json["issuer"].string() == "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_LocalCloud");
    CHECK(json["token_endpoint"].string() == "http://cloud.test/oauth2/token");
    CHECK(json["jwks_uri"].string() == "http://cloud.test/us-east-1_LocalCloud/.well-known/jwks.json");
    CHECK(json["token_endpoint_auth_methods_supported"].size() == 2);
  }
  CHECK(cloud.answer(get("/us-east-1_LocalCloud/.well-known/jwks.json")).body ==
        cloud.answer(get("/.well-known/jwks.json")).body);
  CHECK(cloud.answer(get("/.well-known/other")).status == 404);
  auto wrong_method = get("/.well-known/jwks.json");
  wrong_method.method = http::Method::post;
  CHECK(cloud.answer(wrong_method).status == 405);
}

TEST_CASE("the issuer may be an address that really answers") {
  auto options = support::unsigned_options();
  options.cognito.issuer = "http://cloud.test/pool_1";
  Cloud cloud(options);
  CHECK(claims_of(cloud.answer(token_request(client)))["iss"].string() == "http://cloud.test/pool_1");
  const Json json(cloud.answer(get("/pool_1/.well-known/openid-configuration")).body);
  CHECK(json["issuer"].string() == "http://cloud.test/pool_1");
  CHECK(json["jwks_uri"].string() == "http://cloud.test/pool_1/.well-known/jwks.json");
}
