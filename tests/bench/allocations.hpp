#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#include <dmq/crypto/digest.hpp>
#include <dmq/http/curl.hpp>

/// Counts what a program allocates: the C++ way, and inside libcurl and OpenSSL. Include it in one source file, whose
/// main() calls count_allocations() before anything else.
namespace bench {

/// Of this thread, so far. A block that is made larger counts once more.
inline thread_local std::size_t allocations = 0;

namespace detail {
inline void* allocate(std::size_t bytes) {
  ++allocations;
  return std::malloc(bytes);
}
inline void* allocate_zeroed(std::size_t count, std::size_t bytes) {
  ++allocations;
  return std::calloc(count, bytes);
}
inline void* reallocate(void* block, std::size_t bytes) {
  ++allocations;
  return std::realloc(block, bytes);
}
inline char* duplicate(const char* text) {
  ++allocations;
  return strdup(text);
}
inline void release(void* block) {
  std::free(block);
}
}  // namespace detail

/// False when one of the libraries does not let itself be counted.
inline bool count_allocations() {
  const bool openssl =
      CRYPTO_set_mem_functions(
          [](std::size_t bytes, const char*, int) { return detail::allocate(bytes); },
          [](void* block, std::size_t bytes, const char*, int) { return detail::reallocate(block, bytes); },
          [](void* block, const char*, int) { detail::release(block); }) == 1;
  return curl_global_init_mem(CURL_GLOBAL_DEFAULT, detail::allocate, detail::release, detail::reallocate,
                              detail::duplicate, detail::allocate_zeroed) == CURLE_OK &&
         openssl;
}

}  // namespace bench

// Not inlined, as those of the library are not; and g++ takes an inlined free() for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  if (void* const block = bench::detail::allocate(bytes)) return block;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* block) noexcept {
  std::free(block);
}
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
