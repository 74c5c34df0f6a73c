#pragma once

#include <httplib.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace support {

/// The runtime API of Lambda on a port of its own on 127.0.0.1, for one runtime: gives it what is queued, in order, and
/// keeps what it says. Like Lambda it refuses answers to what is not under way, and answers that are too large.
class LambdaRuntimeApi {
 public:
  struct Invocation {
    std::string id{};
    std::string event{};
    std::int64_t deadline_ms = 4'000'000'000'000;
    std::string trace_id{};
    int next_status = 200;      ///< Another one is all that the runtime gets.
    int response_status = 202;  ///< Another one refuses the answer.
  };
  struct Outcome {
    std::string kind{};  ///< "response" or "error".
    std::string body{};
    std::string error_type{};
  };

  LambdaRuntimeApi() {
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_tcp_nodelay(true);
    server_.set_payload_max_length(std::size_t{100} * 1024 * 1024);
    server_.Get("/2018-06-01/runtime/invocation/next",
                [this](const httplib::Request&, httplib::Response& response) { next(response); });
    server_.Post(R"(/2018-06-01/runtime/invocation/([^/]+)/(response|error))",
                 [this](const httplib::Request& request, httplib::Response& response) { take(request, response); });
    server_.Post(
        "/2018-06-01/runtime/init/error", [this](const httplib::Request& request, httplib::Response& response) {
          const std::lock_guard lock(mutex_);
          outcomes_["init"] = {"error", request.body, request.get_header_value("Lambda-Runtime-Function-Error-Type")};
          response.status = 202;
        });
    port_ = server_.bind_to_any_port("127.0.0.1");
    listener_ = std::jthread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  LambdaRuntimeApi(const LambdaRuntimeApi&) = delete;
  LambdaRuntimeApi& operator=(const LambdaRuntimeApi&) = delete;
  ~LambdaRuntimeApi() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      changed_.notify_all();
    }
    server_.stop();
    listener_.join();
  }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  void queue(Invocation invocation) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(invocation));
    changed_.notify_all();
  }
  /// What the runtime said of an invocation; waits for it.
  Outcome outcome(const std::string& id) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return outcomes_.contains(id); });
    return outcomes_[id];
  }
  /// Queues it and waits for what the runtime says.
  Outcome invoke(Invocation invocation) {
    const std::string id = invocation.id;
    queue(std::move(invocation));
    return outcome(id);
  }
  /// Until the runtime waits for an invocation.
  void block_until_idle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0 && queue_.empty(); });
  }
  /// Answers that were for nothing under way.
  int strays() const {
    const std::lock_guard lock(mutex_);
    return strays_;
  }

 private:
  void next(httplib::Response& response) {
    std::unique_lock lock(mutex_);
    if (under_way_) {
      response.status = 403;
      return;
    }
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return closed_ || !queue_.empty(); });
    --waiting_;
    if (closed_) {
      response.status = 500;
      return;
    }
    const Invocation invocation = std::move(queue_.front());
    queue_.pop_front();
    response.status = invocation.next_status;
    if (invocation.next_status != 200) return;
    under_way_ = std::make_unique<Invocation>(invocation);
    response.set_header("Lambda-Runtime-Aws-Request-Id", invocation.id);
    response.set_header("Lambda-Runtime-Deadline-Ms", std::to_string(invocation.deadline_ms));
    response.set_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:f");
    if (!invocation.trace_id.empty()) response.set_header("Lambda-Runtime-Trace-Id", invocation.trace_id);
    response.set_content(invocation.event, "application/json");
  }

  void take(const httplib::Request& request, httplib::Response& response) {
    const std::lock_guard lock(mutex_);
    const std::string id = request.matches[1];
    const bool is_error = request.matches[2] == "error";
    if (!under_way_ || under_way_->id != id) {
      ++strays_;
      response.status = 400;
      return;
    }
    response.status = is_error ? 202 : under_way_->response_status;
    if (request.body.size() > std::size_t{6} * 1024 * 1024) response.status = 413;
    if (response.status == 413) return;
    outcomes_[id] = {request.matches[2], request.body, request.get_header_value("Lambda-Runtime-Function-Error-Type")};
    under_way_.reset();
    changed_.notify_all();
  }

  httplib::Server server_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Invocation> queue_;
  std::unique_ptr<Invocation> under_way_;
  std::map<std::string, Outcome> outcomes_;
  int waiting_ = 0;
  int strays_ = 0;
  bool closed_ = false;
  std::jthread listener_;
};

}  // namespace support
