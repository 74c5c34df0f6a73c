#pragma once

#include <string_view>
#include <utility>

#include <dmq/retry/repeat.hpp>
#include <dmq/sqs/wire.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// An operation of operations.hpp, made into requests and answers.
template <class Operation>
class Call {
 public:
  using result_type = typename Operation::result_type;

  Call(const Wire& wire, const Operation& operation) : wire_(wire), operation_(operation) {}

  std::string_view name() const noexcept { return Operation::name; }

  Result<http::Request> build() const {
    http::Request request = wire_.request(Operation::name);
    encoding::JsonWriter json(request.body);
    json.begin_object();
    operation_.write(json);
    json.end_object();
    if constexpr (Operation::repeat == retry::Repeat::always) request.resend = http::Resend::allowed;
    return request;
  }

  Result<result_type> parse(const http::Response& response) const {
    json::Document document;
    const Result<json::Value> root = wire_.answer(response, document);
    if (!root) return root.error();
    return operation_.read(response, *root);
  }

 private:
  const Wire& wire_;
  const Operation& operation_;
};

}  // namespace dmq::inline DMQ_ABI::sqs
