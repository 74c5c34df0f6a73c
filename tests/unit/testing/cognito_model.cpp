#include <dmq/testing/cognito_model.hpp>

#include <doctest/doctest.h>

#include <set>
#include <string>

#include <dmq/encoding/base64.hpp>
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
  CHECK(header["kid"].string() == dmq::testing::CognitoModel::key_id);
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
  const auto key = *json["keys"].begin();
  CHECK(key["kid"].string() == dmq::testing::CognitoModel::key_id);
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
  CHECK(error("grant_type=client_credentials&client_id=off&client_secret=off") == "invalid_grant");
  CHECK(error(client + "&scope=dmq/publish+other") == "invalid_scope");

  auto untyped = token_request(client);
  untyped.headers.remove("Content-Type");
  CHECK(error_of(cloud.answer(untyped)) == "invalid_request");
  auto contradicting = token_request(client);
  contradicting.headers.add("Authorization", "Basic " + dmq::encoding::base64_encode("two:s:+/ ="));
  CHECK(error_of(cloud.answer(contradicting)) == "invalid_request");
  auto wrong_method = token_request(client);
  wrong_method.method = http::Method::get;
  CHECK(cloud.answer(wrong_method).status == 405);
  CHECK(cloud.model.token_requests() == 12);
}
