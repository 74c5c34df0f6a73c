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

using namespace std::chrono_literals;

namespace {

/// A name service that answers for no name under .blocked until it is released.
class Resolver {
 public:
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
