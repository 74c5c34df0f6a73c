#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/http/transport.hpp>
#include <dmq/runtime/blocking_pool.hpp>
#include <dmq/testing/async_caller.hpp>
#include <dmq/testing/scripted_transport.hpp>

using namespace std::chrono_literals;
using dmq::DeliveryState;
using dmq::ErrorKind;
using dmq::Result;
using dmq::http::Completion;
using dmq::http::Request;
using dmq::http::Response;
using dmq::runtime::BlockingPool;
using dmq::testing::AsyncCaller;
using dmq::testing::ScriptedTransport;

namespace {

ScriptedTransport echoing() {
  ScriptedTransport transport;
  transport.otherwise([](const Request& request) { return Response{.status = 200, .body = request.body}; });
  return transport;
}

Request request(std::string body, dmq::Duration timeout = 60s) {
  return {.url = "http://127.0.0.1/", .body = std::move(body), .timeout = timeout};
}

void check_fails(const std::optional<Completion>& done, ErrorKind kind, DeliveryState delivery) {
  REQUIRE(done.has_value());
  REQUIRE_FALSE(done->result.has_value());
  CHECK(to_string(done->result.error().kind) == to_string(kind));
  CHECK(to_string(done->result.error().delivery) == to_string(delivery));
}

}  // namespace

static_assert(dmq::http::AsyncHttpTransport<BlockingPool<ScriptedTransport>>);
static_assert(dmq::http::AsyncHttpTransport<BlockingPool<ScriptedTransport&>>);

TEST_CASE("a pool answers each start with its id, its answer and its request") {
  BlockingPool pool(echoing());
  AsyncCaller caller(pool);
  const std::uint64_t first = caller.start(request("first"));
  const std::uint64_t second = caller.start(request("second"));
  const auto later = caller.await(second);
  const auto earlier = caller.await(first);
  REQUIRE(earlier.has_value());
  REQUIRE(later.has_value());
  CHECK(earlier->result.value().body == "first");
  CHECK(earlier->request.body == "first");
  CHECK(later->result.value().body == "second");
  CHECK(later->request.body == "second");
  CHECK(caller.strays() == 0);
}

TEST_CASE("as many requests are under way as there are threads, and the others follow in order") {
  ScriptedTransport transport = echoing();
  transport.block();
  BlockingPool<ScriptedTransport&> pool(transport, 2);
  AsyncCaller caller(pool);
  std::vector<std::uint64_t> ids;
  for (const char* body : {"a", "b", "c", "d"}) ids.push_back(caller.start(request(body)));
  transport.block_until(2);
  caller.take(0s);
  CHECK(transport.count() == 2);
  transport.release(1);
  transport.block_until(3);
  CHECK(transport.requests()[2].body == "c");
  transport.release();
  for (const std::uint64_t id : ids) CHECK(caller.await(id)->result.has_value());
  CHECK(transport.requests()[3].body == "d");
}

TEST_CASE("a request whose limit runs out while it waits for a thread is timeout, not_sent") {
  ScriptedTransport transport = echoing();
  transport.block();
  BlockingPool<ScriptedTransport&> pool(transport, 1);
  AsyncCaller caller(pool);
  const std::uint64_t held = caller.start(request("held"));
  transport.block_until(1);
  const std::uint64_t patient = caller.start(request("patient"));
  const auto late = caller.send(request("late", 1ms));
  check_fails(late, ErrorKind::timeout, DeliveryState::not_sent);
  CHECK(late->request.body == "late");
  CHECK(late->request.timeout == 1ms);
  CHECK(late->result.error().message.find("1 threads") != std::string::npos);
  transport.release();
  CHECK(caller.await(held)->result.value().body == "held");
  CHECK(caller.await(patient)->result.value().body == "patient");
  CHECK(transport.count() == 2);
}

TEST_CASE("waiting for a thread is taken off the limit, which comes back as it was") {
  ScriptedTransport transport = echoing();
  transport.block();
  BlockingPool<ScriptedTransport&> pool(transport, 1);
  AsyncCaller caller(pool);
  const std::uint64_t held = caller.start(request("held"));
  transport.block_until(1);
  const std::uint64_t waits = caller.start(request("waits", 50s));
  transport.release();
  const auto done = caller.await(waits);
  REQUIRE(done.has_value());
  CHECK(done->request.timeout == 50s);
  CHECK(transport.requests()[1].timeout < 50s);
  CHECK(transport.requests()[1].timeout > 20s);
  CHECK(caller.await(held)->request.timeout == 60s);
}

TEST_CASE("a limit of nothing sends nothing, a limit of for ever is one") {
  ScriptedTransport transport = echoing();
  BlockingPool<ScriptedTransport&> pool(transport);
  AsyncCaller caller(pool);
  for (const dmq::Duration limit : {dmq::Duration(0), dmq::Duration(-1), dmq::Duration::min()})
    check_fails(caller.send(request("none", limit)), ErrorKind::timeout, DeliveryState::not_sent);
  CHECK(transport.count() == 0);
  CHECK(caller.send(request("for ever", dmq::Duration::max()))->result.has_value());
}

