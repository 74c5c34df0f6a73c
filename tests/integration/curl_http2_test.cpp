#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include <dmq/http/curl_transport.hpp>
#include <support/certificates.hpp>
#include <support/nghttpd.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::http::CurlTransport;
using dmq::http::HttpVersion;
using Reply = dmq::Result<dmq::http::Response>;

namespace {

/// Sends until the server, which has just been started, takes connections.
Reply send_when_up(CurlTransport& transport, const dmq::http::Request& request) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (true) {
    Reply reply = transport.send(request);
    const bool not_up = !reply && reply.error().delivery == DeliveryState::not_sent;
    if (!not_up || std::chrono::steady_clock::now() > deadline) return reply;
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("CurlTransport speaks HTTP/2 where it is offered, unless told otherwise") {
  support::Certificates certificates;
  const std::string ca = certificates.authority("ours");
  support::Nghttpd server(certificates.server("ours", "IP:127.0.0.1"));
  if (!server.is_running()) {
    MESSAGE("skipped: nghttpd is not installed (Debian: nghttp2-server)");
    return;
  }
  dmq::http::Request request{.method = dmq::http::Method::post, .url = server.origin() + "/"};
  request.body = std::string(300'000, 'x');
  request.headers.add("X-Empty", "");

  CurlTransport best({.ca_file = ca});
  for (int i = 0; i < 3; ++i) {
    const Reply reply = send_when_up(best, request);
    REQUIRE(reply.has_value());
    CHECK(reply->status == 200);
    CHECK(reply->body == request.body);
    CHECK(reply->headers.get("server").starts_with("nghttpd"));
  }
  CurlTransport http1({.ca_file = ca, .http_version = HttpVersion::http1});
  CHECK_FALSE(http1.send(request).has_value());
}
