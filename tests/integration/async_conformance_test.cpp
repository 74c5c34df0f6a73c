#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/runtime/blocking_pool.hpp>
#include <dmq/testing/async_conformance.hpp>
#include <support/conformance_server.hpp>

using dmq::http::BasicCurlAsync;
using dmq::http::Completion;
using dmq::http::CurlTransport;
using dmq::http::Request;
using dmq::runtime::BlockingPool;
using support::ConformanceServer;

TEST_CASE("CurlAsync conforms to AsyncHttpTransport") {
  ConformanceServer server;
  CurlTransport blocking;
  auto transport = blocking.open_async();
  for (const std::string& rule : dmq::testing::check_async_transport(transport, server.origin())) FAIL_CHECK(rule);
}

TEST_CASE("its way without epoll conforms to AsyncHttpTransport") {
  ConformanceServer server;
  BasicCurlAsync<dmq::http::detail::CurlPollLoop> transport;
  for (const std::string& rule : dmq::testing::check_async_transport(transport, server.origin())) FAIL_CHECK(rule);
}

TEST_CASE("BlockingPool over CurlTransport conforms to AsyncHttpTransport") {
  ConformanceServer server;
  BlockingPool transport{CurlTransport()};
  for (const std::string& rule : dmq::testing::check_async_transport(transport, server.origin())) FAIL_CHECK(rule);
}

namespace {

/// Breaks rules: keeps requests to itself, and completes some of them twice.
struct Sloppy {
  dmq::http::CurlAsync transport{};

  void start(std::uint64_t id, Request&& request) { transport.start(id, std::move(request)); }
  void poll(std::vector<Completion>& out, dmq::Duration at_most) {
    const std::size_t before = out.size();
    transport.poll(out, at_most);
    for (std::size_t i = before; i < out.size(); ++i) out[i].request = {};
    if (out.size() > before && out.back().result && out.back().result->status == 404) out.push_back(out.back());
  }
  void cancel(std::uint64_t id) { transport.cancel(id); }
  void wake() noexcept { transport.wake(); }
};

/// Breaks others: does not hear its caller, and gives each request a limit of its own.
struct Deaf {
  dmq::http::CurlAsync transport{};

  void start(std::uint64_t id, Request&& request) {
    request.timeout = std::min<dmq::Duration>(request.timeout, std::chrono::milliseconds(1200));
    transport.start(id, std::move(request));
  }
  void poll(std::vector<Completion>& out, dmq::Duration at_most) { transport.poll(out, at_most); }
  void cancel(std::uint64_t) {}
  void wake() noexcept { transport.wake(); }
};

}  // namespace

TEST_CASE("the asynchronous conformance suite tells of broken rules") {
  ConformanceServer server;
  Sloppy sloppy;
  CHECK(dmq::testing::check_async_transport(sloppy, server.origin()) ==
        std::vector<std::string>{"the request comes back as it was", "a request that is refused comes back as it was",
                                 "a request that ran out of time comes back as it was",
                                 "a request that was cancelled comes back as it was",
                                 "two hundred exchanges may be in flight at once, each with its own answer",
                                 "each start has one completion"});
  Deaf deaf;
  CHECK(dmq::testing::check_async_transport(deaf, server.origin()) ==
        std::vector<std::string>{
            "the request comes back as it was", "a request that is refused comes back as it was",
            "a cancel under way is cancelled, unknown", "a cancel ends the exchange at once",
            "a cancel right behind start is cancelled", "a request that was cancelled comes back as it was",
            "two hundred exchanges answered, out of time and cancelled side by side end each in its own way"});
}
