#pragma once

#include <httplib.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace support {

/// A real HTTP/1.1 server (cpp-httplib) on a port of its own on 127.0.0.1, over TLS when given a certificate. `/echo`
/// answers with what it gets; other paths are for the test to add before its first request.
class HttpServer {
 public:
  HttpServer() : HttpServer(std::make_unique<httplib::Server>(), "http://127.0.0.1:") {}

  /// PEM files; `host` is the name to call it by.
  HttpServer(const std::string& certificate_file, const std::string& key_file, const std::string& host = "127.0.0.1")
      : HttpServer(std::make_unique<httplib::SSLServer>(certificate_file.c_str(), key_file.c_str()),
                   "https://" + host + ":") {}

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    server_->stop();
    listener_.join();
  }

  std::string origin() const { return origin_; }

  /// Answers POST requests for `path`.
  void on_post(const std::string& path, httplib::Server::Handler handler) { server_->Post(path, std::move(handler)); }

  /// How many connections requests came over.
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return client_ports_.size();
  }

 private:
  HttpServer(std::unique_ptr<httplib::Server> server, std::string origin) : server_(std::move(server)) {
    // The defaults close a connection after five requests and serve eight at once.
    server_->set_keep_alive_max_count(1'000'000);
    server_->new_task_queue = [] { return new httplib::ThreadPool(80); };
    server_->set_tcp_nodelay(true);
    server_->set_pre_routing_handler([this](const httplib::Request& request, httplib::Response&) {
      const std::lock_guard lock(mutex_);
      client_ports_.insert(request.remote_port);
      return httplib::Server::HandlerResponse::Unhandled;
    });
    const auto echo = [](const httplib::Request& request, httplib::Response& response) {
      response.set_content(request.body, "application/octet-stream");
      response.set_header("X-Method", request.method);
      for (const auto& [name, value] : request.headers)
        if (name.starts_with("X-")) response.set_header(name.c_str(), value);
    };
    server_->Get("/echo", echo);
    server_->Post("/echo", echo);
    server_->Put("/echo", echo);
    server_->Delete("/echo", echo);
    origin_ = std::move(origin) + std::to_string(server_->bind_to_any_port("127.0.0.1"));
    listener_ = std::jthread([this] { server_->listen_after_bind(); });
    while (!server_->is_running()) std::this_thread::yield();
  }

  std::unique_ptr<httplib::Server> server_;
  std::string origin_;
  mutable std::mutex mutex_;
  std::set<int> client_ports_;
  std::jthread listener_;
};

}  // namespace support
