// Cognito's token endpoint, the gateway and SQS, in memory, behind an HTTP server that any client can talk to:
//
//     local_cloud [--host 127.0.0.1] [--port 9324] [--queue NAME.fifo]...
//
// Prints the environment that clients need, one NAME=value a line, then "ready". SIGINT and SIGTERM end it: long polls
// that wait are answered 503, requests that have come are finished. `--help` lists the other options.
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/json/simdjson.hpp>
#include <dmq/testing/cloud_host.hpp>

#include "command_line.hpp"
#include "local_cloud/cloud_service.hpp"
#include "local_cloud/files.hpp"
#include "local_cloud/http_server.hpp"
#include "local_cloud/options.hpp"
#include "local_cloud/state_file.hpp"
#include "local_cloud/tls_context.hpp"
#include "stop_on_signal.hpp"

namespace {

/// One NAME=value a line.
std::string environment_text(Host& host, const std::string& origin) {
  std::string text;
  for (const auto& [name, value] : host.with([&](auto& cloud) { return cloud.environment(origin); }))
    text.append(name).append("=").append(value).append("\n");
  return text;
}

}  // namespace

int main(int count, char** argv) {
  CommandLine arguments(count, argv, usage);
  Options options = read_options(arguments);

  StopOnSignal interrupted;
  TlsContext tls;
  if (options.tls) tls = make_tls_context(options.tls->certificate, options.tls->key);
  if (options.tls && !tls) return EXIT_FAILURE;
  Host host(dmq::testing::LocalCloud(std::move(options.cloud), &dmq::json::simdjson_parse));
  if (options.state && !load_state(host, *options.state)) return EXIT_FAILURE;
  CloudService service(host, std::move(options.service));
  HttpServer server([&](const auto& request, std::string body, auto& response,
                        auto& connection) { service.handle(request, std::move(body), response, connection); },
                    allowed_connections(options.connections), tls.get());

  const int port = server.bind(options.host, options.port);
  if (port < 0) {
    std::fprintf(stderr, "cannot listen on %s, port %d\n", options.host.c_str(), options.port);
    return EXIT_FAILURE;
  }
  std::optional<StateFile> state;
  if (options.state && !state.emplace(host, service, *options.state).save()) return EXIT_FAILURE;
  const std::string origin = (tls ? "https://" : "http://") + options.host + ":" + std::to_string(port);
  const std::string environment = environment_text(host, origin);
  if (options.seed_env && !replace_file(*options.seed_env, environment)) return EXIT_FAILURE;
  std::printf("%sready\n", environment.c_str());
  std::fflush(stdout);

  const std::stop_callback stop(interrupted.token(), [&] { server.stop(); });
  server.serve();
  service.print_faults(stderr);
  if (state && !state->save()) return EXIT_FAILURE;
}
