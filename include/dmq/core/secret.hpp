#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI {

/// Text that must not be seen: it has no stream operator and no conversion, only reveal(), and its memory is wiped
/// when it ends. Moved from, it is empty.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : text_(new char[text.size()]), size_(text.size()) {
    text.copy(text_.get(), text.size());
  }
  Secret(const Secret& other) : Secret(other.reveal()) {}
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(text_, other.text_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Secret() { wipe(text_.get(), size_); }

  /// The text itself: for the header or the key it is meant for, and nothing else.
  std::string_view reveal() const noexcept { return {text_.get(), size_}; }
  bool empty() const noexcept { return size_ == 0; }

  /// Overwrites memory in a way that the optimiser keeps.
  static void wipe(char* memory, std::size_t size) noexcept {
    volatile char* bytes = memory;
    for (std::size_t i = 0; i < size; ++i) bytes[i] = 0;
  }

  /// Compares in a time that depends on the lengths alone.
  friend bool operator==(const Secret& a, const Secret& b) noexcept { return same(a.reveal(), b.reveal()); }
  static bool same(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
    return difference == 0;
  }

 private:
  std::unique_ptr<char[]> text_;
  std::size_t size_ = 0;
};

}  // namespace dmq::inline DMQ_ABI
