// What the library costs, in CPU time, allocations and requests a second: one line of JSON.
//
//   dmq_bench OPERATION [N] [--url URL] [--groups G] [--in-flight K] [--workers W] [--rate R]
//
// submit                                handing a message over, with G groups (100)
// inflight                              K exchanges (256) at once on one thread, against one at a time
// send, gateway, sendbatch, recvdel     the library's calls, against bare libcurl with the same bytes
// floor-send, ...                       that floor alone
// consume                               Consumer::run with W workers (8), for N messages of G groups; at URL is a
//                                       local_cloud with an empty queue
// latency                               publish at R requests a second (1000), each counted from when it was due,
//                                       against bare libcurl; at URL is a local_cloud with an empty queue
// nginx-config PORT                     prints the configuration of the server that the others need at URL
//
// Exits with 1 when a figure is not within its budget, 2 when it could not be measured.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include <bench/consume.hpp>
#include <bench/exchanges.hpp>
#include <bench/inflight.hpp>
#include <bench/latency.hpp>
#include <bench/nginx_config.hpp>
#include <bench/options.hpp>
#include <bench/submit.hpp>

namespace {

int fail(const char* what) {
  std::fprintf(stderr,
               "%s\nusage: dmq_bench OPERATION [N] [--url URL] [--groups G] [--in-flight K] [--workers W] [--rate R]\n",
               what);
  return 2;
}

bool read_arguments(int argc, char** argv, bench::Options& options) {
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (!name.starts_with("--")) {
      options.n = std::strtoul(argv[i], nullptr, 10);
      continue;
    }
    if (++i == argc) return false;
    if (name == "--url")
      options.url = argv[i];
    else if (name == "--groups")
      options.groups = std::strtoul(argv[i], nullptr, 10);
    else if (name == "--in-flight")
      options.in_flight = std::strtoul(argv[i], nullptr, 10);
    else if (name == "--workers")
      options.workers = std::strtoul(argv[i], nullptr, 10);
    else if (name == "--rate")
      options.rate = std::strtoul(argv[i], nullptr, 10);
    else
      return false;
  }
  return options.n > 0 && options.groups > 0 && options.in_flight > 0 && options.workers > 0 && options.rate > 0;
}

int run(std::string_view operation, const bench::Options& options) {
  if (operation == "submit") return bench::run_submit(options);
  if (operation == "nginx-config") return bench::print_nginx_config(static_cast<unsigned>(options.n)), 0;
  if (options.url.empty()) return fail("this operation needs --url");
  if (operation == "inflight") return bench::run_inflight(options);
  if (operation == "consume") return bench::run_consume(options);
  if (operation == "latency") return bench::run_latency(options);
  const bool is_floor = operation.starts_with("floor-");
  const bench::Exchanges exchanges = bench::exchanges_of(operation.substr(is_floor ? 6 : 0), options.url);
  if (!exchanges.call) return fail("there is no such operation");
  return is_floor ? bench::run_floor(operation, exchanges, options)
                  : bench::run_exchanges(operation, exchanges, options);
}

}  // namespace

int main(int argc, char** argv) try {
  if (!bench::count_allocations()) return fail("libcurl or OpenSSL does not let its allocations be counted");
  bench::Options options;
  if (argc < 2 || !read_arguments(argc, argv, options)) return fail("these arguments are not understood");
  return run(argv[1], options);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
