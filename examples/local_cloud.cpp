// Cognito's token endpoint, the gateway and SQS, in memory, behind an HTTP server that any client can talk to:
//
//     local_cloud [--host 127.0.0.1] [--port 9324] [--queue NAME.fifo]...
//
// Prints the environment that clients need, one NAME=value a line, then "ready". SIGINT and SIGTERM end it.
#include <httplib.h>

#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include <dmq/json/simdjson.hpp>
#include <dmq/testing/cloud_host.hpp>

#include "command_line.hpp"
#include "stop_on_signal.hpp"

namespace {

using Host = dmq::testing::CloudHost<dmq::SystemClock>;

/// The first queue named is the one that the gateway feeds.
dmq::testing::LocalCloudOptions read_options(CommandLine& arguments) {
  dmq::testing::LocalCloudOptions options{.started = dmq::instant(dmq::SystemClock())};
  for (bool first = true; const auto name = arguments.value("--queue"); first = false) {
    if (first) {
      options.queues.clear();
      options.gateway.queue = *name;
    }
    options.queues[*name] = name->ends_with(".fifo") ? dmq::testing::LocalCloudOptions::high_throughput_fifo()
                                                     : dmq::testing::QueueAttributes{};
  }
  return options;
}

dmq::http::Request translate(const httplib::Request& incoming) {
  dmq::http::Request request;
  if (incoming.method == "POST")
    request.method = dmq::http::Method::post;
  else if (incoming.method == "PUT")
    request.method = dmq::http::Method::put;
  else if (incoming.method == "DELETE")
    request.method = dmq::http::Method::delete_;
  request.url = "http://" + incoming.get_header_value("Host") + incoming.target;
  // The server adds some that did not come over the wire.
  for (const auto& [name, value] : incoming.headers)
    if (!name.starts_with("REMOTE_") && !name.starts_with("LOCAL_")) request.headers.add(name, value);
  request.body = incoming.body;
  return request;
}

void answer(Host& host, const std::stop_token& stop, const httplib::Request& incoming, httplib::Response& outgoing) {
  const auto response = host.handle(translate(incoming), stop);
  if (!response) {
    outgoing.status = 503;
    return;
  }
  outgoing.status = response->status;
  for (const auto field : response->headers)
    outgoing.headers.emplace(std::string(field.name), std::string(field.value));
  outgoing.body = response->body;
}

}  // namespace

int main(int count, char** argv) {
  CommandLine arguments(count, argv, "local_cloud [--host 127.0.0.1] [--port 9324] [--queue NAME.fifo]...");
  const std::string address = arguments.value("--host").value_or("127.0.0.1");
  int port = static_cast<int>(arguments.number("--port", 9324, 0, 65535));
  dmq::testing::LocalCloudOptions options = read_options(arguments);
  arguments.finish();

  StopOnSignal interrupted;
  Host host(dmq::testing::LocalCloud(std::move(options), &dmq::json::simdjson_parse));
  httplib::Server server;
  // A connection keeps its thread, and a long poll its connection.
  server.new_task_queue = [] { return new httplib::ThreadPool(256); };
  server.set_keep_alive_max_count(1'000'000'000);
  server.set_tcp_nodelay(true);
  const auto handler = [&](const auto& incoming, auto& outgoing) {
    answer(host, interrupted.token(), incoming, outgoing);
  };
  server.Get(".*", handler).Post(".*", handler).Put(".*", handler).Delete(".*", handler);

  if (port == 0)
    port = server.bind_to_any_port(address);
  else if (!server.bind_to_port(address, port))
    port = -1;
  if (port < 0) {
    std::fprintf(stderr, "cannot listen on %s\n", address.c_str());
    return 1;
  }
  const std::string origin = "http://" + address + ":" + std::to_string(port);
  for (const auto& [name, value] : host.with([&](auto& cloud) { return cloud.environment(origin); }))
    std::printf("%s=%s\n", name.c_str(), value.c_str());
  std::puts("ready");
  std::fflush(stdout);

  const std::stop_callback stop(interrupted.token(), [&] { server.stop(); });
  server.listen_after_bind();
}
