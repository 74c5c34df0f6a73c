#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/testing/async_caller.hpp>
#include <dmq/testing/conformance_check.hpp>

namespace dmq::inline DMQ_ABI::testing {

namespace detail {
template <http::AsyncHttpTransport T>
class AsyncTransportCheck : ConformanceCheck {
 public:
  AsyncTransportCheck(T& transport, std::string origin) : ConformanceCheck(std::move(origin)), transport_(transport) {}

  std::vector<std::string> run() {
    any_status_is_a_success();
    all_comes_back();
    bounds_the_response();
    refuses_before_the_network();
    tells_that_nothing_was_sent();
    sends_once();
    keeps_the_time_limit();
    cancels_at_once();
    cancels_only_what_is_in_flight();
    completes_each_of_many_once();
    ends_many_in_every_way();
    wakes();
    appends();
    check(caller_.strays() == 0, "each start has one completion");
    return take_broken();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Completion = http::Completion;

  void any_status_is_a_success() {
    for (const int status : {200, 204, 301, 400, 401, 404, 429, 500, 503}) {
      const auto done = get("/status/" + std::to_string(status));
      check(done && done->result && done->result->status == status,
            "status " + std::to_string(status) + " is an answer, not a failure");
    }
    const std::size_t before = requests();
    static_cast<void>(get("/status/302"));
    check(requests() == before + 1, "a redirect is not followed");
  }

  void all_comes_back() {
    for (const std::size_t size : {0U, 1U, 15U, 300U, 1024U * 1024}) {
      http::Request request = echo(every_byte(size, 0));
      request.headers.add("X-Text", "a  b;c=\"d\", e: f");
      const auto done = send(request);
      check(echoes(done, request.body) && done->result->headers.get("x-text") == "a  b;c=\"d\", e: f",
            "a body of " + std::to_string(size) + " bytes and a header field arrive as they are, both ways");
      check(done && is_same(done->request, request), "the request comes back as it was");
    }
  }

  void bounds_the_response() {
    http::Request request = echo(every_byte(5000, 0));
    request.response_limit_bytes = 5000;
    const auto whole = send(request);
    check(whole && whole->result, "a response of just the limit is taken");
    request.response_limit_bytes = 4999;
    check(fails(send(request), ErrorKind::integrity, DeliveryState::unknown),
          "a response over response_limit_bytes is integrity, unknown");
  }

  void refuses_before_the_network() {
    const std::size_t before = requests();
    http::Request request = echo("body");
    request.headers.add("X-Bad", "bell\a");
    const auto done = send(request);
    check(fails(done, ErrorKind::invalid_argument, DeliveryState::not_sent),
          "a control character in a header value completes with invalid_argument, not_sent");
    check(done && is_same(done->request, request), "a request that is refused comes back as it was");
    check(requests() == before, "a request that is refused is not sent");
  }

  void tells_that_nothing_was_sent() {
    http::Request request;
    request.url = "http://127.0.0.1:1/";  // tcpmux, which nobody serves
    check(fails(send(request), ErrorKind::network, DeliveryState::not_sent),
          "a connection that is refused is network, not_sent");
  }

  void sends_once() {
    static_cast<void>(get("/echo"));  // so that a connection is there to be reused
    const std::size_t before = requests();
    check(fails(get("/drop"), ErrorKind::network, DeliveryState::unknown),
          "a connection that ends without an answer is network, unknown");
    check(requests() == before + 1, "a request is sent once unless resend is allowed");
  }

  void keeps_the_time_limit() {
    http::Request request = this->request("/silence");
    request.timeout = std::chrono::milliseconds(200);
    const auto done = send(request);
    check(fails(done, ErrorKind::timeout, DeliveryState::unknown),
          "an answer that does not come within the limit is timeout, unknown");
    check(done && is_same(done->request, request), "a request that ran out of time comes back as it was");
    const std::size_t before = requests();
    request.timeout = Duration::zero();
    check(fails(send(request), ErrorKind::timeout, DeliveryState::not_sent), "a limit of nothing is timeout, not_sent");
    check(requests() == before, "a limit of nothing sends nothing");
    request = this->request("/echo");
    request.timeout = Duration::max();
    const auto unlimited = send(request);
    check(unlimited && unlimited->result, "a limit of for ever is taken");
  }

  void cancels_at_once() {
    const std::size_t before = requests();
    const std::uint64_t id = caller_.start(request("/silence"));
    while (requests() == before && caller_.is_patient()) {
    }
    const Clock::time_point cancelled = Clock::now();
    transport_.cancel(id);
    transport_.cancel(id);
    check(fails(caller_.await(id), ErrorKind::cancelled, DeliveryState::unknown),
          "a cancel under way is cancelled, unknown");
    check(Clock::now() - cancelled < std::chrono::seconds(1), "a cancel ends the exchange at once");
    const std::uint64_t fresh = caller_.start(request("/silence"));
    transport_.cancel(fresh);
    const auto done = caller_.await(fresh);
    check(done && !done->result && done->result.error().kind == ErrorKind::cancelled,
          "a cancel right behind start is cancelled");
    check(done && is_same(done->request, request("/silence")), "a request that was cancelled comes back as it was");
  }

  void cancels_only_what_is_in_flight() {
    transport_.cancel(123456789);
    const std::uint64_t id = caller_.start(echo("body"));
    const auto done = caller_.await(id);
    transport_.cancel(id);
    check(echoes(done, "body"), "ids that are not in flight may be cancelled");
    const auto next = send(echo("next"));
    check(echoes(next, "next"), "a late cancel does not touch other exchanges");
  }

  void completes_each_of_many_once() {
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < many; ++i) ids.push_back(caller_.start(echo(every_byte(1000 + i, i))));
    bool good = true;
    for (std::size_t i = 0; i < many; ++i) {
      const auto done = caller_.await(ids[i]);
      good = good && echoes(done, every_byte(1000 + i, i)) && done->request.body == every_byte(1000 + i, i);
    }
    check(good, "two hundred exchanges may be in flight at once, each with its own answer");
  }

