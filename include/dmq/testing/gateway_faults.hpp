#pragma once

#include <array>
#include <string_view>

#include <dmq/core/random.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What can befall a request that the gateway would let in. "Before" and "after" are meant of SQS: after it, SQS has
/// done what it was asked, and the caller cannot tell.
enum class GatewayFault { none, throttled, error_before, error_after, timeout_before, timeout_after };

/// The share of requests that each fault strikes, 0 to 1; together at most 1.
struct GatewayFaults {
  double throttled = 0;       ///< 429, without having reached SQS.
  double error_before = 0;    ///< 500
  double error_after = 0;     ///< 500
  double timeout_before = 0;  ///< 504, when the time limit of the integration has passed
  double timeout_after = 0;   ///< 504, when the time limit of the integration has passed
};

struct GatewayFaultName {
  std::string_view name{};
  GatewayFault fault = GatewayFault::none;
  double GatewayFaults::* share = nullptr;
};

/// All faults by name, for command lines.
inline constexpr std::array gateway_fault_names = {
    GatewayFaultName{"throttled", GatewayFault::throttled, &GatewayFaults::throttled},
    GatewayFaultName{"error-before", GatewayFault::error_before, &GatewayFaults::error_before},
    GatewayFaultName{"error-after", GatewayFault::error_after, &GatewayFaults::error_after},
    GatewayFaultName{"timeout-before", GatewayFault::timeout_before, &GatewayFaults::timeout_before},
    GatewayFaultName{"timeout-after", GatewayFault::timeout_after, &GatewayFaults::timeout_after},
};

inline GatewayFault draw_fault(const GatewayFaults& faults, Random& random) {
  double left = random.uniform();
  for (const GatewayFaultName& candidate : gateway_fault_names) {
    if (left < faults.*candidate.share) return candidate.fault;
    left -= faults.*candidate.share;
  }
  return GatewayFault::none;
}

}  // namespace dmq::inline DMQ_ABI::testing
