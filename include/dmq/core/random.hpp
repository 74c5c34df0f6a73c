#pragma once

#include <bit>
#include <cstdint>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI {

/// Pseudo-random numbers for jitter and tests (xoshiro256**, seeded by SplitMix64, by Blackman and Vigna). The same
/// seed gives the same numbers with every compiler and library, which the standard distributions do not promise.
/// Not for secrets. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  std::uint64_t next() noexcept {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// At least 0, less than 1.
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// At least 0, less than `bound`, which is above 0.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>(uniform() * static_cast<double>(bound));
  }

  bool chance(double probability) noexcept { return uniform() < probability; }

 private:
  std::uint64_t state_[4] = {};
};

}  // namespace dmq::inline DMQ_ABI
