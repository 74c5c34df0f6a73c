#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

/// Replaces the global operator new of a program by one that counts: include it in one source file. Over-aligned
/// memory is not counted. Not thread-safe.
namespace support {

/// What was asked for and not given back, without what the allocator itself needs.
inline std::size_t live_bytes = 0;
/// How often memory was asked for.
inline std::size_t allocations = 0;

namespace detail {
struct alignas(std::max_align_t) BlockHead {
  std::size_t bytes;
};
}  // namespace detail

}  // namespace support

void* operator new(std::size_t bytes) {
  void* const block = std::malloc(sizeof(support::detail::BlockHead) + bytes);
  if (block == nullptr) throw std::bad_alloc();
  support::live_bytes += bytes;
  ++support::allocations;
  return new (block) support::detail::BlockHead{bytes} + 1;
}

void operator delete(void* pointer) noexcept {
  if (pointer == nullptr) return;
  auto* const head = static_cast<support::detail::BlockHead*>(pointer) - 1;
  support::live_bytes -= head->bytes;
  std::free(head);
}

void operator delete(void* pointer, std::size_t) noexcept {
  operator delete(pointer);
}
