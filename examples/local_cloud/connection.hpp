#pragma once

#include <httplib.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>

/// How much of an answer reaches the client. The connection ends behind all but the whole.
enum class AnswerPart { whole, half, nothing };

/// A client's connection, plain or with TLS, as cpp-httplib reads requests from it and writes answers to it. An answer
/// goes out in one piece, by flush(). Owns the socket.
class Connection : public httplib::Stream {
 public:
  static constexpr std::chrono::seconds io_timeout{5};

  /// `tls` may be null. `gone` fires when nobody waits for an answer any more.
  Connection(int socket, SSL_CTX* tls, std::stop_token gone) : socket_(socket), gone_(std::move(gone)) {
    const timeval limit{.tv_sec = io_timeout.count(), .tv_usec = 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (tls == nullptr) return;
    tls_.reset(SSL_new(tls));
    if (tls_ == nullptr || SSL_set_fd(tls_.get(), socket_) != 1 || SSL_accept(tls_.get()) != 1) broken_ = true;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() override {
    if (tls_ != nullptr && !broken_) SSL_shutdown(tls_.get());
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
  }

  const std::stop_token& gone() const noexcept { return gone_; }
  void send_only(AnswerPart part) noexcept { part_ = part; }

  /// False when there is none within `limit`, or when `stop` is readable before there is one.
  bool wait_for_request(int stop, std::chrono::milliseconds limit) const {
    if (broken_) return false;
    if (has_buffered()) return true;
    std::array<pollfd, 2> ready{pollfd{socket_, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
    return poll(ready.data(), ready.size(), static_cast<int>(limit.count())) > 0 && ready[0].revents != 0;
  }

  /// Reads the head of a request, for read(), without the field Range: cpp-httplib would parse that by recursion and
  /// cut the answer to it.
  void read_head() {
    in_.erase(0, std::exchange(begin_, 0));
    std::size_t end = std::string::npos;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos && in_.size() < head_limit_bytes)
      if (!receive()) return;
    std::size_t line = in_.find("\r\n");
    while (line < end) {
      const std::size_t next = in_.find("\r\n", line + 2);
      constexpr std::string_view name = "range:";
      if (dmq::encoding::equal_ignoring_case(std::string_view(in_).substr(line + 2, name.size()), name)) {
        in_.erase(line, next - line);
        end -= next - line;
      } else {
        line = next;
      }
    }
  }

  /// False when the connection is of no more use.
  bool flush() {
    std::string out = std::exchange(out_, {});
    if (part_ != AnswerPart::whole) out.resize(part_ == AnswerPart::half ? out.size() / 2 : 0);
    if (!broken_ && !out.empty()) broken_ = !send_all(out);
    if (part_ != AnswerPart::whole) broken_ = true;
    return !broken_;
  }

  bool is_readable() const override {
    pollfd ready{socket_, POLLIN, 0};
    return has_buffered() || poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(io_timeout).count())) > 0;
  }
  bool is_writable() const override { return !broken_; }

  ssize_t read(char* to, std::size_t size) override {
    // The client may wait for "100 Continue" before it goes on.
    if (in_.empty() && (!flush() || !receive())) return -1;
    const std::size_t count = in_.copy(to, size, begin_);
    begin_ += count;
    if (begin_ == in_.size()) {
      in_.clear();
      begin_ = 0;
    }
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* from, std::size_t size) override {
    out_.append(from, size);
    return static_cast<ssize_t>(size);
  }

  // Nobody asks for them.
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  struct Free {
    void operator()(SSL* tls) const noexcept { SSL_free(tls); }
  };

  static constexpr std::size_t head_limit_bytes = 64U * 1024;

  bool has_buffered() const { return !in_.empty() || (tls_ != nullptr && SSL_pending(tls_.get()) > 0); }

  bool receive() {
    std::array<char, 4096> bytes;
    const ssize_t count = tls_ != nullptr ? SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()))
                                          : recv(socket_, bytes.data(), bytes.size(), 0);
    if (count > 0) in_.append(bytes.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const int chunk = static_cast<int>(std::min(bytes.size(), std::size_t{1} << 30));
      const ssize_t count = tls_ != nullptr
                                ? SSL_write(tls_.get(), bytes.data(), chunk)
                                : send(socket_, bytes.data(), static_cast<std::size_t>(chunk), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  int socket_;
  std::stop_token gone_;
  std::unique_ptr<SSL, Free> tls_;
  std::string in_;
  std::size_t begin_ = 0;  ///< Of what was not read yet.
  std::string out_;
  AnswerPart part_ = AnswerPart::whole;
  bool broken_ = false;
};
