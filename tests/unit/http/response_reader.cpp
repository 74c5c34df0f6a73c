#include <doctest/doctest.h>

#include <string>

#include <dmq/http/response_reader.hpp>

using dmq::http::Response;
using dmq::http::ResponseReader;

namespace {

ResponseReader reading(std::initializer_list<std::string_view> lines, std::size_t body_limit_bytes = 1000) {
  ResponseReader reader;
  reader.begin(body_limit_bytes);
  for (const std::string_view line : lines) CHECK(reader.header(line));
  return reader;
}

}  // namespace

TEST_SUITE("ResponseReader") {
  TEST_CASE("takes status, fields and body") {
    ResponseReader reader = reading({"HTTP/1.1 404 Not Found\r\n", "X-A: \t one two \r\n", "X-B:\r\n", "\r\n"});
    CHECK(reader.body("bo"));
    CHECK(reader.body("dy"));
    const Response response = reader.take();
    CHECK(response.status == 404);
    CHECK(response.headers.size() == 2);
    CHECK(response.headers.get("x-a") == "one two");
    CHECK(response.headers.find("X-B") == "");
    CHECK(response.body == "body");
  }

  TEST_CASE("takes the status of HTTP/2 and of lines without a reason") {
    CHECK(reading({"HTTP/2 200 \r\n"}).take().status == 200);
    CHECK(reading({"HTTP/1.1 200\r\n"}).take().status == 200);
    CHECK(reading({"HTTP/1.1 two\r\n"}).take().status == 0);
  }

  TEST_CASE("drops interim responses and trailers") {
    ResponseReader reader = reading({"HTTP/1.1 100 Continue\r\n", "X-Interim: 1\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                                     "X-Final: 1\r\n", "\r\n", "X-Trailer: 1\r\n", "HTTP/1.1 500 trailer: 1\r\n"});
    const Response response = reader.take();
    CHECK(response.status == 200);
    CHECK(response.headers.size() == 1);
    CHECK(response.headers.get("X-Final") == "1");
  }

  TEST_CASE("drops lines that are no fields, and folded ones") {
    ResponseReader reader = reading({"HTTP/1.1 200 OK\r\n", "no colon\r\n", ": no name\r\n", "X-A: 1\r\n",
                                     " folded: 2\r\n", "  \r\n", "X-B: 2\r\n"});
    const Response response = reader.take();
    CHECK(response.headers.get("X-A") == "1");
    CHECK(response.headers.get("X-B") == "2");
    CHECK_FALSE(response.headers.find("folded").has_value());
  }

  TEST_CASE("keeps bodies within the limit, and room behind them") {
    ResponseReader reader = reading({"HTTP/1.1 200 OK\r\n", "Content-Length: 1000\r\n", "\r\n"});
    CHECK(reader.body(std::string(400, 'a')));
    CHECK(reader.body(std::string(600, 'b')));
    CHECK_FALSE(reader.body("c"));
    CHECK(reader.fault() == ResponseReader::Fault::body_too_large);
    const Response response = reader.take();
    CHECK(response.body == std::string(400, 'a') + std::string(600, 'b'));
    CHECK(response.body.capacity() >= 1000 + ResponseReader::spare_bytes);
  }

  TEST_CASE("reserves for the announced length once, and never beyond the limit") {
    ResponseReader reader = reading({"HTTP/1.1 200 OK\r\n", "Content-Length: 99999999999\r\n", "\r\n"}, 5000);
    CHECK(reader.body("a"));
    const Response response = reader.take();
    CHECK(response.body.capacity() >= 5000);
    CHECK(response.body.capacity() < 6000);
  }

  TEST_CASE("bounds all header lines of an exchange together") {
    ResponseReader reader = reading({});
    const std::string line = "X: " + std::string(1021, 'x');  // 1 KiB
    for (int i = 0; i < 64; ++i) CHECK(reader.header(line));
    CHECK_FALSE(reader.header("\r\n"));
    CHECK(reader.fault() == ResponseReader::Fault::headers_too_large);
    reader.begin(1000);
    CHECK(reader.header("HTTP/1.1 200 OK\r\n"));
  }

  TEST_CASE("begins anew") {
    ResponseReader reader = reading({"HTTP/1.1 200 OK\r\n", "X-Old: 1\r\n", "\r\n"}, 3);
    CHECK_FALSE(reader.body("long"));
    reader.begin(10);
    CHECK(reader.fault() == ResponseReader::Fault::none);
    CHECK(reader.header("HTTP/1.1 201 Created\r\n"));
    CHECK(reader.header("\r\n"));
    CHECK(reader.body("0123456789"));
    const Response response = reader.take();
    CHECK(response.status == 201);
    CHECK(response.headers.empty());
    CHECK(response.body == "0123456789");
  }
}
