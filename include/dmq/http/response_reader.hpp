#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::http {

/// Gathers a response from header lines and pieces of the body, within bounds. Keeps the fields of the final response
/// only: interim ones (1xx) and trailers are dropped. Not thread-safe.
class ResponseReader {
 public:
  enum class Fault { none, headers_too_large, body_too_large };

  /// All header lines together, interim responses included.
  static constexpr std::size_t header_limit_bytes = 64U * 1024;
  /// Kept free behind a body, so that a JSON parser need not copy it.
  static constexpr std::size_t spare_bytes = 64;

  void begin(std::size_t body_limit_bytes) {
    response_ = Response();
    response_.headers.reserve(1024);
    body_limit_ = body_limit_bytes;
    header_bytes_ = 0;
    headers_complete_ = false;
    fault_ = Fault::none;
  }

  /// One line with its line end; the status line and the empty one at the end too. False: beyond the bound, give up.
  bool header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > header_limit_bytes) return fail(Fault::headers_too_large);
    if (headers_complete_) return true;
    line = line.substr(0, line.find_last_not_of("\r\n") + 1);
    if (line.starts_with("HTTP/")) {
      response_.headers.clear();
      response_.status = encoding::parse_number<int>(line.substr(line.find(' ') + 1, 3)).value_or(0);
    } else if (line.empty()) {
      headers_complete_ = response_.status >= 200;
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos && line[0] > ' ') {
      response_.headers.add(line.substr(0, colon), encoding::trim(line.substr(colon + 1)));
    }
    return true;
  }

  /// The next bytes of the body. False: beyond the bound, give up.
  bool body(std::string_view bytes) {
    std::string& body = response_.body;
    if (bytes.size() > body_limit_ - body.size()) return fail(Fault::body_too_large);
    const std::size_t needed = body.size() + bytes.size() + spare_bytes;
    if (needed > body.capacity()) body.reserve(std::max({needed, 2 * body.size(), announced_bytes() + spare_bytes}));
    body.append(bytes);
    return true;
  }

  Fault fault() const noexcept { return fault_; }
  std::size_t body_limit_bytes() const noexcept { return body_limit_; }
  Response take() noexcept { return std::move(response_); }

 private:
  bool fail(Fault fault) noexcept {
    fault_ = fault;
    return false;
  }

  std::size_t announced_bytes() const noexcept {
    const auto length = encoding::parse_number<std::size_t>(response_.headers.get("Content-Length"));
    return std::min(length.value_or(0), body_limit_);
  }

  Response response_;
  std::size_t body_limit_ = 0;
  std::size_t header_bytes_ = 0;
  bool headers_complete_ = false;
  Fault fault_ = Fault::none;
};

}  // namespace dmq::inline DMQ_ABI::http
