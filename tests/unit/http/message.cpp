#include <doctest/doctest.h>

#include <dmq/http/message.hpp>

using dmq::http::Method;

TEST_CASE("methods have the names of RFC 9110") {
  CHECK(to_string(Method::get) == "GET");
  CHECK(to_string(Method::post) == "POST");
  CHECK(to_string(Method::put) == "PUT");
  CHECK(to_string(Method::delete_) == "DELETE");
}

TEST_CASE("a request is never resent, waits at most and reads at most, unless told otherwise") {
  const dmq::http::Request request;
  CHECK(request.resend == dmq::http::Resend::forbidden);
  CHECK(request.timeout == std::chrono::seconds(30));
  CHECK(request.response_limit_bytes == 16U * 1024 * 1024);
}
