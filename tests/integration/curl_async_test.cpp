#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/testing/async_caller.hpp>
#include <support/certificates.hpp>
#include <support/http_server.hpp>
#include <support/nghttpd.hpp>
#include <support/raw_server.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::http::BasicCurlAsync;
using dmq::http::Completion;
using dmq::http::CurlAsync;
using dmq::http::CurlOptions;
using dmq::http::Method;
using dmq::http::Request;
using dmq::http::Resend;
using dmq::testing::AsyncCaller;
using support::RawServer;
using Then = RawServer::Then;

namespace {

using PollingAsync = BasicCurlAsync<dmq::http::detail::CurlPollLoop>;

Request post(std::string url, std::string body = "body") {
  return {.method = Method::post, .url = std::move(url), .body = std::move(body), .timeout = 10s};
}

void check_fails(const std::optional<Completion>& done, ErrorKind kind, DeliveryState delivery) {
  REQUIRE(done.has_value());
  REQUIRE_FALSE(done->result.has_value());
  INFO(done->result.error().describe());
  CHECK(to_string(done->result.error().kind) == to_string(kind));
  CHECK(to_string(done->result.error().delivery) == to_string(delivery));
  CHECK(done->result.error().message.size() > 10);
}

RawServer::Reply answer(const RawServer::Request& request) {
  return {RawServer::ok(request.body)};
}

RawServer::Reply never(const RawServer::Request&) {
  return {"", Then::hang};
}

/// Answers the first request of each connection and closes on the second, which then was read.
RawServer::Reply drop_when_reused(const RawServer::Request& request) {
  if (request.on_connection == 0) return {RawServer::ok()};
  return {"", Then::close};
}

/// Sockets of this process that are connected to the server.
std::vector<int> sockets_to(const std::string& origin) {
  const int port = std::stoi(origin.substr(origin.rfind(':') + 1));
  std::vector<int> sockets;
  for (int descriptor = 0; descriptor < 1024; ++descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    if (getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sin_family == AF_INET &&
        ntohs(address.sin_port) == port)
      sockets.push_back(descriptor);
  }
  return sockets;
}

/// Polls until the server has as many requests.
template <class Async>
void poll_until(AsyncCaller<Async>& caller, const RawServer& server, std::size_t requests) {
  while (server.requests() < requests && caller.is_patient()) caller.take(1ms);
  REQUIRE(server.requests() == requests);
}

}  // namespace

TEST_CASE_TEMPLATE("256 exchanges are in flight at once on one thread", Async, CurlAsync, PollingAsync) {
  constexpr std::size_t count = 256;
  // Nobody is answered before all have asked.
  std::latch all_have_asked(count);
  RawServer server([&](const RawServer::Request& request) {
    all_have_asked.arrive_and_wait();
    return answer(request);
  });
  Async transport({.max_connections = count});
  AsyncCaller caller(transport, 30s);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < count; ++i) {
    Request request = post(server.origin(), "message " + std::to_string(i));
    request.timeout = 30s;
    ids.push_back(caller.start(std::move(request)));
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto done = caller.await(ids[i]);
    REQUIRE(done.has_value());
    REQUIRE(done->result.has_value());
    CHECK(done->result->body == "message " + std::to_string(i));
  }
  CHECK(server.connections() == count);
  CHECK(caller.strays() == 0);
}

TEST_CASE_TEMPLATE("connections are kept and shared by what comes later", Async, CurlAsync, PollingAsync) {
  RawServer server(answer);
  Async transport({.max_connections = 16});
  AsyncCaller caller(transport);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 40; ++i) ids.push_back(caller.start(post(server.origin())));
    for (const std::uint64_t id : ids) CHECK(caller.await(id)->result.has_value());
    for (int i = 0; i < 20; ++i) CHECK(caller.send(post(server.origin()))->result.has_value());
  }
  CHECK(server.requests() == 180);
  CHECK(server.connections() == 16);
  CHECK(sockets_to(server.origin()).size() == 16);
}

TEST_CASE_TEMPLATE("what waits for a connection keeps its own time limit", Async, CurlAsync, PollingAsync) {
  RawServer server(never);
  Async transport({.max_connections = 1});
  AsyncCaller caller(transport, 10s);
  const std::uint64_t holder = caller.start(post(server.origin()));
  poll_until(caller, server, 1);
  Request request = post(server.origin());
  request.timeout = 100ms;
  check_fails(caller.send(request), ErrorKind::timeout, DeliveryState::not_sent);
  transport.cancel(holder);
  check_fails(caller.await(holder), ErrorKind::cancelled, DeliveryState::unknown);
  CHECK(server.requests() == 1);
}

