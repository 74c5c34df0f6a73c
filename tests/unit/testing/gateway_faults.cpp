#include <dmq/testing/gateway_faults.hpp>

#include <doctest/doctest.h>

#include <map>

using dmq::testing::draw_fault;
using dmq::testing::GatewayFault;
using dmq::testing::GatewayFaults;

TEST_CASE("faults strike as often as they are to") {
  dmq::Random random(1);
  const GatewayFaults faults{.throttled = 0.1, .error_after = 0.2, .timeout_after = 0.3};
  std::map<GatewayFault, int> struck;
  for (int i = 0; i < 10'000; ++i) ++struck[draw_fault(faults, random)];
  CHECK(struck[GatewayFault::none] == doctest::Approx(4000).epsilon(0.05));
  CHECK(struck[GatewayFault::throttled] == doctest::Approx(1000).epsilon(0.1));
  CHECK(struck[GatewayFault::error_after] == doctest::Approx(2000).epsilon(0.1));
  CHECK(struck[GatewayFault::timeout_after] == doctest::Approx(3000).epsilon(0.1));
  CHECK(struck.count(GatewayFault::error_before) == 0);
  CHECK(struck.count(GatewayFault::timeout_before) == 0);
}

TEST_CASE("a share of 0 never strikes and one of 1 always does, by each name") {
  dmq::Random random(2);
  for (int i = 0; i < 1000; ++i) CHECK(draw_fault({}, random) == GatewayFault::none);
  for (const auto& [name, fault, share] : dmq::testing::gateway_fault_names) {
    CAPTURE(name);
    GatewayFaults faults;
    faults.*share = 1;
    for (int i = 0; i < 100; ++i) CHECK(draw_fault(faults, random) == fault);
  }
}
