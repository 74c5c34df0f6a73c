#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::testing::detail {

/// What the conformance suites share: requests to the server they need, and the list of rules that did not hold.
class ConformanceCheck {
 protected:
  explicit ConformanceCheck(std::string origin) : origin_(std::move(origin)) {}

  http::Request request(std::string_view path) const { return {.url = origin_ + std::string(path)}; }
  http::Request echo(http::Method method, std::string body) const {
    return {.method = method, .url = origin_ + "/echo", .body = std::move(body)};
  }

  static std::string every_byte(std::size_t size, std::size_t first) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(first + i);
    return bytes;
  }

  static bool echoes(const Result<http::Response>& reply, std::string_view body) {
    return reply && reply->status == 200 && reply->body == body;
  }
  static bool fails(const Result<http::Response>& reply, ErrorKind kind, DeliveryState delivery) {
    return !reply && reply.error().kind == kind && reply.error().delivery == delivery;
  }

  void check(bool holds, std::string rule) {
    if (!holds && std::find(broken_.begin(), broken_.end(), rule) == broken_.end()) broken_.push_back(std::move(rule));
  }
  std::vector<std::string> take_broken() { return std::move(broken_); }

 private:
  std::string origin_;
  std::vector<std::string> broken_;
};

}  // namespace dmq::inline DMQ_ABI::testing::detail