TEST_CASE_TEMPLATE("a cancel frees the connection at once", Async, CurlAsync, PollingAsync) {
  RawServer server(
      [](const RawServer::Request& request) { return request.path() == "/never" ? never(request) : answer(request); });
  Async transport({.max_connections = 1});
  AsyncCaller caller(transport);
  for (std::size_t round = 0; round < 20; ++round) {
    const std::uint64_t held = caller.start(post(server.origin() + "/never"));
    const std::uint64_t queued = caller.start(post(server.origin()));
    poll_until(caller, server, 2 * round + 1);
    transport.cancel(held);
    check_fails(caller.await(held), ErrorKind::cancelled, DeliveryState::unknown);
    CHECK(caller.await(queued)->result.has_value());
  }
}

TEST_CASE_TEMPLATE("what was not sent yet is cancelled as not_sent", Async, CurlAsync, PollingAsync) {
  RawServer server(never);
  Async transport({.max_connections = 1});
  AsyncCaller caller(transport);
  const std::uint64_t fresh = caller.start(post(server.origin()));
  transport.cancel(fresh);
  check_fails(caller.await(fresh), ErrorKind::cancelled, DeliveryState::not_sent);
  CHECK(server.connections() == 0);
  const std::uint64_t holder = caller.start(post(server.origin()));
  const std::uint64_t queued = caller.start(post(server.origin()));
  poll_until(caller, server, 1);
  transport.cancel(queued);
  check_fails(caller.await(queued), ErrorKind::cancelled, DeliveryState::not_sent);
  transport.cancel(holder);
  check_fails(caller.await(holder), ErrorKind::cancelled, DeliveryState::unknown);
  CHECK(server.requests() == 1);
}

TEST_CASE_TEMPLATE("a refused connection is not_sent, for each of many", Async, CurlAsync, PollingAsync) {
  std::string port;
  {
    const RawServer gone(never);
    port = gone.origin().substr(std::string("http").size());
  }
  for (const std::string scheme : {"http", "https"}) {
    Async transport({.max_connections = 8});
    AsyncCaller caller(transport);
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(caller.start(post(scheme + port + "/path?token=secret")));
    for (const std::uint64_t id : ids) {
      const auto done = caller.await(id);
      check_fails(done, ErrorKind::network, DeliveryState::not_sent);
      CHECK(done->result.error().message.find("secret") == std::string::npos);
      CHECK(done->result.error().message.find("127.0.0.1") != std::string::npos);
    }
  }
}

TEST_CASE_TEMPLATE("a request that a dying reused connection took is sent again only where allowed", Async, CurlAsync,
                   PollingAsync) {
  RawServer server(drop_when_reused);
  Async transport;
  AsyncCaller caller(transport);
  REQUIRE(caller.send(post(server.origin()))->result.has_value());
  check_fails(caller.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
  CHECK(server.requests() == 2);

  REQUIRE(caller.send(post(server.origin()))->result.has_value());
  Request request = post(server.origin());
  request.resend = Resend::allowed;
  const auto done = caller.send(request);
  REQUIRE(done->result.has_value());
  CHECK(done->result->resent);
  CHECK(server.requests() == 5);
}

TEST_CASE_TEMPLATE("a server that stalls runs into the limit of each request", Async, CurlAsync, PollingAsync) {
  RawServer server([](const RawServer::Request& request) {
    const bool begins = request.path() == "/half";
    return RawServer::Reply{begins ? "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf" : "", Then::hang};
  });
  Async transport;
  AsyncCaller caller(transport);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 20; ++i) {
    Request request = post(server.origin() + (i % 2 == 0 ? "/half" : "/"));
    request.timeout = 700ms + i * 1ms;
    ids.push_back(caller.start(request));
  }
  for (const std::uint64_t id : ids) check_fails(caller.await(id), ErrorKind::timeout, DeliveryState::unknown);
  CHECK(caller.in_flight() == 0);
}

TEST_CASE_TEMPLATE("destroying with exchanges in flight leaves nothing behind", Async, CurlAsync, PollingAsync) {
  RawServer server(never);
  std::optional<Async> transport;
  transport.emplace(CurlOptions{.max_connections = 4});
  std::optional<AsyncCaller<Async>> caller;
  caller.emplace(*transport);
  for (int i = 0; i < 10; ++i) caller->start(post(server.origin()));
  poll_until(*caller, server, 4);
  caller->start(post(server.origin()));
  transport.reset();
  CHECK(server.requests() == 4);
}

TEST_CASE_TEMPLATE("an id in use is refused", Async, CurlAsync, PollingAsync) {
  RawServer server(never);
  Async transport;
  transport.start(7, post(server.origin()));
  transport.start(7, post(server.origin(), "again"));
  std::vector<Completion> out;
  transport.poll(out, 10s);
  REQUIRE(out.size() == 1);
  check_fails(out[0], ErrorKind::invalid_argument, DeliveryState::not_sent);
  CHECK(out[0].request.body == "again");
  transport.cancel(7);
  transport.poll(out, 10s);
  REQUIRE(out.size() == 2);
  CHECK(out[1].id == 7);
  CHECK(out[1].request.body == "body");
}

