#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include <dmq/encoding/ascii.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>

namespace support {

/// The bytes of a request, for HTTP/1.1.
inline std::string wire_text(const dmq::http::Request& request) {
  const dmq::http::Url url = dmq::http::Url::parse(request.url).value();
  std::string text(to_string(request.method));
  text.append(" ").append(url.path).append(" HTTP/1.1\r\nHost: 127.0.0.1:").append(std::to_string(url.port));
  for (const auto field : request.headers) text.append("\r\n").append(field.name).append(": ").append(field.value);
  return text.append("\r\nContent-Length: ").append(std::to_string(request.body.size())).append("\r\n\r\n") +
         request.body;
}

/// A connection to 127.0.0.1 that sends and reads bytes as they are. Gives up after thirty seconds.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::terminate();
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(socket_); }

  int handle() const noexcept { return socket_; }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// Says that nothing more will come.
  void finish() { shutdown(socket_, SHUT_WR); }

  /// The next answer with a Content-Length, head and body; less when the connection ends before.
  std::string read_answer() {
    std::size_t size = std::string::npos;
    while (received_.size() < size && receive()) {
      const std::size_t head = received_.find("\r\n\r\n");
      if (head != std::string::npos) size = head + 4 + content_length(std::string_view(received_).substr(0, head));
    }
    std::string answer = received_.substr(0, size);
    received_.erase(0, answer.size());
    return answer;
  }
  /// All until the connection ends.
  std::string read_all() {
    while (receive()) {
    }
    return received_;
  }

 private:
  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "Content-Length: ";
    const std::size_t at = head.find(name);
    if (at == std::string_view::npos) return 0;
    head.remove_prefix(at + name.size());
    return dmq::encoding::parse_number<std::size_t>(head.substr(0, head.find('\r'))).value_or(0);
  }

  bool receive() {
    char buffer[65536];
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count > 0) received_.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }

  int socket_;
  std::string received_;
};

}  // namespace support
