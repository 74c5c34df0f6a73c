#include <doctest/doctest.h>

#include <string>

#include <dmq/http/url.hpp>

using dmq::ErrorKind;
using dmq::http::parse_service_url;
using dmq::http::PlainHttp;
using dmq::http::Url;

namespace {

std::string refusal(std::string_view text) {
  const auto url = Url::parse(text);
  return url ? "accepted as " + url->origin() : url.error().message;
}

bool loopback(std::string_view host) {
  const auto url = Url::parse("http://" + std::string(host));
  return url && url->is_loopback();
}

}  // namespace

TEST_CASE("a URL comes apart") {
  const auto url = Url::parse("HTTPS://API.Example.com:8443/v1/Publish-Queue?A=b?c/d").value();
  CHECK(url.scheme == "https");
  CHECK(url.host == "api.example.com");
  CHECK(url.port == 8443);
  CHECK(url.path == "/v1/Publish-Queue");
  CHECK(url.query == "A=b?c/d");
  CHECK(url.is_https());
  CHECK(url.authority() == "api.example.com:8443");
  CHECK(url.origin() == "https://api.example.com:8443");
}

TEST_CASE("the path is never empty, the query may be") {
  CHECK(Url::parse("https://h").value().path == "/");
  CHECK(Url::parse("https://h?a").value().path == "/");
  CHECK(Url::parse("https://h?a").value().query == "a");
  CHECK(Url::parse("https://h/?").value().query.empty());
}

TEST_CASE("a default port is known and not written") {
  CHECK(Url::parse("https://h").value().port == 443);
  CHECK(Url::parse("http://h").value().port == 80);
  CHECK(Url::parse("https://h:443").value().authority() == "h");
  CHECK(Url::parse("http://h:443").value().authority() == "h:443");
  CHECK(Url::parse("https://h:65535").value().port == 65535);
  CHECK(Url::parse("https://h:1").value().port == 1);
}

TEST_CASE("an IPv6 address stands in brackets") {
  const auto url = Url::parse("http://[2001:DB8::1]:81/x").value();
  CHECK(url.host == "[2001:db8::1]");
  CHECK(url.port == 81);
  CHECK(url.authority() == "[2001:db8::1]:81");
  CHECK(Url::parse("http://[::ffff:1.2.3.4]").value().port == 80);
  for (const char* host : {"[", "[]", "[:]", "[1]", "[1234]", "[12:34]", "[[::1]", "[::1]]", "[::1]x", "[::1]80",
                           "[::g]", "[::1%25eth0]", "[::1", "::1", "::1]", "x[::1]"})
    CHECK_FALSE(Url::parse(std::string("http://") + host));
}

TEST_CASE("only http and https are schemes") {
  for (const char* text : {"", "h", "h/x", "//h", "://h", "ftp://h", "https:/h", "https:h", "httpss://h", "xhttps://h"})
    CHECK(refusal(text) == "it must begin with https:// or http://");
}

TEST_CASE("a fragment is refused, wherever it is") {
  for (const char* text : {"https://h#", "https://h/#a", "https://h/?a#b", "https://#@h"})
    CHECK(refusal(text) == "it must not have a fragment (#)");
}

TEST_CASE("a user name is refused") {
  for (const char* text : {"https://me@h", "https://me:pw@h/", "https://127.0.0.1@evil.com", "https://@h"})
    CHECK(refusal(text) == "it must not have a user name (@)");
  CHECK(Url::parse("https://h/a@b").has_value());
}

TEST_CASE("spaces, controls and characters outside ASCII are refused with their place") {
  CHECK(refusal("https://h/a b").ends_with("at byte 11"));
  CHECK(refusal(" https://h").ends_with("at byte 0"));
  CHECK(refusal("https://h\r\nX: y").ends_with("at byte 9"));
  CHECK(refusal("https://h\xc3\xa4").ends_with("at byte 9"));
  CHECK(refusal(std::string_view("https://h\0", 10)).ends_with("at byte 9"));
  CHECK(refusal("https://h/\x7f").ends_with("at byte 10"));
}

TEST_CASE("a host is letters, digits, - and _ between single dots") {
  for (const char* host :
       {"", ":80", "/x", "?x", ".", ".h", "a..b", "a%41", "a\\b", "a\\.evil.com", "a,b", "h;x", "a*"})
    CHECK(refusal(std::string("https://") + host) == "its host is missing or malformed");
  for (const char* host : {"h", "a-b.c_d.e", "1.2.3.4", "h."})
    CHECK(Url::parse(std::string("https://") + host).has_value());
}

TEST_CASE("a port is a number from 1 to 65535") {
  for (const char* port : {"", "0", "65536", "99999999999", "-1", "+1", "8x", " 8", "80:80", "0x50"})
    CHECK_FALSE(Url::parse(std::string("https://h:") + port));
}

TEST_CASE("the addresses at which AWS gives a machine its own data are on this machine") {
  for (const char* host : {"169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]",
                           "169.254.100.1:9001"})
    CHECK(Url::parse(std::string("http://") + host + "/").value().is_machine_metadata());
  for (const char* host : {"169.254.100.2", "169.254.100.10", "169.254.169.254.evil.com", "127.0.0.1"})
    CHECK_FALSE(Url::parse(std::string("http://") + host + "/").value().is_machine_metadata());
}

TEST_CASE("loopback is the machine itself, and nothing that only looks like it") {
  for (const char* host :
       {"localhost", "LocalHost", "a.localhost", "127.0.0.1", "127.255.255.254", "127.1.2.3:80", "[::1]", "[::1]:80"})
    CHECK(loopback(host));
  for (const char* host :
       {"127.evil.com",       "127.0.0.1.evil.com", "127.0.0.1.5", "127.0.0",    "127.1",     "127.0.0.1.",
        "127.0.0.256",        "127.0.0.999",        "127.0.0.01",  "127.0.00.1", "128.0.0.1", "1127.0.0.1",
        "localhost.evil.com", "evillocalhost",      "localhost.",  "[::2]",      "[::1:1]",   "0.0.0.0",
        "2130706433",         "127.0.0.x",          "127.",        "127.0.0."})
    CHECK_FALSE(loopback(host));
  CHECK_FALSE(Url{.host = "127..0.0"}.is_loopback());
  CHECK_FALSE(Url{.host = "127.0.0.-1"}.is_loopback());
  CHECK_FALSE(Url{.host = "127"}.is_loopback());
  CHECK_FALSE(Url{}.is_loopback());
}

TEST_CASE("a service is reached in the clear only on this machine, or when that is asked for") {
  CHECK(parse_service_url("API_URL", "https://api.example.com/x"));
  CHECK(parse_service_url("API_URL", "http://127.0.0.1:9324/x"));
  CHECK(parse_service_url("API_URL", "http://api.example.com/x", PlainHttp::anywhere));
  const auto refused = parse_service_url("API_URL", "http://127.0.0.1.evil.com/?token=s3cret");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::configuration);
  CHECK(refused.error().message.starts_with("API_URL is http:// to 127.0.0.1.evil.com"));
  CHECK(refused.error().message.find("s3cret") == std::string::npos);
}

TEST_CASE("a malformed service URL is a configuration error that does not quote it") {
  const auto refused = parse_service_url("SQS_QUEUE_URL", "https://user:s3cret@h");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::configuration);
  CHECK(refused.error().message.starts_with("SQS_QUEUE_URL"));
  CHECK(refused.error().message.find("s3cret") == std::string::npos);
}
