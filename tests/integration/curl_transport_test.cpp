#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <support/certificates.hpp>
#include <support/http_server.hpp>
#include <support/raw_server.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::http::CurlOptions;
using dmq::http::CurlTransport;
using dmq::http::Method;
using dmq::http::Request;
using dmq::http::Resend;
using dmq::http::Response;
using support::RawServer;
using Reply = dmq::Result<Response>;
using Then = RawServer::Then;

namespace {

Request post(std::string url, std::string body = "body") {
  return {.method = Method::post, .url = std::move(url), .body = std::move(body), .timeout = 10s};
}

void check_fails(const Reply& reply, ErrorKind kind, DeliveryState delivery) {
  REQUIRE_FALSE(reply.has_value());
  INFO(reply.error().describe());
  CHECK(to_string(reply.error().kind) == to_string(kind));
  CHECK(to_string(reply.error().delivery) == to_string(delivery));
  CHECK(reply.error().message.size() > 10);
}

std::string every_byte(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 256);
  return bytes;
}

/// Answers the first request of each connection and closes on the second, which then was read.
RawServer::Reply drop_when_reused(const RawServer::Request& request) {
  if (request.on_connection == 0) return {RawServer::ok()};
  return {"", Then::close};
}

RawServer::Reply never(const RawServer::Request&) {
  return {"", Then::hang};
}

}  // namespace

TEST_SUITE("CurlTransport sends once") {
  TEST_CASE("a request that a dying reused connection took is unknown, and not sent again") {
    RawServer server(drop_when_reused);
    CurlTransport transport;
    REQUIRE(transport.send(post(server.origin())).has_value());
    check_fails(transport.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
    CHECK(server.requests() == 2);
  }

  TEST_CASE("where resending is allowed it is sent again, and succeeds") {
    RawServer server(drop_when_reused);
    CurlTransport transport;
    REQUIRE(transport.send(post(server.origin())).has_value());
    Request request = post(server.origin());
    request.resend = Resend::allowed;
    const Reply reply = transport.send(request);
    REQUIRE(reply.has_value());
    CHECK(reply->body == "ok");
    CHECK(reply->resent);
    CHECK(server.requests() == 3);
  }

  TEST_CASE("each request starts with a count of its own") {
    RawServer server(drop_when_reused);
    CurlTransport transport;
    for (int round = 0; round < 3; ++round) {
      REQUIRE(transport.send(post(server.origin())).has_value());
      check_fails(transport.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
    }
    CHECK(server.requests() == 6);
  }

  TEST_CASE("a new connection that closes without an answer") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{"", Then::close}; });
    CurlTransport transport;
    check_fails(transport.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
    CHECK(server.requests() == 1);
  }

  TEST_CASE("a refused connection is not_sent") {
    std::string origin;
    {
      const RawServer gone(never);
      origin = gone.origin();
    }
    CurlTransport transport;
    const Reply reply = transport.send(post(origin + "/path?token=secret"));
    check_fails(reply, ErrorKind::network, DeliveryState::not_sent);
    CHECK(reply.error().message.find("secret") == std::string::npos);
    CHECK(reply.error().message.find("127.0.0.1") != std::string::npos);
  }
}

