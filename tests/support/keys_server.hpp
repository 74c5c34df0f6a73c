#pragma once

#include <support/credentials.hpp>
#include <support/raw_server.hpp>

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// All services that give keys, on one port: the metadata services of containers and instances, and STS; and a queue
/// that takes every message "hello". How they give keys is set; all else they do well.
class KeysServer {
 public:
  enum class Gives { keys, expired_keys, refusal, trouble, nothing, half_an_answer, nonsense, an_echo };

  std::string origin() const { return server_.origin(); }
  void wait_for_requests(std::size_t count) const { server_.wait_for_requests(count); }

  void give(Gives what) {
    const std::lock_guard lock(mutex_);
    gives_ = what;
  }
  void set_expiration(std::string date) {
    const std::lock_guard lock(mutex_);
    expiration_ = std::move(date);
  }
  void set_token_status(int status) {
    const std::lock_guard lock(mutex_);
    token_status_ = status;
  }

  /// How often keys were asked for.
  std::size_t asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  /// Head and body of everything that came.
  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  using Request = RawServer::Request;
  using Reply = RawServer::Reply;
  using Then = RawServer::Then;

  Reply answer(const Request& request) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(request.head + request.body);
    const std::string path = request.path();
    if (path == "/latest/api/token")
      return token_status_ == 200 ? Reply{RawServer::ok("hunter2-session")} : status(token_status_);
    if (path == "/latest/meta-data/iam/security-credentials/") return {RawServer::ok("role")};
    if (request.head.find("X-Amz-Target: AmazonSQS.") != std::string::npos)
      return {RawServer::ok(
          R"({"MessageId":"m","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","SequenceNumber":"1"})")};
    ++asked_;
    return give_keys(request, path);
  }

  Reply give_keys(const Request& request, std::string_view path) const {
    switch (gives_) {
      case Gives::keys: return {RawServer::ok(keys(request, path, expiration_))};
      case Gives::expired_keys: return {RawServer::ok(keys(request, path, "2025-12-31T00:00:00Z"))};
      case Gives::refusal: return status(403, sts_error("AccessDenied"));
      case Gives::trouble: return status(503, "hunter2");
      case Gives::nothing: return {"", Then::hang};
      case Gives::half_an_answer: {
        const std::string whole = RawServer::ok(keys(request, path, expiration_));
        return {whole.substr(0, whole.size() - 20), Then::close};
      }
      case Gives::nonsense: return {RawServer::ok("{\"hunter2\": hunter2<hunter2>")};
      case Gives::an_echo: return status(400, request.head + request.body);
    }
    return {};
  }

  static std::string keys(const Request& request, std::string_view path, std::string_view expiration) {
    if (path != "/") return metadata_keys(expiration);
    const bool with_token = request.body.find("AssumeRoleWithWebIdentity") != std::string::npos;
    return sts_keys(with_token ? "AssumeRoleWithWebIdentity" : "AssumeRole", expiration);
  }

  static Reply status(int number, const std::string& body = "") {
    return {"HTTP/1.1 " + std::to_string(number) + " Status\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body};
  }

  mutable std::mutex mutex_;
  Gives gives_ = Gives::keys;
  std::string expiration_ = "2026-01-01T06:00:00Z";
  int token_status_ = 200;
  std::size_t asked_ = 0;
  std::vector<std::string> seen_;
  RawServer server_{[this](const Request& request) { return answer(request); }};
};

}  // namespace support
