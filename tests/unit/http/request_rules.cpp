#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include <dmq/http/request_rules.hpp>

using dmq::ErrorKind;
using dmq::http::check_headers;
using dmq::http::check_url;
using dmq::http::Headers;
using dmq::http::PlainHttp;

namespace {

bool accepted(std::string_view name, std::string_view value) {
  Headers headers;
  headers.add("X-Before", "1");
  headers.add(name, value);
  const auto checked = check_headers(headers);
  if (!checked) CHECK(checked.error().kind == ErrorKind::invalid_argument);
  return checked.has_value();
}

}  // namespace

TEST_SUITE("request rules") {
  TEST_CASE("names are tokens") {
    CHECK(accepted("x-Amz.Date_1", "v"));
    CHECK(accepted("!#$%&'*+-.^_`|~", "v"));
    for (const std::string_view name : {"", "X Y", "X\t", "X/Y", "(X)", "X\"", "\xC3\x9C"})
      CHECK_FALSE(accepted(name, "v"));
  }

  TEST_CASE("values have no control characters") {
    CHECK(accepted("X", ""));
    CHECK(accepted("X", "tab\tand \xC3\x9C"));
    CHECK_FALSE(accepted("X", "bell\a"));
    CHECK_FALSE(accepted("X", "delete\x7F"));
  }

  TEST_CASE("what says where a message ends is the transport's") {
    for (const std::string_view name : {"Content-Length", "content-length", "Transfer-Encoding", "EXPECT"})
      CHECK_FALSE(accepted(name, "1"));
    CHECK(accepted("Content-Type", "text/plain"));
  }

  TEST_CASE("a machine's metadata services are asked by plain HTTP, and no neighbours of theirs") {
    for (const std::string_view host :
         {"169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]"})
      CHECK_MESSAGE(check_url("http://" + std::string(host) + "/latest", PlainHttp::loopback_only), host);
    for (const std::string_view host : {"169.254.169.253", "169.254.170.2.example.com", "169.254.1.1", "[fd00:ec2::1]",
                                        "[fd00:ec2:0::254]", "metadata"})
      CHECK_FALSE_MESSAGE(check_url("http://" + std::string(host) + "/latest", PlainHttp::loopback_only), host);
  }

  TEST_CASE("plain HTTP stays on the machine unless asked for") {
    CHECK(check_url("https://example.com/", PlainHttp::loopback_only).has_value());
    CHECK(check_url("http://localhost:1/", PlainHttp::loopback_only).has_value());
    CHECK(check_url("http://example.com/", PlainHttp::anywhere).has_value());
    const auto refused = check_url("http://example.com/?token=secret", PlainHttp::loopback_only);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().kind == ErrorKind::invalid_argument);
    CHECK(refused.error().message.find("example.com") != std::string::npos);
    CHECK(refused.error().message.find("secret") == std::string::npos);
    CHECK(check_url("gopher://example.com/", PlainHttp::anywhere).error().kind == ErrorKind::invalid_argument);
  }
}
