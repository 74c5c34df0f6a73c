#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/testing/transport_conformance.hpp>
#include <support/conformance_server.hpp>

using support::ConformanceServer;

namespace {

/// Breaks a rule: knows better than its caller what may be repeated.
struct Eager {
  dmq::http::CurlTransport transport{};

  dmq::Result<dmq::http::Response> send(dmq::http::Request request, std::stop_token stop) {
    request.resend = dmq::http::Resend::allowed;
    return transport.send(request, stop);
  }
};

/// Breaks others: does not hear its caller.
struct Deaf {
  dmq::http::CurlTransport transport{};

  dmq::Result<dmq::http::Response> send(dmq::http::Request request, std::stop_token) {
    request.timeout = std::min<dmq::Duration>(request.timeout, std::chrono::seconds(2));
    return transport.send(request);
  }
};

}  // namespace

TEST_CASE("CurlTransport conforms to HttpTransport") {
  ConformanceServer server;
  dmq::http::CurlTransport transport;
  for (const std::string& rule : dmq::testing::check_transport(transport, server.origin())) FAIL_CHECK(rule);
}

TEST_CASE("the conformance suite tells of broken rules") {
  ConformanceServer server;
  Eager eager;
  CHECK(dmq::testing::check_transport(eager, server.origin()) ==
        std::vector<std::string>{"a request is sent once unless resend is allowed"});
  Deaf deaf;
  CHECK(dmq::testing::check_transport(deaf, server.origin()) ==
        std::vector<std::string>{"a stop under way is cancelled, unknown", "a stop ends the request at once",
                                 "a stop before the start is cancelled, not_sent",
                                 "a stop before the start sends nothing"});
}
