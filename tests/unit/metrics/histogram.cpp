#include <doctest/doctest.h>

#include <chrono>

#include <dmq/metrics/histogram.hpp>

using dmq::Duration;
using dmq::metrics::Histogram;
using dmq::metrics::SharedHistogram;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

template <class... Durations>
Histogram of(Durations... durations) {
  SharedHistogram shared;
  (shared.add(durations), ...);
  return shared.read();
}

}  // namespace

TEST_CASE("a bucket holds what lies above the bound before it, up to its own") {
  const Histogram histogram = of(nanoseconds(0), milliseconds(5), nanoseconds(5'000'001), milliseconds(10), seconds(10),
                                 seconds(10) + nanoseconds(1), seconds(30), milliseconds(-3));
  CHECK(histogram.counts[0] == 3);
  CHECK(histogram.counts[1] == 2);
  CHECK(histogram.counts[2] == 0);
  CHECK(histogram.counts[13] == 1);
  CHECK(histogram.counts[14] == 2);
  CHECK(histogram.count() == 8);
  CHECK(histogram.sum == seconds(50) + milliseconds(20) + nanoseconds(2));
}

TEST_CASE("a quantile lies in its bucket, as far as the part of it that is needed") {
  Histogram histogram;
  histogram.counts[5] = 10;  // 75 to 100 ms
  histogram.counts[6] = 30;  // 100 to 250 ms
  CHECK(histogram.quantile(0) == milliseconds(75));
  CHECK(histogram.quantile(0.125) == milliseconds(75) + std::chrono::microseconds(12'500));
  CHECK(histogram.quantile(0.25) == milliseconds(100));
  CHECK(histogram.quantile(0.5) == milliseconds(150));
  CHECK(histogram.quantile(1) == milliseconds(250));
  CHECK(histogram.quantile(7) == milliseconds(250));
  CHECK(histogram.quantile(-1) == milliseconds(75));
}

TEST_CASE("the first bucket begins at zero, the last has no end, and nothing has no quantile") {
  CHECK(of(milliseconds(1)).quantile(0.5) == std::chrono::microseconds(2'500));
  CHECK(of(seconds(20)).quantile(0) == seconds(10));
  CHECK(of(seconds(20)).quantile(0.99) == seconds(10));
  CHECK(Histogram().quantile(0.5) == Duration::zero());
}

TEST_CASE("histograms add up") {
  Histogram all = of(milliseconds(1), seconds(20));
  all += of(milliseconds(2));
  CHECK(all.counts[0] == 2);
  CHECK(all.counts[14] == 1);
  CHECK(all.sum == seconds(20) + milliseconds(3));
}