  void ends_many_in_every_way() {
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < many; ++i) {
      http::Request request = this->request(i % 3 == 0 ? "/echo" : "/silence");
      if (i % 3 == 1) request.timeout = std::chrono::milliseconds(100);
      ids.push_back(caller_.start(std::move(request)));
    }
    for (std::size_t i = 2; i < many; i += 3) transport_.cancel(ids[i]);
    bool good = true;
    for (std::size_t i = 0; i < many; ++i) {
      const auto done = caller_.await(ids[i]);
      if (i % 3 == 0) good = good && done && done->result;
      if (i % 3 == 1) good = good && done && !done->result && done->result.error().kind == ErrorKind::timeout;
      if (i % 3 == 2) good = good && done && !done->result && done->result.error().kind == ErrorKind::cancelled;
    }
    check(good, "two hundred exchanges answered, out of time and cancelled side by side end each in its own way");
  }

  void wakes() {
    check(poll_ends([&] { transport_.wake(); }), "a wake-up before poll() is not lost");
    std::jthread other;
    check(poll_ends([&] { other = std::jthread([&] { transport_.wake(); }); }),
          "wake() from another thread ends poll()");
    other.join();
    const Clock::time_point began = Clock::now();
    caller_.take(std::chrono::milliseconds(20));
    caller_.take(Duration::zero());
    caller_.take(Duration(-1));
    check(Clock::now() - began < std::chrono::seconds(1), "poll() ends when its time is over");
  }

  /// Whether a poll() of long patience comes back soon after `cause`.
  template <class F>
  bool poll_ends(F cause) {
    caller_.take(Duration::zero());
    const Clock::time_point began = Clock::now();
    cause();
    caller_.take(std::chrono::seconds(10));
    return Clock::now() - began < std::chrono::seconds(5);
  }

  void appends() {
    std::vector<Completion> out;
    out.push_back({.id = 12345, .result = Result<http::Response>(http::Response{.status = 299})});
    transport_.start(1, request("/echo"));
    while (out.size() < 2 && caller_.is_patient()) transport_.poll(out, std::chrono::milliseconds(100));
    check(out.size() == 2 && out[0].id == 12345 && out[0].result && out[0].result->status == 299 && out[1].id == 1,
          "poll() appends, and an id may be used again");
  }

  http::Request echo(std::string body) const { return ConformanceCheck::echo(http::Method::post, std::move(body)); }
  std::optional<Completion> send(const http::Request& request) { return caller_.send(request); }
  std::optional<Completion> get(std::string_view path) { return send(request(path)); }

  std::size_t requests() {
    const auto done = get("/requests");
    return done && done->result ? encoding::parse_number<std::size_t>(done->result->body).value_or(0) : 0;
  }

  static bool echoes(const std::optional<Completion>& done, std::string_view body) {
    return done && ConformanceCheck::echoes(done->result, body);
  }
  static bool fails(const std::optional<Completion>& done, ErrorKind kind, DeliveryState delivery) {
    return done && ConformanceCheck::fails(done->result, kind, delivery);
  }

  static bool is_same(const http::Request& one, const http::Request& other) {
    const auto same_field = [](http::Headers::Field a, http::Headers::Field b) {
      return a.name == b.name && a.value == b.value;
    };
    return one.method == other.method && one.url == other.url && one.body == other.body &&
           one.timeout == other.timeout && one.resend == other.resend &&
           std::equal(one.headers.begin(), one.headers.end(), other.headers.begin(), other.headers.end(), same_field);
  }

  static constexpr std::size_t many = 200;

  T& transport_;
  AsyncCaller<T> caller_{transport_};
};
}  // namespace detail

/// Holds an asynchronous transport of yours against the rules that the library stands on (http/async_transport.hpp),
/// without a test framework; returns one sentence for each rule that it breaks, so nothing when all is well. Takes a
/// few seconds, on one thread. Nothing else may use the transport meanwhile. It needs the server of check_transport.
template <http::AsyncHttpTransport T>
std::vector<std::string> check_async_transport(T& transport, std::string origin) {
  return detail::AsyncTransportCheck<T>(transport, std::move(origin)).run();
}

}  // namespace dmq::inline DMQ_ABI::testing
