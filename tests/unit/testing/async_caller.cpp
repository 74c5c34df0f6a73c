#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include <dmq/testing/async_caller.hpp>

using namespace std::chrono_literals;
using dmq::http::Completion;
using dmq::http::Request;
using dmq::http::Response;

namespace {

/// Completes what the test says, when it says.
struct Puppet {
  std::vector<std::uint64_t> started;
  std::vector<Completion> next;

  void start(std::uint64_t id, Request&&) { started.push_back(id); }
  void poll(std::vector<Completion>& out, dmq::Duration) {
    for (Completion& completion : next) out.push_back(std::move(completion));
    next.clear();
  }
  void cancel(std::uint64_t) {}
  void wake() noexcept {}

  void complete(std::uint64_t id, int status) {
    next.push_back({.id = id, .result = dmq::Result<Response>(Response{.status = status})});
  }
};

}  // namespace

TEST_CASE("AsyncCaller gives ids from 1 on and keeps what completes meanwhile") {
  Puppet puppet;
  dmq::testing::AsyncCaller caller(puppet);
  CHECK(caller.start({}) == 1);
  CHECK(caller.start({}) == 2);
  CHECK(puppet.started == std::vector<std::uint64_t>{1, 2});
  CHECK(caller.in_flight() == 2);
  puppet.complete(1, 201);
  puppet.complete(2, 202);
  CHECK(caller.await(2)->result.value().status == 202);
  CHECK(caller.await(1)->result.value().status == 201);
  CHECK(caller.in_flight() == 0);
  CHECK(caller.strays() == 0);
}

TEST_CASE("AsyncCaller counts completions that no start was waiting for") {
  Puppet puppet;
  dmq::testing::AsyncCaller caller(puppet);
  caller.start({});
  puppet.complete(1, 200);
  puppet.complete(1, 200);
  puppet.complete(7, 200);
  caller.take(0s);
  CHECK(caller.strays() == 2);
  CHECK(caller.in_flight() == 0);
}

TEST_CASE("AsyncCaller gives up when its patience is over") {
  Puppet puppet;
  dmq::testing::AsyncCaller caller(puppet, 1ms);
  CHECK_FALSE(caller.send({}).has_value());
  CHECK_FALSE(caller.is_patient());
  CHECK(caller.in_flight() == 1);
}
