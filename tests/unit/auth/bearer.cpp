#include <doctest/doctest.h>

#include <string>

#include <dmq/auth/bearer.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Result;
using dmq::Secret;
using dmq::auth::Bearer;
using dmq::auth::Fetched;
using dmq::auth::TokenScheme;
using dmq::auth::Verdict;
using dmq::http::Request;
using dmq::http::Response;
using dmq::testing::ScriptedTransport;

namespace {

struct Grant {
  bool broken = false;

  Result<Request> request() const {
    if (broken) return dmq::configuration_error("no URL");
    return Request{.url = "https://tokens/"};
  }
  Result<Fetched<Secret>> parse(const Response& response, Instant) const {
    return Fetched<Secret>{Secret(response.body), std::chrono::hours(1)};
  }
};

}  // namespace

TEST_CASE("a token goes into one Authorization field, behind its scheme or alone") {
  Request request;
  request.headers.add("authorization", "old");
  CHECK(Bearer(Grant{}).authorize(request, Secret("abc"), {}).has_value());
  CHECK(request.headers.size() == 1);
  CHECK(request.headers.get("Authorization") == "Bearer abc");
  CHECK(Bearer(Grant{}, TokenScheme::raw).authorize(request, Secret("abc"), {}).has_value());
  CHECK(request.headers.size() == 1);
  CHECK(request.headers.get("Authorization") == "abc");
}

TEST_CASE("headers have 10,240 bytes at most, with what the transport adds, and the refusal shows no token") {
  Request request{.url = "https://example.com/v1"};
  // "Authorization: Bearer " and CR LF are 24 bytes; the URL has 22, and 128 are kept for the transport.
  constexpr std::size_t room = 10240 - 24 - 22 - 128;
  CHECK(Bearer(Grant{}).authorize(request, Secret(std::string(room, 't')), {}).has_value());
  const auto ok = Bearer(Grant{}).authorize(request, Secret(std::string(room + 1, 't')), {});
  REQUIRE_FALSE(ok);
  CHECK(ok.error().kind == ErrorKind::invalid_argument);
  CHECK(ok.error().delivery == dmq::DeliveryState::not_sent);
  CHECK(ok.error().message == "the headers have 10241 bytes with the token; the gateway takes 10240");
}

TEST_CASE("only 401 speaks against a token") {
  const Bearer bearer{Grant{}};
  CHECK(bearer.verdict({.status = 401}, {}) == Verdict::stale_value);
  for (const int status : {200, 302, 400, 403, 429, 500, 504})
    CHECK(bearer.verdict({.status = status}, {}) == Verdict::ok);
}

TEST_CASE("a token is fetched with the grant's request and read by the grant") {
  ScriptedTransport transport;
  transport.reply(Response{.status = 200, .body = "abc"});
  Bearer bearer{Grant{}};
  const auto fetched = bearer.fetch(transport, {}, {});
  REQUIRE(fetched);
  CHECK(fetched->value.reveal() == "abc");
  CHECK(transport.requests().at(0).url == "https://tokens/");
}

TEST_CASE("the errors of the grant and of the transport are those of the fetch") {
  ScriptedTransport transport;
  transport.reply(Error{.kind = ErrorKind::network, .message = "down"});
  CHECK(Bearer(Grant{}).fetch(transport, {}, {}).error().kind == ErrorKind::network);
  CHECK(Bearer(Grant{.broken = true}).fetch(transport, {}, {}).error().kind == ErrorKind::configuration);
  CHECK(transport.count() == 1);
}

TEST_CASE("what to check when fresh tokens are refused, is said") {
  const auto policy = Bearer(Grant{}).refresh_policy();
  CHECK(policy.if_refused.find("scope") != std::string_view::npos);
  CHECK(policy.if_refused.find("id tokens") != std::string_view::npos);
  CHECK(policy.unusable == std::chrono::seconds(30));
}