TEST_CASE_TEMPLATE("opened without file descriptors left, every exchange completes as not_sent", Async, CurlAsync,
                   PollingAsync) {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  Async transport;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  AsyncCaller caller(transport);
  const auto done = caller.send(post("http://127.0.0.1:1/", "kept"));
  check_fails(done, ErrorKind::network, DeliveryState::not_sent);
  CHECK(done->request.body == "kept");
  transport.cancel(1);
  transport.wake();
  caller.take(60s);
  CHECK(caller.strays() == 0);
}

#ifdef TCP_USER_TIMEOUT
TEST_CASE("a connection whose packets are not acknowledged ends after ten seconds") {
  RawServer server(answer);
  CurlAsync transport;
  AsyncCaller caller(transport);
  REQUIRE(caller.send(post(server.origin()))->result.has_value());
  const std::vector<int> sockets = sockets_to(server.origin());
  REQUIRE(sockets.size() == 1);
  unsigned int milliseconds = 0;
  socklen_t size = sizeof milliseconds;
  REQUIRE(getsockopt(sockets[0], IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, &size) == 0);
  CHECK(milliseconds == 10'000);
}
#endif

TEST_CASE("settings and URLs that can't be used complete as they do for CurlTransport") {
  CurlAsync transport({.ca_file = "/does/not/exist.pem"});
  AsyncCaller caller(transport);
  check_fails(caller.send(post("ftp://127.0.0.1/")), ErrorKind::invalid_argument, DeliveryState::not_sent);
  check_fails(caller.send(post("http://example.com/")), ErrorKind::invalid_argument, DeliveryState::not_sent);
  RawServer server(never);
  const std::string https = "https" + server.origin().substr(4);
  check_fails(caller.send(post(https)), ErrorKind::configuration, DeliveryState::not_sent);
}

TEST_CASE_TEMPLATE("over TLS a server without HTTP/2 gets a connection for each exchange", Async, CurlAsync,
                   PollingAsync) {
  support::Certificates certificates;
  const std::string ca = certificates.authority("ours");
  const auto files = certificates.server("ours", "IP:127.0.0.1");
  constexpr std::size_t count = 16;
  // Nobody is answered before all have asked.
  std::latch all_have_asked(count);
  support::HttpServer server(files.certificate, files.key);
  server.on_post("/gate", [&](const httplib::Request& request, httplib::Response& response) {
    all_have_asked.arrive_and_wait();
    response.set_content(request.body, "text/plain");
  });
  Async transport({.ca_file = ca});
  AsyncCaller caller(transport);
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < count; ++i) ids.push_back(caller.start(post(server.origin() + "/gate")));
  for (const std::uint64_t id : ids) {
    const auto done = caller.await(id);
    REQUIRE(done.has_value());
    REQUIRE(done->result.has_value());
    CHECK(done->result->body == "body");
  }
  CHECK(server.connections() == count);
}

namespace {

/// Sends until the server, which has just been started, takes connections.
template <class Async>
bool is_up(AsyncCaller<Async>& caller, const Request& request) {
  while (caller.is_patient() || caller.in_flight() == 0) {
    const auto done = caller.send(request);
    if (done && done->result) return true;
    if (!done || done->result.error().delivery != DeliveryState::not_sent) return false;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace

TEST_CASE_TEMPLATE("HTTP/2 exchanges share few connections", Async, CurlAsync, PollingAsync) {
  support::Certificates certificates;
  const std::string ca = certificates.authority("ours");
  support::Nghttpd server(certificates.server("ours", "IP:127.0.0.1"));
  if (!server.is_running()) {
    MESSAGE("skipped: nghttpd is not installed (Debian: nghttp2-server)");
    return;
  }
  {
    Async probe({.ca_file = ca});
    AsyncCaller caller(probe, 30s);
    REQUIRE(is_up(caller, post(server.origin() + "/")));
  }
  Async transport({.ca_file = ca});
  AsyncCaller caller(transport, 30s);
  // As many streams as the server allows on one connection.
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 100; ++i)
    ids.push_back(caller.start(post(server.origin() + "/", std::string(1000, 'x') + std::to_string(i))));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto done = caller.await(ids[i]);
    REQUIRE(done.has_value());
    REQUIRE(done->result.has_value());
    CHECK(done->result->body == std::string(1000, 'x') + std::to_string(i));
  }
  CHECK(sockets_to(server.origin()).size() == 1);
  // The end of one stream leaves the others, and the connection, alone.
  const std::uint64_t cancelled = caller.start(post(server.origin() + "/", std::string(1'000'000, 'x')));
  const std::uint64_t kept = caller.start(post(server.origin() + "/"));
  caller.take(0s);
  transport.cancel(cancelled);
  check_fails(caller.await(cancelled), ErrorKind::cancelled, DeliveryState::unknown);
  CHECK(caller.await(kept)->result.has_value());
  CHECK(sockets_to(server.origin()).size() == 1);
}
