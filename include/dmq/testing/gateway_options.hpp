#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <dmq/testing/gateway_authorizer.hpp>
#include <dmq/testing/gateway_faults.hpp>
#include <dmq/testing/rate_limit.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// How the gateway turns the status of SQS into its own: kept, or 200 for everything, as when nothing but the default
/// integration response is set up.
enum class StatusMapping { kept, default_only };

struct GatewayOptions {
  std::string queue = "dmq.fifo";
  std::string stage = "v1";  ///< The first segment of its paths.
  AuthorizerOptions authorizer{};
  std::string api_key{};  ///< Asked for in X-API-Key; empty: none is.
  StatusMapping mapping = StatusMapping::kept;
  RateLimit throttle{};  ///< AWS has 10,000 a second and a burst of 5,000 for an account and region.
  Quota quota{};         ///< Of the usage plan.
  std::size_t payload_limit_bytes = 10U * 1024 * 1024;
  std::size_t header_limit_bytes = 10'240;
  /// After which a request that a GatewayFault lets time out is answered.
  std::chrono::milliseconds integration_timeout{29'000};
  GatewayFaults faults{};
};

}  // namespace dmq::inline DMQ_ABI::testing
