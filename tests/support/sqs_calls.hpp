#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include <dmq/sqs/call.hpp>
#include <support/parser.hpp>

/// One operation of SQS at a time: what it sends, and what it makes of an answer.
namespace support {

inline const dmq::sqs::Wire wire("https://h", parse);

/// The target and body of a request. A transport may resend it by itself when it may be repeated at all.
template <class Operation>
std::string request(const Operation& operation) {
  dmq::sqs::Call<Operation> call(wire, operation);
  CHECK(call.name() == Operation::name);
  const auto request = call.build().value();
  CHECK(request.url == "https://h/");
  CHECK((request.resend == dmq::http::Resend::allowed) == (Operation::repeat == dmq::retry::Repeat::always));
  return std::string(request.headers.get("X-Amz-Target")) + " " + request.body;
}

template <class Operation>
auto answer(const Operation& operation, int status, std::string body) {
  return dmq::sqs::Call<Operation>(wire, operation).parse({.status = status, .body = std::move(body)});
}

/// A 2xx with this body settles nothing.
template <class Operation>
void check_unusable(const Operation& operation, const char* body) {
  CAPTURE(body);
  const auto result = answer(operation, 200, body);
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == dmq::ErrorKind::protocol);
  CHECK(result.error().delivery == dmq::DeliveryState::unknown);
}

/// An operation whose answer has nothing to read: empty with AWS, `{}` with others.
template <class Operation>
void check_void_answers(const Operation& operation) {
  CHECK(answer(operation, 200, ""));
  CHECK(answer(operation, 200, "{}"));
  check_unusable(operation, "<html>");
  CHECK(answer(operation, 400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"m"})").error().kind ==
        dmq::ErrorKind::configuration);
}

/// Refused before anything is sent, with a message that holds `part`.
template <class Checked>
void check_refused(const Checked& checked, std::string_view part) {
  CAPTURE(part);
  REQUIRE_FALSE(checked);
  CAPTURE(checked.error().message);
  CHECK(checked.error().kind == dmq::ErrorKind::invalid_argument);
  CHECK(checked.error().delivery == dmq::DeliveryState::not_sent);
  CHECK(checked.error().message.find(part) != std::string::npos);
}

}  // namespace support