TEST_SUITE("CurlTransport and answers that are none") {
  TEST_CASE("no answer within the limit") {
    RawServer server(never);
    CurlTransport transport;
    Request request = post(server.origin());
    request.timeout = 100ms;
    check_fails(transport.send(request), ErrorKind::timeout, DeliveryState::unknown);
  }

  TEST_CASE("a limit of nothing sends nothing") {
    RawServer server(never);
    CurlTransport transport;
    Request request = post(server.origin());
    for (const dmq::Duration limit : {dmq::Duration(0), dmq::Duration(-1), dmq::Duration::min()}) {
      request.timeout = limit;
      check_fails(transport.send(request), ErrorKind::timeout, DeliveryState::not_sent);
    }
    CHECK(server.requests() == 0);
  }

  TEST_CASE("a limit of for ever works") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport;
    Request request = post(server.origin());
    request.timeout = dmq::Duration::max();
    CHECK(transport.send(request).has_value());
  }

  TEST_CASE("a body that ends early") {
    RawServer server([](const RawServer::Request&) {
      return RawServer::Reply{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", Then::close};
    });
    CurlTransport transport;
    check_fails(transport.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
  }

  TEST_CASE("a chunked body that ends early") {
    RawServer server([](const RawServer::Request&) {
      return RawServer::Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", Then::close};
    });
    CurlTransport transport;
    check_fails(transport.send(post(server.origin())), ErrorKind::network, DeliveryState::unknown);
  }

  TEST_CASE("something that is not HTTP") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{"220 smtp\r\n\r\n", Then::close}; });
    CurlTransport transport;
    check_fails(transport.send(post(server.origin())), ErrorKind::protocol, DeliveryState::unknown);
  }

  TEST_CASE("a body beyond the bound, announced or in chunks") {
    const std::string chunk = "7d0\r\n" + std::string(2000, 'x') + "\r\n";
    RawServer server([&](const RawServer::Request& request) {
      if (request.path() == "/announced") return RawServer::Reply{RawServer::ok(std::string(2000, 'x'))};
      return RawServer::Reply{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n"};
    });
    CurlTransport transport;
    for (const std::string path : {"/announced", "/chunked"}) {
      Request request = post(server.origin() + path);
      request.response_limit_bytes = 2000;
      const Reply whole = transport.send(request);
      REQUIRE(whole.has_value());
      CHECK(whole->body.size() == 2000);
      CHECK(whole->body.capacity() >= whole->body.size() + 64);
      request.response_limit_bytes = 1999;
      check_fails(transport.send(request), ErrorKind::integrity, DeliveryState::unknown);
    }
  }

  TEST_CASE("a header beyond the bound, at once or in interim responses without end") {
    std::string fields;
    for (int i = 0; i < 100; ++i) fields += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    std::string interim;
    for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 103 Early Hints\r\nLink: " + std::string(1000, 'x') + "\r\n\r\n";
    RawServer server([&](const RawServer::Request& request) {
      return RawServer::Reply{request.path() == "/fields" ? RawServer::ok("ok", fields) : interim, Then::hang};
    });
    CurlTransport transport;
    for (const std::string path : {"/fields", "/interim"})
      check_fails(transport.send(post(server.origin() + path)), ErrorKind::protocol, DeliveryState::unknown);
  }
}

TEST_SUITE("CurlTransport stops") {
  TEST_CASE("an exchange under way, by its wake-up alone") {
    RawServer server(never);
    CurlTransport transport;
    Request request = post(server.origin());
    request.timeout = 60s;
    std::stop_source stop;
    std::chrono::steady_clock::time_point requested;
    std::jthread stopper([&] {
      server.wait_for_requests(1);
      requested = std::chrono::steady_clock::now();
      stop.request_stop();
    });
    const Reply reply = transport.send(request, stop.get_token());
    const auto ended = std::chrono::steady_clock::now();
    stopper.join();
    check_fails(reply, ErrorKind::cancelled, DeliveryState::unknown);
    INFO("a stop took ", std::chrono::duration_cast<std::chrono::microseconds>(ended - requested).count(), " us");
    CHECK(ended - requested < 2s);
  }

  TEST_CASE("before it starts") {
    RawServer server(never);
    CurlTransport transport;
    std::stop_source stop;
    stop.request_stop();
    check_fails(transport.send(post(server.origin()), stop.get_token()), ErrorKind::cancelled, DeliveryState::not_sent);
    CHECK(server.connections() == 0);
  }

  TEST_CASE("a stopped lane serves the next request") {
    RawServer server([](const RawServer::Request& request) {
      return request.path() == "/never" ? never(request) : RawServer::Reply{RawServer::ok()};
    });
    CurlTransport transport({.max_connections = 1});
    for (std::size_t round = 0; round < 20; ++round) {
      std::stop_source stop;
      std::jthread stopper([&] {
        server.wait_for_requests(2 * round + 1);
        stop.request_stop();
      });
      check_fails(transport.send(post(server.origin() + "/never"), stop.get_token()), ErrorKind::cancelled,
                  DeliveryState::unknown);
      CHECK(transport.send(post(server.origin())).has_value());
    }
  }
}

