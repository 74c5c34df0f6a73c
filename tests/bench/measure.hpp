#pragma once

#include <time.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

#include <bench/allocations.hpp>

namespace bench {

inline double clock_us(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

/// How long this thread could have run and was not let, because others did. Zero where Linux does not tell.
inline double kept_waiting_us() {
  unsigned long long ran = 0;
  unsigned long long waited = 0;
  if (std::FILE* const file = std::fopen("/proc/thread-self/schedstat", "r")) {
    if (std::fscanf(file, "%llu %llu", &ran, &waited) != 2) waited = 0;
    std::fclose(file);
  }
  return static_cast<double>(waited) / 1e3;
}

/// What something took. CPU time is that of the calling thread, in the kernel as well: other programs on the machine
/// change it little, and wall time much.
struct Cost {
  double wall_us = 0;
  double cpu_us = 0;
  double waiting_us = 0;  ///< For a processor.
  double allocations = 0;

  Cost& operator+=(const Cost& other) {
    wall_us += other.wall_us;
    cpu_us += other.cpu_us;
    waiting_us += other.waiting_us;
    allocations += other.allocations;
    return *this;
  }
};

template <class Work>
Cost cost_of(Work work) {
  const double waiting_before = kept_waiting_us();
  const std::size_t allocations_before = allocations;
  const double wall_before = clock_us(CLOCK_MONOTONIC);
  const double cpu_before = clock_us(CLOCK_THREAD_CPUTIME_ID);
  work();
  Cost cost{.wall_us = clock_us(CLOCK_MONOTONIC) - wall_before,
            .cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - cpu_before,
            .allocations = static_cast<double>(allocations - allocations_before)};
  cost.waiting_us = kept_waiting_us() - waiting_before;
  return cost;
}

/// The value that the part `q` (0 to 1) of `values` is at most; there is at least one.
inline double quantile(std::vector<double> values, double q) {
  const auto at = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}
inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

}  // namespace bench
