#pragma once

#include <cstddef>
#include <string>

namespace bench {

/// What an operation is asked for on the command line.
struct Options {
  std::size_t n = 0;  ///< Requests, or calls.
  std::string url{};  ///< The origin of the server with the canned answers; for consume and latency of local_cloud.
  std::size_t groups = 100;     ///< Of submit, consume and latency.
  std::size_t in_flight = 256;  ///< Of inflight.
  std::size_t workers = 8;      ///< Of consume.
  std::size_t rate = 1000;      ///< Of latency: requests a second.
};

}  // namespace bench
