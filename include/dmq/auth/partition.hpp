#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// A part of AWS with domains of its own.
struct Partition {
  std::string_view prefix;  ///< Of its regions' names.
  std::string_view suffix;
  std::string_view dual_stack_suffix;
};

namespace detail {
/// AWS's partitions other than the first one, from which a region is told by its name.
inline constexpr Partition partitions[] = {
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
};
}  // namespace detail

inline Partition partition_of(std::string_view region) noexcept {
  for (const Partition& partition : detail::partitions)
    if (region.starts_with(partition.prefix)) return partition;
  return {"", "amazonaws.com", "api.aws"};
}

/// What can stand in a host name as a region, like "us-east-1"; whether there is one of that name, AWS knows.
inline bool is_region_name(std::string_view region) noexcept {
  if (region.empty() || region.size() > 63 || region.front() == '-' || region.back() == '-') return false;
  return region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

/// configuration when there is none, or it can't be one.
inline Result<std::string> require_region(std::optional<std::string> region) {
  if (region && is_region_name(*region)) return *std::move(region);
  return configuration_error(
      "environment variable AWS_REGION is not set or malformed; it should be a region like us-east-1");
}

}  // namespace dmq::inline DMQ_ABI::auth
