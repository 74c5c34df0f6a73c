#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/http/transport.hpp>
#include <dmq/testing/conformance_check.hpp>

namespace dmq::inline DMQ_ABI::testing {

namespace detail {
template <http::HttpTransport T>
class TransportCheck : ConformanceCheck {
 public:
  TransportCheck(T& transport, std::string origin) : ConformanceCheck(std::move(origin)), transport_(transport) {}

  std::vector<std::string> run() {
    any_status_is_a_success();
    bytes_arrive_as_they_are();
    bounds_the_response();
    refuses_before_the_network();
    tells_that_nothing_was_sent();
    sends_once();
    keeps_the_time_limit();
    stops_at_once();
    sends_nothing_when_already_stopped();
    may_be_called_by_many();
    return take_broken();
  }

 private:
  using Reply = Result<http::Response>;

  void any_status_is_a_success() {
    for (const int status : {200, 204, 301, 307, 400, 401, 404, 429, 500, 503}) {
      const Reply reply = get("/status/" + std::to_string(status));
      check(reply && reply->status == status, "status " + std::to_string(status) + " is an answer, not a failure");
    }
    const std::size_t before = requests();
    static_cast<void>(get("/status/302"));
    check(requests() == before + 1, "a redirect is not followed");
  }

  void bytes_arrive_as_they_are() {
    for (const std::size_t size : {0U, 1U, 300U, 200U * 1024, 1024U * 1024})
      for (const http::Method method : {http::Method::post, http::Method::put})
        check(send_echoes(method, every_byte(size, 0)), "a body of " + std::to_string(size) + " bytes with " +
                                                            std::string(to_string(method)) +
                                                            " arrives as it is, both ways");
    http::Request request = echo(http::Method::post, {});
    request.headers.add("X-Text", "a  b;c=\"d\", e: f");
    request.headers.add("X-Empty", "");
    const Reply reply = send(request);
    check(reply && reply->headers.get("x-text") == "a  b;c=\"d\", e: f", "a header field arrives as it is, both ways");
    check(reply && reply->headers.find("X-Empty") == "", "a header field without a value arrives, both ways");
  }

  void bounds_the_response() {
    http::Request request = echo(http::Method::post, every_byte(5000, 0));
    request.response_limit_bytes = 5000;
    check(send(request).has_value(), "a response of just the limit is taken");
    request.response_limit_bytes = 4999;
    check(fails(send(request), ErrorKind::integrity, DeliveryState::unknown),
          "a response over response_limit_bytes is integrity, unknown");
  }

  void refuses_before_the_network() {
    const std::size_t before = requests();
    http::Request request = this->request("/echo");
    request.headers.add("X-Bad", "bell\a");
    check(fails(send(request), ErrorKind::invalid_argument, DeliveryState::not_sent),
          "a control character in a header value is invalid_argument, not_sent");
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
    check(fails(send(request), ErrorKind::timeout, DeliveryState::unknown),
          "an answer that does not come within the limit is timeout, unknown");
  }

  void stops_at_once() {
    using Clock = std::chrono::steady_clock;
    std::stop_source stop;
    Clock::time_point requested = Clock::now();
    std::atomic<bool> over = false;
    const std::size_t before = requests();
    std::jthread stopper([&] {
      while (requests() == before && !over) std::this_thread::yield();
      requested = Clock::now();
      stop.request_stop();
    });
    const Reply reply = transport_.send(request("/silence"), stop.get_token());
    const Clock::time_point ended = Clock::now();
    over = true;
    stopper.join();
    check(fails(reply, ErrorKind::cancelled, DeliveryState::unknown), "a stop under way is cancelled, unknown");
    check(ended - requested < std::chrono::seconds(1), "a stop ends the request at once");
  }

  void sends_nothing_when_already_stopped() {
    std::stop_source stop;
    stop.request_stop();
    const std::size_t before = requests();
    check(fails(transport_.send(request("/echo"), stop.get_token()), ErrorKind::cancelled, DeliveryState::not_sent),
          "a stop before the start is cancelled, not_sent");
    check(requests() == before, "a stop before the start sends nothing");
  }

  void may_be_called_by_many() {
    std::atomic<bool> good = true;
    {
      std::vector<std::jthread> senders;
      for (std::size_t sender = 0; sender < 16; ++sender)
        senders.emplace_back([&, sender] {
          for (std::size_t i = 0; i < 8; ++i)
            if (!send_echoes(http::Method::post, every_byte(1000 + i, sender))) good = false;
        });
    }
    check(good, "sixteen threads may send at once");
  }

  Reply send(const http::Request& request) { return transport_.send(request, std::stop_token()); }
  Reply get(std::string_view path) { return send(request(path)); }

  bool send_echoes(http::Method method, std::string body) {
    const http::Request request = echo(method, std::move(body));
    return echoes(send(request), request.body);
  }

  std::size_t requests() {
    const Reply reply = get("/requests");
    return reply ? encoding::parse_number<std::size_t>(reply->body).value_or(0) : 0;
  }

  T& transport_;
};
}  // namespace detail

/// Holds a transport of yours against the rules that the library stands on (http/transport.hpp), without a test
/// framework; returns one sentence for each rule that it breaks, so nothing when all is well. Takes about a second.
///
/// It needs a server, or a stand-in behind the transport, at `origin` ("http://127.0.0.1:8080"), which answers
/// - /echo: 200 with the body of the request, and with each header field of it whose name begins with "X-";
/// - /status/N: status N, no body; for 3xx with "Location: /echo";
/// - /requests: 200, how many requests for other paths have arrived up to now, in decimal;
/// - /drop: reads the request, then closes the connection without an answer;
/// - /silence: reads the request and never answers.
/// Each connection has to be served on its own, and kept alive.
///
///     for (const std::string& rule : dmq::testing::check_transport(transport, origin)) std::puts(rule.c_str());
template <http::HttpTransport T>
std::vector<std::string> check_transport(T& transport, std::string origin) {
  return detail::TransportCheck<T>(transport, std::move(origin)).run();
}

}  // namespace dmq::inline DMQ_ABI::testing