TEST_CASE("a cancel of what waits for a thread is not_sent") {
  ScriptedTransport transport = echoing();
  transport.block();
  BlockingPool<ScriptedTransport&> pool(transport, 1);
  AsyncCaller caller(pool);
  const std::uint64_t held = caller.start(request("held"));
  transport.block_until(1);
  const std::uint64_t waits = caller.start(request("waits"));
  pool.cancel(waits);
  pool.cancel(waits);
  const auto done = caller.await(waits);
  check_fails(done, ErrorKind::cancelled, DeliveryState::not_sent);
  CHECK(done->request.body == "waits");
  transport.release();
  CHECK(caller.await(held)->result.has_value());
  CHECK(transport.count() == 1);
}

TEST_CASE("a cancel of what is under way stops that request and no other") {
  ScriptedTransport transport = echoing();
  transport.block();
  BlockingPool<ScriptedTransport&> pool(transport, 2);
  AsyncCaller caller(pool);
  const std::uint64_t stopped = caller.start(request("stopped"));
  const std::uint64_t kept = caller.start(request("kept"));
  transport.block_until(2);
  pool.cancel(12345);
  pool.cancel(stopped);
  pool.cancel(stopped);
  const auto done = caller.await(stopped);
  check_fails(done, ErrorKind::cancelled, DeliveryState::unknown);
  CHECK(done->request.body == "stopped");
  pool.cancel(stopped);
  transport.release();
  CHECK(caller.await(kept)->result.value().body == "kept");
  CHECK(caller.strays() == 0);
}

TEST_CASE("what the transport throws is network, unknown") {
  ScriptedTransport transport;
  transport.reply([](const Request&) -> Result<Response> { throw std::runtime_error("out of luck"); });
  transport.reply([](const Request&) -> Result<Response> { throw 7; });
  transport.reply(Response{.status = 204});
  BlockingPool<ScriptedTransport&> pool(transport, 1);
  AsyncCaller caller(pool);
  const auto thrown = caller.send(request("first"));
  check_fails(thrown, ErrorKind::network, DeliveryState::unknown);
  CHECK(thrown->result.error().message.find("out of luck") != std::string::npos);
  CHECK(thrown->request.body == "first");
  check_fails(caller.send(request("second")), ErrorKind::network, DeliveryState::unknown);
  CHECK(caller.send(request("third"))->result.value().status == 204);
}

TEST_CASE("destruction stops what is under way and drops what waits") {
  ScriptedTransport transport = echoing();
  transport.block();
  {
    BlockingPool<ScriptedTransport&> pool(transport, 3);
    for (std::uint64_t id = 0; id < 10; ++id) pool.start(id, request("body"));
    transport.block_until(3);
  }
  CHECK(transport.count() == 3);
}

TEST_CASE("wake() ends the poll() under way, or the next") {
  BlockingPool pool(echoing());
  std::vector<Completion> out;
  pool.wake();
  pool.wake();
  pool.poll(out, dmq::Duration::max());
  std::jthread other([&] { pool.wake(); });
  pool.poll(out, dmq::Duration::max());
  CHECK(out.empty());
}

TEST_CASE("poll() appends what has completed, and its time may be nothing") {
  BlockingPool pool(echoing());
  std::vector<Completion> out(1);
  pool.poll(out, -1s);
  CHECK(out.size() == 1);
  pool.start(5, request("body"));
  while (out.size() < 2) pool.poll(out, dmq::Duration::max());
  CHECK(out[1].id == 5);
}

TEST_CASE("no threads at all are one") {
  BlockingPool pool(echoing(), 0);
  AsyncCaller caller(pool);
  CHECK(caller.send(request("body"))->result.has_value());
}

namespace {

/// Has an asynchronous side of its own.
struct TwoSided {
  ScriptedTransport transport = echoing();
  int opened = 0;

  Result<Response> send(const Request& request, std::stop_token stop) { return transport.send(request, stop); }
  BlockingPool<ScriptedTransport> open_async() {
    ++opened;
    return BlockingPool<ScriptedTransport>(transport, 1);
  }
};

}  // namespace

TEST_CASE("open_async takes a transport's own asynchronous side, else makes a pool") {
  TwoSided two_sided;
  auto own = dmq::runtime::open_async(two_sided);
  CHECK(two_sided.opened == 1);
  AsyncCaller owns(own);
  CHECK(owns.send(request("own"))->result.value().body == "own");

  dmq::http::SharedTransport shared{TwoSided()};
  auto through_handle = dmq::runtime::open_async(shared);
  CHECK(shared->opened == 1);
  AsyncCaller handles(through_handle);
  CHECK(handles.send(request("handle"))->result.value().body == "handle");

  ScriptedTransport blocking = echoing();
  auto pool = dmq::runtime::open_async(blocking);
  AsyncCaller pools(pool);
  CHECK(pools.send(request("pool"))->result.value().body == "pool");
  CHECK(blocking.count() == 1);
}
