#include <dmq/testing/scripted_transport.hpp>

#include <doctest/doctest.h>

#include <thread>

using dmq::testing::ScriptedTransport;
namespace http = dmq::http;

TEST_CASE("ScriptedTransport answers in the order of its script and keeps the requests") {
  ScriptedTransport transport;
  ScriptedTransport copy = transport;
  transport.reply(http::Response{.status = 204}).reply(dmq::Error{.kind = dmq::ErrorKind::network});
  transport.reply([](const http::Request& request) { return http::Response{.status = 200, .body = request.body}; });

  CHECK(copy.send({.url = "http://a/"}, {})->status == 204);
  CHECK(copy.send({.url = "http://b/"}, {}).error().kind == dmq::ErrorKind::network);
  CHECK(copy.send({.url = "http://c/", .body = "echo"}, {})->body == "echo");
  CHECK(copy.send({}, {}).error().kind == dmq::ErrorKind::protocol);
  REQUIRE(transport.count() == 4);
  CHECK(transport.requests()[1].url == "http://b/");

  transport.otherwise([](const http::Request&) { return http::Response{.status = 418}; });
  CHECK(copy.send({}, {})->status == 418);
}

TEST_CASE("ScriptedTransport holds requests at its gate") {
  ScriptedTransport transport;
  transport.block();
  int status = 0;
  std::jthread sender([&] { status = transport.send({}, {})->status; });
  transport.block_until(1);
  transport.reply(http::Response{.status = 200});
  transport.release(1);
  sender.join();
  CHECK(status == 200);

  dmq::ErrorKind kind{};
  std::jthread stopped([&](std::stop_token stop) { kind = transport.send({}, std::move(stop)).error().kind; });
  transport.block_until(2);
  stopped.request_stop();
  stopped.join();
  CHECK(kind == dmq::ErrorKind::cancelled);

  transport.release();
  CHECK_FALSE(transport.send({}, {}));
}
