#pragma once

#include <cstddef>
#include <string>

namespace bench {

/// What an operation is asked for on the command line.
struct Options {
  std::size_t n = 0;            ///< Requests, or calls.
  std::string url{};            ///< The origin of the server with the canned answers; for consume of local_cloud.
  std::size_t groups = 100;     ///< Of submit and consume.
  std::size_t in_flight = 256;  ///< Of inflight.
  std::size_t workers = 8;      ///< Of consume.
};

}  // namespace bench
