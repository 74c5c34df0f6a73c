#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/testing/transport_conformance.hpp>
#include <support/raw_server.hpp>

using support::RawServer;

namespace {

/// The server that check_transport asks for.
class ConformanceServer {
 public:
  std::string origin() const { return server_.origin(); }

 private:
  RawServer::Reply answer(const RawServer::Request& request) {
    const std::string path = request.path();
    if (path == "/requests") return {RawServer::ok(std::to_string(requests_.load()))};
    ++requests_;
    if (path == "/drop") return {"", RawServer::Then::close};
    if (path == "/silence") return {"", RawServer::Then::hang};
    if (path == "/echo") return {RawServer::ok(request.body, marked_fields(request.head))};
    const std::string status = path.substr(path.rfind('/') + 1);
    const std::string length = status == "204" ? "" : "Content-Length: 0\r\n";
    return {"HTTP/1.1 " + status + " Status\r\nLocation: /echo\r\n" + length + "\r\n"};
  }

  static std::string marked_fields(const std::string& head) {
    std::string fields;
    for (std::size_t at = head.find("\r\nX-"); at != std::string::npos; at = head.find("\r\nX-", at + 2))
      fields.append(head, at + 2, head.find("\r\n", at + 2) - at);
    return fields;
  }

  std::atomic<int> requests_ = 0;
  RawServer server_{[this](const RawServer::Request& request) { return answer(request); }};
};

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
