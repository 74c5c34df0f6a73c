#pragma once

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <dmq/core/error.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>

namespace dmq::inline DMQ_ABI::crypto {

namespace detail {
/// Differs between a process and what it forks. Asking for the process id each time would take a system call, which
/// costs as much as all else that an id needs.
inline std::uint64_t fork_generation() noexcept {
  static std::atomic<std::uint64_t> forks = 0;
  static const bool is_told = pthread_atfork(nullptr, nullptr, [] { ++forks; }) == 0;
  return is_told ? forks.load(std::memory_order_relaxed) : ++forks;
}
}  // namespace detail

/// Ids of 128 random bits in 32 hexadecimal digits. Draws many at a time, and anew in a forked child and in a copy: two
/// messages with one id would be one message. Throws dmq::Exception (configuration) when the system has no random bytes
/// to give. Not thread-safe.
class RandomIds {
 public:
  RandomIds() = default;
  RandomIds(const RandomIds&) noexcept {}
  RandomIds& operator=(const RandomIds&) noexcept { return used_ = pool_size, *this; }

  std::string operator()() {
    constexpr std::size_t size = 16;
    if (const std::uint64_t generation = detail::fork_generation(); generation != generation_ || used_ == pool_size) {
      used_ = pool_size;
      if (!random_bytes(pool_)) throw Exception(configuration_error("OpenSSL has no random bytes to give"));
      used_ = 0;
      generation_ = generation;
    }
    const auto bytes = std::span<const std::uint8_t>(pool_).subspan(used_, size);
    used_ += size;
    return encoding::hex(bytes);
  }

 private:
  static constexpr std::size_t pool_size = 512;

  std::array<std::uint8_t, pool_size> pool_{};
  std::size_t used_ = pool_size;
  std::uint64_t generation_ = 0;
};

/// A seed that differs from program to program.
inline std::uint64_t random_seed() {
  std::array<std::uint8_t, 8> bytes{};
  random_bytes(bytes);
  std::uint64_t seed = 0;
  for (const std::uint8_t byte : bytes) seed = seed << 8 | byte;
  return seed;
}

}  // namespace dmq::inline DMQ_ABI::crypto
