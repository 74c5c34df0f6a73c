#pragma once

#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include "connection.hpp"
#include "connection_threads.hpp"
#include "open_connections.hpp"
#include "tls_context.hpp"

/// cpp-httplib's server with connections of our own: it stops at once, and knows when a client hangs up. Each
/// connection that is open keeps a thread.
class HttpServer : private httplib::Server {
 public:
  /// With the body of the request. Called from many threads at once.
  using Handler = std::function<void(const httplib::Request&, std::string, httplib::Response&, Connection&)>;

  static constexpr std::size_t body_limit_bytes = 16U * 1024 * 1024;
  static constexpr std::chrono::seconds keep_alive{60};

  /// Of connections beyond `most_connections` the first request is answered 503. `tls` may be null, and outlives this.
  HttpServer(Handler handler, std::size_t most_connections, SSL_CTX* tls)
      : handler_(std::move(handler)), most_connections_(most_connections), tls_(tls) {
    // A few more, so that there is always one to refuse with.
    new_task_queue = [most_connections] { return new ConnectionThreads(most_connections + 4); };
    // cpp-httplib's own options would let two servers share a port.
    set_socket_options([](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_tcp_nodelay(true);
    set_payload_max_length(body_limit_bytes);
    set_keep_alive_timeout(keep_alive.count());
    set_keep_alive_max_count(1'000'000'000);
    const auto handle = [this](const auto& request, auto& response) { answer(request, response, {}); };
    // With a reader: what cpp-httplib itself does with the bodies of forms has limits that SQS has not.
    const auto handle_body = [this](const auto& request, auto& response, const auto& reader) {
      std::string body;
      if (request.has_header("Content-Length") || request.has_header("Transfer-Encoding"))
        if (!reader([&](const char* data, std::size_t size) { return body.append(data, size), true; })) return;
      answer(request, response, std::move(body));
    };
    Get(any_path, handle);
    Post(any_path, handle_body);
    Put(any_path, handle_body);
    Delete(any_path, handle_body);
    Patch(any_path, handle_body);
    Options(any_path, handle);
  }

  /// Port 0 takes a free one. The port taken, or -1.
  int bind(const std::string& host, int port) {
    if (port == 0)
      port = bind_to_any_port(host);
    else if (!bind_to_port(host, port))
      port = -1;
    // Again, for a longer queue of connections that are not accepted yet.
    if (port > 0) ::listen(svr_sock_, static_cast<int>(most_connections_));
    return port;
  }

  /// Returns when it has been stopped and all requests that had come are answered.
  void serve() { listen_after_bind(); }

  /// From any thread, also before serve().
  void stop() {
    ::shutdown(svr_sock_, SHUT_RDWR);
    open_.stop();
  }

 private:
  static constexpr const char* any_path = "/";

  bool process_and_close_socket(int socket) override {
    const OpenConnections::Entry entry = open_.add(socket);
    const bool refused = entry.open > most_connections_;
    {
      Connection connection(socket, tls_, entry.gone);
      current_ = refused ? nullptr : &connection;
      serve(connection, refused);
      open_.remove(entry, socket);
    }
    return true;
  }

  void serve(Connection& connection, bool refused) {
    while (connection.wait_for_request(open_.stop_event(), refused ? Connection::io_timeout : keep_alive)) {
      bool understood = false;
      bool closed = false;
      connection.read_head();
      const bool processed = process_request(connection, refused || open_.stopped(), closed, [&](auto& request) {
        understood = true;
        // Its matching of paths would need a stack that grows with them.
        request.path = any_path;
      });
      if (!connection.flush() || !processed || !understood || closed || refused) return;
    }
  }

  void answer(const httplib::Request& request, httplib::Response& response, std::string body) {
    if (current_ == nullptr) {
      response.status = 503;
      response.set_content("{\"message\":\"All connections that this server allows are in use\"}", "application/json");
      return;
    }
    handler_(request, std::move(body), response, *current_);
  }

  /// That of this thread, since cpp-httplib does not tell a handler; null when it is refused.
  static inline thread_local Connection* current_ = nullptr;

  Handler handler_;
  std::size_t most_connections_;
  SSL_CTX* tls_;
  OpenConnections open_;
};
