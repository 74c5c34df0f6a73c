#include <doctest/doctest.h>

#include <string>

#include <dmq/sqs/endpoint.hpp>

using dmq::ErrorKind;
using dmq::http::PlainHttp;
using dmq::sqs::DualStack;
using dmq::sqs::EndpointOptions;
using dmq::sqs::Fips;
using dmq::sqs::resolve_endpoint;

namespace {

std::string refusal(const EndpointOptions& options) {
  const auto endpoint = resolve_endpoint(options);
  if (endpoint) return "";
  CHECK(endpoint.error().kind == ErrorKind::configuration);
  return endpoint.error().message;
}

}  // namespace

TEST_CASE("a region's endpoint goes by the rules of AWS's SDKs") {
  struct Case {
    const char* region;
    Fips fips;
    DualStack dual_stack;
    const char* url;
  };
  const Case cases[] = {
      {"af-south-1", Fips::off, DualStack::off, "https://sqs.af-south-1.amazonaws.com"},
      {"ap-northeast-1", Fips::off, DualStack::off, "https://sqs.ap-northeast-1.amazonaws.com"},
      {"ap-northeast-3", Fips::off, DualStack::off, "https://sqs.ap-northeast-3.amazonaws.com"},
      {"ap-southeast-1", Fips::off, DualStack::off, "https://sqs.ap-southeast-1.amazonaws.com"},
      {"ap-southeast-3", Fips::off, DualStack::off, "https://sqs.ap-southeast-3.amazonaws.com"},
      {"eu-central-1", Fips::off, DualStack::off, "https://sqs.eu-central-1.amazonaws.com"},
      {"eu-south-1", Fips::off, DualStack::off, "https://sqs.eu-south-1.amazonaws.com"},
      {"eu-west-2", Fips::off, DualStack::off, "https://sqs.eu-west-2.amazonaws.com"},
      {"me-south-1", Fips::off, DualStack::off, "https://sqs.me-south-1.amazonaws.com"},
      {"us-east-1", Fips::off, DualStack::off, "https://sqs.us-east-1.amazonaws.com"},
      {"us-east-2", Fips::off, DualStack::off, "https://sqs.us-east-2.amazonaws.com"},
      {"us-west-1", Fips::off, DualStack::off, "https://sqs.us-west-1.amazonaws.com"},
      {"us-west-2", Fips::off, DualStack::off, "https://sqs.us-west-2.amazonaws.com"},
      {"us-east-1", Fips::on, DualStack::off, "https://sqs-fips.us-east-1.amazonaws.com"},
      {"us-east-1", Fips::off, DualStack::on, "https://sqs.us-east-1.api.aws"},
      {"us-east-1", Fips::on, DualStack::on, "https://sqs-fips.us-east-1.api.aws"},
      {"cn-north-1", Fips::off, DualStack::off, "https://sqs.cn-north-1.amazonaws.com.cn"},
      {"cn-north-1", Fips::off, DualStack::on, "https://sqs.cn-north-1.api.amazonwebservices.com.cn"},
      {"cn-north-1", Fips::on, DualStack::on, "https://sqs-fips.cn-north-1.api.amazonwebservices.com.cn"},
      {"us-gov-west-1", Fips::off, DualStack::off, "https://sqs.us-gov-west-1.amazonaws.com"},
      {"us-gov-east-1", Fips::on, DualStack::off, "https://sqs.us-gov-east-1.amazonaws.com"},
      {"us-gov-east-1", Fips::on, DualStack::on, "https://sqs-fips.us-gov-east-1.api.aws"},
      {"us-iso-east-1", Fips::off, DualStack::off, "https://sqs.us-iso-east-1.c2s.ic.gov"},
      {"us-iso-east-1", Fips::on, DualStack::off, "https://sqs-fips.us-iso-east-1.c2s.ic.gov"},
      {"us-isob-east-1", Fips::on, DualStack::off, "https://sqs-fips.us-isob-east-1.sc2s.sgov.gov"},
      {"us-isof-south-1", Fips::off, DualStack::on, "https://sqs.us-isof-south-1.api.aws.hci.ic.gov"},
      {"eu-isoe-west-1", Fips::off, DualStack::off, "https://sqs.eu-isoe-west-1.cloud.adc-e.uk"},
      {"eusc-de-east-1", Fips::off, DualStack::off, "https://sqs.eusc-de-east-1.amazonaws.eu"},
  };
  for (const Case& c : cases)
    CHECK(resolve_endpoint({.region = c.region, .fips = c.fips, .dual_stack = c.dual_stack}).value() == c.url);
}

TEST_CASE("a custom endpoint needs no region, and is its origin") {
  CHECK(resolve_endpoint({.custom = "https://example.com"}).value() == "https://example.com");
  CHECK(resolve_endpoint({.custom = "https://EXAMPLE.com:443/"}).value() == "https://example.com");
  CHECK(resolve_endpoint({.region = "x", .custom = "http://localhost:9324"}).value() == "http://localhost:9324");
}

TEST_CASE("a custom endpoint excludes FIPS and dual stack") {
  CHECK(refusal({.region = "us-east-1", .custom = "https://example.com", .fips = Fips::on}) != "");
  CHECK(refusal({.region = "us-east-1", .custom = "https://example.com", .dual_stack = DualStack::on}) != "");
}

TEST_CASE("a custom endpoint is a URL without a path, over TLS unless it is this machine") {
  CHECK(refusal({.custom = "example.com"}).starts_with("the SQS endpoint is not a URL"));
  CHECK(refusal({.custom = "example.com", .custom_name = "NAME"}).starts_with("NAME is not a URL"));
  CHECK(refusal({.custom = "https://example.com/path"}) ==
        "the SQS endpoint must be a URL without a path, like https://example.com");
  CHECK(refusal({.custom = "https://example.com/?q"}) != "");
  CHECK(refusal({.custom = "http://example.com"}).find("in the clear") != std::string::npos);
  CHECK(refusal({.custom = "http://example.com", .plain_http = PlainHttp::anywhere}) == "");
}

TEST_CASE("a region has the form of one") {
  CHECK(refusal({}) == "the region is missing: set AWS_REGION, for example us-east-1");
  for (const char* region : {"US-EAST-1", "us east", "evil.com/", "-x", "x-", "us-east-1."})
    CHECK_MESSAGE(refusal({.region = region}) == "the region should be a name like us-east-1", region);
  CHECK(refusal({.region = std::string(64, 'a')}) != "");
}
