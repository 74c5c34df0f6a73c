#pragma once

#include <string>
#include <string_view>

#include <dmq/auth/partition.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::sqs {

enum class Fips { off, on };
enum class DualStack { off, on };

struct EndpointOptions {
  std::string region{};
  std::string custom{};  ///< A URL that takes the place of AWS's, for a private endpoint or a local cloud.
  std::string_view custom_name = "the SQS endpoint";  ///< What errors call it.
  Fips fips = Fips::off;
  DualStack dual_stack = DualStack::off;
  http::PlainHttp plain_http = http::PlainHttp::loopback_only;
};

/// The URL that SQS requests go to, without a path ("https://sqs.eu-central-1.amazonaws.com"), by the endpoint rules
/// of AWS's SDKs for SQS. Errors: configuration.
inline Result<std::string> resolve_endpoint(const EndpointOptions& options) {
  const bool fips = options.fips == Fips::on;
  const bool dual_stack = options.dual_stack == DualStack::on;
  if (!options.custom.empty()) {
    if (fips) return configuration_error("FIPS and a custom endpoint exclude each other");
    if (dual_stack) return configuration_error("dual stack and a custom endpoint exclude each other");
    Result<http::Url> url = http::parse_service_url(options.custom_name, options.custom, options.plain_http);
    if (!url) return std::move(url).error();
    if (url->path != "/" || !url->query.empty())
      return configuration_error(std::string(options.custom_name) + " must be a URL without a path, like " +
                                 url->origin());
    return url->origin();
  }
  if (!auth::is_region_name(options.region))
    return configuration_error(options.region.empty() ? "the region is missing: set AWS_REGION, for example us-east-1"
                                                      : "the region should be a name like us-east-1");
  const auth::Partition partition = auth::partition_of(options.region);
  const bool government = partition.prefix == "us-gov-";
  const std::string_view name = fips && (dual_stack || !government) ? "sqs-fips." : "sqs.";
  return "https://" + std::string(name) + options.region + "." +
         std::string(dual_stack ? partition.dual_stack_suffix : partition.suffix);
}

}  // namespace dmq::inline DMQ_ABI::sqs
