#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI::metrics {

/// The upper bounds of the buckets, inclusive, as OpenTelemetry's messaging conventions advise.
inline constexpr std::array<Duration, 14> bounds = {
    std::chrono::milliseconds(5),    std::chrono::milliseconds(10),   std::chrono::milliseconds(25),
    std::chrono::milliseconds(50),   std::chrono::milliseconds(75),   std::chrono::milliseconds(100),
    std::chrono::milliseconds(250),  std::chrono::milliseconds(500),  std::chrono::milliseconds(750),
    std::chrono::milliseconds(1000), std::chrono::milliseconds(2500), std::chrono::milliseconds(5000),
    std::chrono::milliseconds(7500), std::chrono::milliseconds(10000)};

/// How long things took.
struct Histogram {
  std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< Of each bucket alone; the last is beyond all bounds.
  Duration sum{};

  std::uint64_t count() const noexcept { return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}); }

  /// What the part `q` of them, 0 to 1, did not exceed, estimated as if each bucket were filled evenly: 0.5 gives the
  /// median. Beyond all bounds it is the last bound; without observations it is zero.
  Duration quantile(double q) const noexcept {
    const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(count());
    double below = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      const auto here = static_cast<double>(counts[i]);
      if (here > 0 && below + here >= rank) {
        const Duration lower = i == 0 ? Duration::zero() : bounds[i - 1];
        const double part = (rank - below) / here;
        return lower + std::chrono::duration_cast<Duration>((bounds[i] - lower) * part);
      }
      below += here;
    }
    return counts.back() > 0 ? bounds.back() : Duration::zero();
  }

  Histogram& operator+=(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
    sum += other.sum;
    return *this;
  }
};

/// A Histogram that any number of threads add to, without locks. A read beside additions may see their parts.
class SharedHistogram {
 public:
  /// Durations below zero count as zero.
  void add(Duration duration) noexcept {
    duration = std::max(duration, Duration::zero());
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), duration) - bounds.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(duration.count(), std::memory_order_relaxed);
  }

  Histogram read() const noexcept {
    Histogram histogram{.sum = Duration(sum_.load(std::memory_order_relaxed))};
    for (std::size_t i = 0; i < counts_.size(); ++i) histogram.counts[i] = counts_[i].load(std::memory_order_relaxed);
    return histogram;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<Duration::rep> sum_{0};
};

}  // namespace dmq::inline DMQ_ABI::metrics
