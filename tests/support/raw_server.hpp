#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>

namespace support {

/// A server on a port of its own on 127.0.0.1 that reads whole HTTP/1.1 requests and answers with whatever bytes its
/// script says, so that it can misbehave. A thread for each connection.
class RawServer {
 public:
  struct Request {
    std::string head;  ///< Request line and fields, with the empty line.
    std::string body;
    std::size_t on_connection = 0;  ///< 0 for the first of its connection.

    std::string path() const {
      const std::size_t begin = head.find(' ') + 1;
      return head.substr(begin, head.find(' ', begin) - begin);
    }
  };

  enum class Then { keep, close, hang };  ///< Hang: until the client goes.
  struct Reply {
    std::string bytes{};
    Then then = Then::keep;
  };

  using Script = std::function<Reply(const Request&)>;

  explicit RawServer(Script script) : script_(std::move(script)), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 128) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::terminate();
    port_ = ntohs(address.sin_port);
    acceptor_ = std::jthread([this] { accept_all(); });
  }
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (const int client : clients_) shutdown(client, SHUT_RDWR);
    threads_.clear();
    for (const int client : clients_) close(client);
    close(listener_);
  }

  std::string origin() const { return "http://127.0.0.1:" + std::to_string(port_); }

  std::size_t requests() const {
    const std::lock_guard lock(mutex_);
    return heads_.size();
  }
  std::size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }
  /// The request line and the fields of the last request.
  std::string last_head() const {
    const std::lock_guard lock(mutex_);
    return heads_.back();
  }
  void wait_for_requests(std::size_t count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return heads_.size() >= count; });
  }

  static std::string ok(std::string_view body = "ok", std::string_view fields = {}) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n")
        .append(fields)
        .append("\r\n")
        .append(body);
  }

 private:
  void accept_all() {
    for (int client; (client = accept(listener_, nullptr, nullptr)) >= 0;) {
      const std::lock_guard lock(mutex_);
      ++connections_;
      clients_.push_back(client);
      threads_.emplace_back([this, client] { serve(client); });
    }
  }

  void serve(int client) {
    std::string received;
    Request request;
    for (bool go_on = true; go_on && read(client, received, request); ++request.on_connection) {
      {
        const std::lock_guard lock(mutex_);
        heads_.push_back(request.head);
        changed_.notify_all();
      }
      const Reply reply = script_(request);
      go_on = write(client, reply.bytes) && reply.then == Then::keep;
      if (reply.then == Then::hang) {
        char byte;
        while (recv(client, &byte, 1, 0) > 0) {
        }
      }
    }
    // Not closed before the end, lest its number go to another connection.
    shutdown(client, SHUT_RDWR);
  }

  static bool read(int client, std::string& received, Request& request) {
    std::size_t end;
    while ((end = received.find("\r\n\r\n")) == std::string::npos)
      if (!receive(client, received)) return false;
    request.head = received.substr(0, end + 4);
    received.erase(0, end + 4);
    const std::size_t size = body_size(request.head);
    while (received.size() < size)
      if (!receive(client, received)) return false;
    request.body = received.substr(0, size);
    received.erase(0, size);
    return true;
  }

  static std::size_t body_size(const std::string& head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    if (at == std::string::npos) return 0;
    const std::size_t begin = at + name.size();
    return dmq::encoding::parse_number<std::size_t>(
               std::string_view(head).substr(begin, head.find('\r', begin) - begin))
        .value_or(0);
  }

  static bool receive(int client, std::string& received) {
    char buffer[65536];
    const ssize_t count = recv(client, buffer, sizeof buffer, 0);
    if (count > 0) received.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  static bool write(int client, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  Script script_;
  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<std::string> heads_;
  std::size_t connections_ = 0;
  std::vector<int> clients_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace support
