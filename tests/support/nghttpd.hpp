#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <support/certificates.hpp>

extern char** environ;

namespace support {

/// nghttpd of the nghttp2 project, a server that over TLS speaks HTTP/2 and nothing else, on 127.0.0.1. It answers
/// with the body that it gets.
class Nghttpd {
 public:
  explicit Nghttpd(const CertificateFiles& files) : port_(std::to_string(free_port())) {
    std::string certificate = files.certificate;
    std::string key = files.key;
    char* arguments[] = {name_, address_flag_, address_, echo_, port_.data(), key.data(), certificate.data(), nullptr};
    // Debian keeps it where the PATH of most users does not look.
    for (const char* program : {"nghttpd", "/usr/sbin/nghttpd"})
      if (process_ == 0 && posix_spawnp(&process_, program, nullptr, nullptr, arguments, environ) != 0) process_ = 0;
  }
  Nghttpd(const Nghttpd&) = delete;
  Nghttpd& operator=(const Nghttpd&) = delete;
  ~Nghttpd() {
    if (process_ == 0) return;
    kill(process_, SIGTERM);
    waitpid(process_, nullptr, 0);
  }

  /// False where it is not installed.
  bool is_running() const noexcept { return process_ != 0; }
  std::string origin() const { return "https://127.0.0.1:" + port_; }

 private:
  static int free_port() {
    const int probe = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(probe, reinterpret_cast<sockaddr*>(&address), size);
    getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size);
    close(probe);
    return ntohs(address.sin_port);
  }

  char name_[8] = "nghttpd";
  char address_flag_[10] = "--address";
  char address_[10] = "127.0.0.1";
  char echo_[14] = "--echo-upload";
  std::string port_;
  pid_t process_ = 0;
};

}  // namespace support
