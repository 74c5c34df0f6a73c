// A transport of one's own: cpp-httplib in the place of libcurl. Publishes one message and prints its receipt.

#include <httplib.h>

#include <dmq/dmq.hpp>

#include <cstdio>

class HttplibTransport {
 public:
  dmq::Result<dmq::http::Response> send(const dmq::http::Request& request, std::stop_token stop) {
    if (stop.stop_requested()) return dmq::Error{.kind = dmq::ErrorKind::cancelled, .message = "stopped"};
    if (auto ok = dmq::http::check_headers(request.headers); !ok) return ok.error();
    const auto url = dmq::http::check_url(request.url, dmq::http::PlainHttp::loopback_only);
    if (!url) return url.error();

    httplib::Client client(url->origin());
    client.set_connection_timeout(request.timeout);
    client.set_read_timeout(request.timeout);
    const std::stop_callback abort(stop, [&client] { client.stop(); });

    httplib::Request out;
    out.method = dmq::http::to_string(request.method);
    out.path = url->path + (url->query.empty() ? "" : "?" + url->query);
    for (const auto [name, value] : request.headers) out.headers.emplace(name, value);
    out.body = request.body;
    httplib::Response in;
    httplib::Error error = httplib::Error::Success;
    if (!client.send(out, in, error))
      // Only before there was a connection is it certain that nothing went out.
      return dmq::Error{
          .kind = stop.stop_requested() ? dmq::ErrorKind::cancelled : dmq::ErrorKind::network,
          .delivery = error == httplib::Error::Connection ? dmq::DeliveryState::not_sent : dmq::DeliveryState::unknown,
          .message = httplib::to_string(error)};
    if (in.body.size() > request.response_limit_bytes)
      return dmq::Error{.kind = dmq::ErrorKind::integrity,
                        .delivery = dmq::DeliveryState::unknown,
                        .message = "the response is too large"};
    dmq::http::Response response{.status = in.status};
    for (const auto& [name, value] : in.headers) response.headers.add(name, value);
    response.body = std::move(in.body);
    return response;
  }
};

int main() {
  auto options = dmq::GatewayOptions::from_env();
  if (!options) return std::fprintf(stderr, "%s\n", options.error().describe().c_str()), 1;
  auto producer = dmq::make_producer(*options, HttplibTransport()).value();
  const auto receipt = producer.publish({.body = "carried by a transport of one's own", .group = "custom"});
  if (!receipt) return std::fprintf(stderr, "%s\n", receipt.error().describe().c_str()), 1;
  std::printf("%s\t%s\n", receipt->message_id.c_str(), receipt->sequence_number.c_str());
}
