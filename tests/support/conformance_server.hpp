#pragma once

#include <atomic>
#include <string>
#include <support/raw_server.hpp>

namespace support {

/// The server that check_transport and check_async_transport ask for.
class ConformanceServer {
 public:
  std::string origin() const { return server_.origin(); }

 private:
  RawServer::Reply answer(const RawServer::Request& request) {
    const std::string path = request.path();
    if (path == "/requests") return {RawServer::ok(std::to_string(requests_.load()))};
    ++requests_;
    if (path == "/drop") return {"", RawServer::Then::close};
    if (path == "/silence") return {"", RawServer::Then::hang};
    if (path == "/echo") return {RawServer::ok(request.body, marked_fields(request.head))};
    const std::string status = path.substr(path.rfind('/') + 1);
    const std::string length = status == "204" ? "" : "Content-Length: 0\r\n";
    return {"HTTP/1.1 " + status + " Status\r\nLocation: /echo\r\n" + length + "\r\n"};
  }

  static std::string marked_fields(const std::string& head) {
    std::string fields;
    for (std::size_t at = head.find("\r\nX-"); at != std::string::npos; at = head.find("\r\nX-", at + 2))
      fields.append(head, at + 2, head.find("\r\n", at + 2) - at);
    return fields;
  }

  std::atomic<int> requests_ = 0;
  RawServer server_{[this](const RawServer::Request& request) { return answer(request); }};
};

}  // namespace support
