// The file of a program that wires: it includes everything.
#include <dmq/dmq.hpp>

#include <cstdio>

#include "other.hpp"

int main() {
  dmq::QueueOptions options{.queue_url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders.fifo",
                            .region = "us-east-1",
                            .credentials = {.access_key_id = "id", .secret_access_key = dmq::Secret("secret")}};
  auto consumer = dmq::make_consumer(options);
  // No token endpoint and no client: refused before there is any network.
  const auto refused = dmq::make_producer(dmq::GatewayOptions{.api_url = "https://example.com/publish-queue"});
  auto producer = dmq::make_producer(options, NoNetwork{});
  if (!consumer || refused || !producer) return 1;

  const dmq::Error error = publish_elsewhere(*std::move(producer));
  std::printf("dmq %s: %s\n", DMQ_VERSION, error.message.c_str());
  return error.message == no_network && dmq::http::parse_service_url == url_parser_elsewhere() ? 0 : 2;
}