TEST_SUITE("CurlTransport, all connections out") {
  /// One sender holds the only connection, until `release`.
  struct Held {
    RawServer server{never};
    CurlTransport transport{CurlOptions{.max_connections = 1}};
    std::stop_source release;
    std::jthread holder{[this] {
      Request request = post(server.origin());
      request.timeout = 60s;
      static_cast<void>(transport.send(request, release.get_token()));
    }};

    Held() { server.wait_for_requests(1); }
    ~Held() { release.request_stop(); }
  };

  TEST_CASE("waits no longer than the request's limit") {
    Held held;
    Request request = post(held.server.origin());
    request.timeout = 50ms;
    check_fails(held.transport.send(request), ErrorKind::timeout, DeliveryState::not_sent);
    CHECK(held.server.requests() == 1);
  }

  TEST_CASE("a stop ends the wait") {
    Held held;
    std::stop_source stop;
    Reply reply = Error{};
    std::jthread waiter([&] {
      Request request = post(held.server.origin());
      request.timeout = 60s;
      reply = held.transport.send(request, stop.get_token());
    });
    stop.request_stop();
    waiter.join();
    check_fails(reply, ErrorKind::cancelled, DeliveryState::not_sent);
    CHECK(held.server.requests() == 1);
  }

  TEST_CASE("the wait counts against the limit") {
    Held held;
    Reply reply = Error{};
    const auto begin = std::chrono::steady_clock::now();
    std::jthread waiter([&] {
      Request request = post(held.server.origin());
      request.timeout = 600ms;
      reply = held.transport.send(request);
    });
    while (std::chrono::steady_clock::now() - begin < 500ms) std::this_thread::yield();
    held.release.request_stop();
    waiter.join();
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK_FALSE(reply.has_value());
    CHECK(to_string(reply.error().kind) == "timeout");
    CHECK(took >= 600ms);
    CHECK(took < 1000ms);  // 1100 ms, had the limit begun anew
  }

  TEST_CASE("a connection that comes back goes to a waiter") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport({.max_connections = 2});
    Request patient = post(server.origin());
    patient.timeout = dmq::Duration::max();
    std::atomic<int> answered = 0;
    {
      std::vector<std::jthread> senders;
      for (int sender = 0; sender < 16; ++sender)
        senders.emplace_back([&] {
          for (int i = 0; i < 50; ++i)
            if (transport.send(patient)) ++answered;
        });
    }
    CHECK(answered == 16 * 50);
    CHECK(server.connections() <= 2);
  }
}

