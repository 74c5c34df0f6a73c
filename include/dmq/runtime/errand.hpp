#pragma once

#include <cstddef>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/engine/exchange.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// A Call of any kind, with what is to be done when it is over.
class Errand {
 public:
  using result_type = void;

  Errand() = default;
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;
  virtual ~Errand() = default;
  virtual std::string_view name() const = 0;
  virtual Result<http::Request> build() = 0;
  virtual Result<void> parse(const http::Response& response) = 0;
  virtual void on_failure(const Error&) {}
  virtual void on_resend() {}
  /// How many messages the last answer accepted, brought or deleted.
  virtual std::size_t accepted() const = 0;
  /// It is over, and is destroyed afterwards.
  virtual void end(const Result<void>& outcome, const engine::Exchange& exchange) = 0;
};

}  // namespace dmq::inline DMQ_ABI::runtime
