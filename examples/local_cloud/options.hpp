#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/faults.hpp>
#include <dmq/testing/local_cloud.hpp>

#include "../command_line.hpp"
#include "cloud_service.hpp"

inline constexpr const char* usage =
    "local_cloud [OPTION]...\n"
    "  --host 127.0.0.1       the address to listen on\n"
    "  --port 9324            0: a free one\n"
    "  --queue NAME[.fifo]    a queue to begin with; may be repeated, the gateway feeds the first\n"
    "  --tls CERT KEY         serve https with these PEM files\n"
    "  --seed-env FILE        write the environment of clients to a file too\n"
    "  --state FILE           keep the queues in a file over a restart\n"
    "  --connections 4096     most connections at once, each with a thread; fewer where fewer files may be open.\n"
    "                         More are answered 503\n"
    "  --latency MS           delay each answer\n"
    "  --fault NAME=RATE      let a share of the requests go wrong, 0 to 1; may be repeated:\n"
    "                         lost-request, lost-reply, throttle, timeout, internal-error\n"
    "  --seed 1               of the faults: the same requests in the same order have the same\n"
    "  --revoke-tokens SEC    revoke all tokens issued so far, every so often";

struct TlsFiles {
  std::string certificate{};
  std::string key{};
};

struct Options {
  std::string host = "127.0.0.1";
  int port = 9324;
  std::size_t connections = 4096;
  std::optional<TlsFiles> tls{};
  std::optional<std::string> seed_env{};
  std::optional<std::string> state{};
  dmq::testing::LocalCloudOptions cloud{};
  ServiceOptions service{};
};

/// `NAME=RATE`
inline void read_fault(const CommandLine& arguments, const std::string& text, dmq::testing::Faults& faults) {
  const std::size_t equals = text.find('=');
  std::string names;
  for (const auto& [fault, name] : dmq::testing::fault_names) {
    names.append(names.empty() ? "" : ", ").append(name);
    if (name != std::string_view(text).substr(0, equals)) continue;
    double rate = -1;
    const char* const end = text.data() + text.size();
    const auto [last, error] = equals == std::string::npos
                                   ? std::from_chars_result{text.data(), std::errc::invalid_argument}
                                   : std::from_chars(text.data() + equals + 1, end, rate);
    if (error != std::errc() || last != end || !(rate >= 0 && rate <= 1))
      arguments.fail("--fault " + std::string(name) + " needs a rate from 0 to 1: --fault " + std::string(name) +
                     "=0.1");
    return faults.set_rate(fault, rate);
  }
  arguments.fail("--fault does not know \"" + text.substr(0, equals) + "\"; the faults are " + names);
}

/// The first queue named is the one that the gateway feeds.
inline void read_queues(CommandLine& arguments, dmq::testing::LocalCloudOptions& cloud) {
  using dmq::testing::LocalCloudOptions;
  for (bool first = true; const auto name = arguments.value("--queue"); first = false) {
    if (first) {
      cloud.queues.clear();
      cloud.gateway.queue = *name;
    }
    cloud.queues[*name] =
        name->ends_with(".fifo") ? LocalCloudOptions::high_throughput_fifo() : dmq::testing::QueueAttributes{};
  }
}

inline Options read_options(CommandLine& arguments) {
  Options options;
  options.host = arguments.value("--host").value_or(options.host);
  options.port = static_cast<int>(arguments.number("--port", options.port, 0, 65535));
  options.connections = static_cast<std::size_t>(arguments.number("--connections", 4096, 1, 30'000));
  if (auto files = arguments.pair("--tls")) options.tls = {std::move(files->first), std::move(files->second)};
  options.seed_env = arguments.value("--seed-env");
  options.state = arguments.value("--state");
  options.cloud.started = dmq::instant(dmq::SystemClock());
  // What is made in this run must not get the ids of an earlier one.
  if (options.state)
    options.cloud.seed = static_cast<std::uint64_t>(dmq::SystemClock().now().time_since_epoch().count());
  read_queues(arguments, options.cloud);
  options.service.latency = std::chrono::milliseconds(arguments.number("--latency", 0, 0, 600'000));
  options.service.revoke_tokens = std::chrono::seconds(arguments.number("--revoke-tokens", 0, 1, 86'400));
  options.service.faults = dmq::testing::Faults(static_cast<std::uint64_t>(arguments.number("--seed", 1, 0, 1L << 53)));
  while (const auto fault = arguments.value("--fault")) read_fault(arguments, *fault, options.service.faults);
  arguments.finish();
  return options;
}
