#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <dmq/http/transport.hpp>

using dmq::http::Request;
using dmq::http::Response;
using dmq::http::SharedTransport;

namespace {

struct Counting {
  int sent = 0;
  dmq::Result<Response> send(const Request& request, std::stop_token stop) {
    if (stop.stop_requested()) return dmq::Error{.kind = dmq::ErrorKind::cancelled};
    return Response{.status = 200 + ++sent, .body = request.body};
  }
};

}  // namespace

static_assert(dmq::http::HttpTransport<SharedTransport<Counting>>);

TEST_CASE("copies of a shared transport send through one") {
  SharedTransport first{Counting()};
  SharedTransport second = first;
  CHECK(first.send({.body = "a"}, {}).value().status == 201);
  CHECK(second.send({.body = "b"}, {}).value().status == 202);
  CHECK(first->sent == 2);
  CHECK(&*first == &*second);
}

TEST_CASE("a shared transport passes the body, the stop and the failure on") {
  const auto counting = std::make_shared<Counting>();
  SharedTransport transport(counting);
  CHECK(transport.send({.body = "text"}, {}).value().body == "text");
  std::stop_source stop;
  stop.request_stop();
  CHECK(transport.send({}, stop.get_token()).error().kind == dmq::ErrorKind::cancelled);
  CHECK(counting->sent == 1);
}
