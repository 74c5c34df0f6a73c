#pragma once

#include <httplib.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/cloud_host.hpp>
#include <dmq/testing/faults.hpp>

#include "connection.hpp"

using Host = dmq::testing::CloudHost<dmq::SystemClock>;

/// What happens to requests on their way to the cloud and back.
struct ServiceOptions {
  std::chrono::milliseconds latency{0};   ///< Before each answer.
  std::chrono::seconds revoke_tokens{0};  ///< Every so often all tokens are revoked; 0: never.
  dmq::testing::Faults faults{1};
};

/// Hands requests over HTTP to a cloud. Callable from many threads at once.
class CloudService {
 public:
  CloudService(Host& host, ServiceOptions options) : host_(host), options_(std::move(options)) {}

  void handle(const httplib::Request& incoming, std::string body, httplib::Response& outgoing, Connection& connection) {
    using dmq::testing::Fault;
    const dmq::http::Request request = translate(incoming, std::move(body));
    const auto fault = prepare();
    if (fault == Fault::lost_request) return connection.send_only(AnswerPart::nothing);
    if (fault == Fault::throttle) return write(dmq::testing::throttled_answer(request), outgoing);
    if (fault == Fault::internal_error) return write(dmq::testing::failed_answer(request, 500), outgoing);
    const auto answer = host_.handle(request, connection.gone());
    handled_.fetch_add(1, std::memory_order_relaxed);
    if (fault == Fault::lost_reply) connection.send_only(AnswerPart::half);
    if (fault == Fault::timeout) {
      // When the client goes before that, nobody reads the answer.
      clock_.sleep_for(gateway_timeout, connection.gone());
      return write(dmq::testing::failed_answer(request, 504), outgoing);
    }
    if (options_.latency.count() > 0) clock_.sleep_for(options_.latency, connection.gone());
    write(answer ? *answer : dmq::testing::failed_answer(request, 503), outgoing);
  }

  /// Requests that reached the cloud so far.
  std::uint64_t handled() const noexcept { return handled_.load(std::memory_order_relaxed); }

  /// A line for each fault that was drawn.
  void print_faults(std::FILE* stream) {
    const std::lock_guard lock(mutex_);
    for (const auto& [fault, name] : dmq::testing::fault_names)
      if (const auto count = options_.faults.count(fault); count > 0)
        std::fprintf(stream, "%s: %llu\n", std::string(name).c_str(), static_cast<unsigned long long>(count));
  }

 private:
  static constexpr std::chrono::seconds gateway_timeout{29};

  /// What is due before a request is handled.
  std::optional<dmq::testing::Fault> prepare() {
    const std::lock_guard lock(mutex_);
    const dmq::Ticks now = clock_.ticks();
    if (options_.revoke_tokens.count() > 0 && now >= revoked_ + options_.revoke_tokens) {
      host_.with([](dmq::testing::LocalCloud& cloud) { cloud.revoke_tokens(); });
      revoked_ += (now - revoked_) / options_.revoke_tokens * options_.revoke_tokens;
    }
    return options_.faults.draw();
  }

  static dmq::http::Request translate(const httplib::Request& incoming, std::string body) {
    dmq::http::Request request;
    if (incoming.method == "POST")
      request.method = dmq::http::Method::post;
    else if (incoming.method == "PUT")
      request.method = dmq::http::Method::put;
    else if (incoming.method == "DELETE")
      request.method = dmq::http::Method::delete_;
    request.url = "http://" + incoming.get_header_value("Host") + incoming.target;
    // The server adds some that did not come over the wire.
    for (const auto& [name, value] : incoming.headers)
      if (!name.starts_with("REMOTE_") && !name.starts_with("LOCAL_")) request.headers.add(name, value);
    request.body = std::move(body);
    return request;
  }

  static void write(const dmq::http::Response& answer, httplib::Response& outgoing) {
    outgoing.status = answer.status;
    for (const auto field : answer.headers) outgoing.headers.emplace(std::string(field.name), std::string(field.value));
    outgoing.body = answer.body;
  }

  Host& host_;
  dmq::SystemClock clock_;
  std::mutex mutex_;
  ServiceOptions options_;
  dmq::Ticks revoked_ = clock_.ticks();
  std::atomic<std::uint64_t> handled_ = 0;
};
