#include <dlfcn.h>
#include <doctest/doctest.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

#include <dmq/http/curl_transport.hpp>
#include <dmq/testing/async_caller.hpp>
#include <support/raw_server.hpp>

using namespace std::chrono_literals;

namespace {

/// A name service that answers for no name under .blocked until it is released.
class Resolver {
 public:
  /// For the next test.
  void reset() {
    const std::lock_guard lock(mutex_);
    asked_ = false;
    released_ = false;
    left_ = 0;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    asked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    ++left_;
    changed_.notify_all();
  }
  void wait_until_asked() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return asked_; });
  }
  /// Returns when the lookup is over, so that it does not outlive the test.
  void release() {
    std::unique_lock lock(mutex_);
    released_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return left_ > 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;
  bool released_ = false;
  int left_ = 0;
};

Resolver resolver;

}  // namespace

/// Stands before the C library's, also for libcurl.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  if (node != nullptr && std::string_view(node).ends_with(".blocked")) {
    resolver.wait();
    return EAI_AGAIN;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

TEST_CASE("CurlTransport stops while it resolves a name") {
  resolver.reset();
  dmq::http::CurlTransport transport({.connect_timeout = 60s});
  dmq::http::Request request{.url = "https://host.blocked/", .timeout = 60s};
  std::stop_source stop;
  std::chrono::steady_clock::time_point requested;
  std::jthread stopper([&] {
    resolver.wait_until_asked();
    requested = std::chrono::steady_clock::now();
    stop.request_stop();
  });
  const auto reply = transport.send(request, stop.get_token());
  const auto ended = std::chrono::steady_clock::now();
  stopper.join();
  resolver.release();
  REQUIRE_FALSE(reply.has_value());
  CHECK(to_string(reply.error().kind) == "cancelled");
  CHECK(to_string(reply.error().delivery) == "not_sent");
  CHECK(ended - requested < 2s);
}

TEST_CASE("CurlAsync goes on with others while it resolves a name, and cancels it at once") {
  resolver.reset();
  support::RawServer server(
      [](const support::RawServer::Request&) { return support::RawServer::Reply{support::RawServer::ok("other")}; });
  dmq::http::CurlAsync transport({.connect_timeout = 60s});
  dmq::testing::AsyncCaller caller(transport);
  const auto blocked = caller.start({.url = "https://host.blocked/", .timeout = 60s});
  caller.take(0s);
  resolver.wait_until_asked();
  const auto other = caller.send({.url = server.origin()});
  REQUIRE(other.has_value());
  CHECK(other->result.value().body == "other");

  const auto requested = std::chrono::steady_clock::now();
  transport.cancel(blocked);
  const auto done = caller.await(blocked);
  const auto ended = std::chrono::steady_clock::now();
  resolver.release();
  REQUIRE(done.has_value());
  REQUIRE_FALSE(done->result.has_value());
  CHECK(to_string(done->result.error().kind) == "cancelled");
  CHECK(to_string(done->result.error().delivery) == "not_sent");
  CHECK(ended - requested < 2s);
}

TEST_CASE("CurlAsync ends at once while it resolves a name") {
  resolver.reset();
  std::chrono::steady_clock::time_point requested;
  {
    dmq::http::CurlAsync transport({.connect_timeout = 60s});
    dmq::testing::AsyncCaller caller(transport);
    caller.start({.url = "https://host.blocked/", .timeout = 60s});
    caller.take(0s);
    resolver.wait_until_asked();
    requested = std::chrono::steady_clock::now();
  }
  const auto ended = std::chrono::steady_clock::now();
  resolver.release();
  CHECK(ended - requested < 2s);
}