TEST_SUITE("CurlTransport carries") {
  TEST_CASE("bodies as they are, both ways") {
    support::HttpServer server;
    CurlTransport transport;
    for (const std::size_t size : {0U, 1U, 255U, 200U * 1024, 1024U * 1024}) {
      const std::string body = every_byte(size);
      const Reply reply = transport.send(post(server.origin() + "/echo", body));
      REQUIRE(reply.has_value());
      CHECK(reply->status == 200);
      CHECK(reply->body == body);
    }
    CHECK(server.connections() == 1);
  }

  TEST_CASE("every method, one after the other on one lane") {
    support::HttpServer server;
    CurlTransport transport;
    for (int round = 0; round < 2; ++round)
      for (const Method method : {Method::get, Method::post, Method::delete_, Method::put, Method::get}) {
        Request request = post(server.origin() + "/echo", "");
        request.method = method;
        const Reply reply = transport.send(request);
        REQUIRE(reply.has_value());
        CHECK(reply->headers.get("X-Method") == to_string(method));
        CHECK(reply->body.empty());
      }
  }

  TEST_CASE("just the header fields it is given") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport;
    Request request = post(server.origin() + "/a/../b?c=%20d");
    request.headers.add("X-Text", "a  b;c=\"d\", e: f");
    request.headers.add("X-Empty", "");
    request.headers.add("X-Blank", "  ");
    request.headers.add("X-Last", "z");
    REQUIRE(transport.send(request).has_value());
    CHECK(server.last_head() == "POST /a/../b?c=%20d HTTP/1.1\r\nHost: " + server.origin().substr(7) +
                                    "\r\nUser-Agent: dmq/" DMQ_VERSION
                                    "\r\nX-Text: a  b;c=\"d\", e: f\r\nX-Empty:\r\nX-Blank:\r\nX-Last: z"
                                    "\r\nContent-Length: 4\r\n\r\n");
  }

  TEST_CASE("an Accept and a Content-Type of the caller's, and no Expect for a large body") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport;
    Request request = post(server.origin(), every_byte(2 * 1024 * 1024));
    request.headers.add("accept", "application/json");
    request.headers.add("Content-Type", "application/x-amz-json-1.0");
    REQUIRE(transport.send(request).has_value());
    CHECK(
        server.last_head().ends_with("\r\naccept: application/json\r\nContent-Type: application/x-amz-json-1.0"
                                     "\r\nContent-Length: 2097152\r\n\r\n"));
  }

  TEST_CASE("the fields of the final response only") {
    RawServer server([](const RawServer::Request&) {
      return RawServer::Reply{
          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n"
          "HTTP/1.1 201 Created\r\nX-A:  one \r\nX-B:\r\nX-A: two\r\nTransfer-Encoding: chunked\r\nTrailer: X-C\r\n\r\n"
          "4\r\nbody\r\n0\r\nX-C: trailer\r\n\r\n"};
    });
    CurlTransport transport;
    for (int round = 0; round < 2; ++round) {
      const Reply reply = transport.send(post(server.origin()));
      REQUIRE(reply.has_value());
      CHECK(reply->status == 201);
      CHECK(reply->body == "body");
      CHECK(reply->headers.get("x-a") == "one");
      CHECK(reply->headers.find("X-B") == "");
      CHECK_FALSE(reply->headers.find("Link").has_value());
      CHECK_FALSE(reply->headers.find("X-C").has_value());
      CHECK(reply->headers.size() == 5);
    }
    CHECK(server.connections() == 1);
  }

  TEST_CASE("redirects to the caller, without following them") {
    RawServer server([&](const RawServer::Request&) {
      return RawServer::Reply{"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"};
    });
    CurlTransport transport;
    const Reply reply = transport.send(post(server.origin()));
    REQUIRE(reply.has_value());
    CHECK(reply->status == 307);
    CHECK(reply->headers.get("Location") == "/other");
    CHECK(server.requests() == 1);
  }

  TEST_CASE("sixty-four requests at once") {
    RawServer server([](const RawServer::Request& request) { return RawServer::Reply{RawServer::ok(request.body)}; });
    CurlTransport transport;
    std::atomic<int> good = 0;
    {
      std::vector<std::jthread> senders;
      for (int sender = 0; sender < 64; ++sender)
        senders.emplace_back([&, sender] {
          for (int i = 0; i < 10; ++i) {
            const std::string body = "sender " + std::to_string(sender) + " request " + std::to_string(i);
            const Reply reply = transport.send(post(server.origin() + "/echo", body));
            if (reply && reply->body == body) ++good;
          }
        });
    }
    CHECK(good == 640);
    CHECK(server.connections() <= 64);
  }

  TEST_CASE("the connection that was used last is used next") {
    RawServer* self = nullptr;
    RawServer server([&](const RawServer::Request& request) {
      self->wait_for_requests(2);  // so that the first two take a connection each
      return RawServer::Reply{RawServer::ok(std::to_string(request.on_connection))};
    });
    self = &server;
    CurlTransport transport;
    std::jthread other([&] { CHECK(transport.send(post(server.origin())).has_value()); });
    CHECK(transport.send(post(server.origin())).has_value());
    other.join();
    for (const std::string nth : {"1", "2", "3", "4"}) CHECK(transport.send(post(server.origin())).value().body == nth);
    CHECK(server.connections() == 2);
  }

  TEST_CASE("one connection for requests in a row, also after moves") {
    support::HttpServer server;
    CurlTransport first;
    CHECK(first.send(post(server.origin() + "/echo")).has_value());
    CurlTransport second = std::move(first);
    CHECK(second.send(post(server.origin() + "/echo")).has_value());
    first = std::move(second);
    for (int i = 0; i < 20; ++i) CHECK(first.send(post(server.origin() + "/echo")).has_value());
    CHECK(server.connections() == 1);
  }
}

TEST_SUITE("CurlTransport refuses before the network") {
  TEST_CASE("plain HTTP to another machine") {
    CurlTransport transport;
    check_fails(transport.send(post("http://sqs.example.com/")), ErrorKind::invalid_argument, DeliveryState::not_sent);
    check_fails(transport.send(post("http://127.example.com/")), ErrorKind::invalid_argument, DeliveryState::not_sent);
  }

  TEST_CASE("URLs that are none, without quoting them") {
    CurlTransport transport;
    for (const std::string url :
         {"", "file:///etc/passwd", "https://", "https://user:secret@host/", "https://h/ secret"}) {
      const Reply reply = transport.send(post(url));
      check_fails(reply, ErrorKind::invalid_argument, DeliveryState::not_sent);
      CHECK(reply.error().message.find("secret") == std::string::npos);
    }
  }

  TEST_CASE("header fields that would be more than they say") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport;
    const auto refused = [&](std::string_view name, std::string_view value) {
      Request request = post(server.origin());
      request.headers.add(name, value);
      // Headers keeps no field that can't stand in one; what is left must not reach the wire as two.
      const Reply reply = transport.send(request);
      if (!reply) check_fails(reply, ErrorKind::invalid_argument, DeliveryState::not_sent);
      return !reply.has_value();
    };
    CHECK(refused("X", "bell\a"));
    CHECK(refused("X-Ümlaut", "v"));
    CHECK(refused("X Y", "v"));
    CHECK(refused("", "v"));
    CHECK(refused("Content-Length", "3"));
    CHECK(refused("transfer-encoding", "chunked"));
    CHECK(refused("EXPECT", "100-continue"));
    CHECK(server.requests() == 0);
    static_cast<void>(refused("X", "v\r\nX-Injected: 1"));
    static_cast<void>(refused("X: v\r\nX-Injected", "1"));
    if (server.requests() > 0) CHECK(server.last_head().find("X-Injected") == std::string::npos);
  }

  TEST_CASE("a good request after refused ones goes out") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport({.max_connections = 1});
    CHECK(transport.send(post(server.origin())).has_value());
    CHECK_FALSE(transport.send(post("http://sqs.example.com/")).has_value());
    CHECK(transport.send(post(server.origin())).has_value());
  }

  TEST_CASE("settings that libcurl does not take") {
    CurlTransport transport({.user_agent = "a\r\nX-Injected: 1"});
    check_fails(transport.send(post("http://127.0.0.1:1/")), ErrorKind::configuration, DeliveryState::not_sent);
  }
}

