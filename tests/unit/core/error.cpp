#include <doctest/doctest.h>

#include <set>
#include <string>

#include <dmq/core/error.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;

TEST_CASE("each kind of error has a name of its own") {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::closed); ++kind)
    names.insert(dmq::to_string(static_cast<ErrorKind>(kind)));
  CHECK(names.size() == static_cast<std::size_t>(ErrorKind::closed) + 1);
  CHECK_FALSE(names.contains("unknown"));
}

TEST_CASE("an error describes itself with all that it knows") {
  const Error error{.kind = ErrorKind::throttled,
                    .delivery = DeliveryState::rejected,
                    .message = "slow down",
                    .http_status = 403,
                    .service_code = "ThrottlingException",
                    .request_id = "r-1",
                    .attempts = 3};
  CHECK(error.describe() ==
        "throttled (rejected): slow down [HTTP 403] [ThrottlingException] [request r-1] [3 attempts]");
}

TEST_CASE("an error does not describe what it does not know") {
  CHECK(Error{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "reset", .attempts = 1}
            .describe() == "network (unknown): reset");
}

TEST_CASE("a description is one line, whatever a service says") {
  const Error error{.message = "no\r\n2031-01-01 ERROR \x1b[2Jforged\x7f \xc3\xa4",
                    .service_code = std::string("\0", 1)};
  CHECK(error.describe() == "protocol (not_sent): no  2031-01-01 ERROR  [2Jforged  \xc3\xa4 [ ]");
}

TEST_CASE("an exception says what its error describes, and holds it") {
  const dmq::Exception exception(dmq::invalid_argument("the group is empty"));
  CHECK(exception.what() == std::string("invalid_argument (not_sent): the group is empty"));
  CHECK(exception.error().kind == ErrorKind::invalid_argument);
  CHECK(dmq::configuration_error("x").kind == ErrorKind::configuration);
}