TEST_SUITE("CurlTransport over TLS") {
  struct Tls {
    support::Certificates certificates;
    std::string ca = certificates.authority("ours");
  };

  TEST_CASE_FIXTURE(Tls, "trusts the authority it is given") {
    const auto files = certificates.server("ours", "DNS:localhost,IP:127.0.0.1");
    support::HttpServer server(files.certificate, files.key);
    CurlTransport transport({.ca_file = ca});
    for (int i = 0; i < 3; ++i) {
      const Reply reply = transport.send(post(server.origin() + "/echo", every_byte(100'000)));
      REQUIRE(reply.has_value());
      CHECK(reply->body == every_byte(100'000));
    }
    CHECK(server.connections() == 1);
  }

  TEST_CASE_FIXTURE(Tls, "refuses an unknown authority, and says what to do") {
    const auto files = certificates.server("theirs", "DNS:localhost,IP:127.0.0.1");
    support::HttpServer server(files.certificate, files.key);
    for (const std::string& file : {ca, std::string()}) {
      CurlTransport transport({.ca_file = file});
      const Reply reply = transport.send(post(server.origin() + "/echo"));
      check_fails(reply, ErrorKind::network, DeliveryState::not_sent);
      CHECK(reply.error().message.find("127.0.0.1") != std::string::npos);
      CHECK(reply.error().message.find("ca_file") != std::string::npos);
    }
    CHECK(server.connections() == 0);
  }

  TEST_CASE_FIXTURE(Tls, "refuses a certificate for another name") {
    const auto files = certificates.server("ours", "DNS:other.example.com");
    support::HttpServer server(files.certificate, files.key);
    CurlTransport transport({.ca_file = ca});
    check_fails(transport.send(post(server.origin() + "/echo")), ErrorKind::network, DeliveryState::not_sent);
    CHECK(server.connections() == 0);
  }

  TEST_CASE_FIXTURE(Tls, "a server that speaks no TLS") {
    RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok()}; });
    CurlTransport transport({.connect_timeout = 200ms, .ca_file = ca});
    const Reply reply = transport.send(post("https" + server.origin().substr(4)));
    REQUIRE_FALSE(reply.has_value());
    CHECK(to_string(reply.error().delivery) == "not_sent");
    CHECK(to_string(reply.error().kind) == "timeout");
  }

  TEST_CASE("a file of authorities that is not there") {
    RawServer server(never);
    CurlTransport transport({.ca_file = "/nowhere/ca.pem"});
    check_fails(transport.send(post("https" + server.origin().substr(4))), ErrorKind::configuration,
                DeliveryState::not_sent);
  }
}

TEST_CASE("CurlTransport never sends what is for loopback to a proxy") {
  RawServer proxy([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok("proxy")}; });
  RawServer server([](const RawServer::Request&) { return RawServer::Reply{RawServer::ok("server")}; });
  setenv("http_proxy", proxy.origin().c_str(), 1);
  CurlTransport transport({.plain_http = dmq::http::PlainHttp::anywhere});
  const Reply direct = transport.send(post(server.origin()));
  const Reply proxied = transport.send(post("http://elsewhere.invalid/"));
  unsetenv("http_proxy");
  REQUIRE(direct.has_value());
  CHECK(direct->body == "server");
  REQUIRE(proxied.has_value());
  CHECK(proxied->body == "proxy");
}
