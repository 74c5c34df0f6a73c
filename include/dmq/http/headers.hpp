#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::http {

/// Header fields in the order they were added, kept as one string of `Name: value\0`, so that a transport may point
/// into it and hundreds of requests cost one buffer. Moved from, it is empty.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  class Iterator {
   public:
    using value_type = Field;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(const char* at) noexcept : at_(at) {}
    Field operator*() const noexcept {
      const std::string_view line = this->line();
      const std::size_t colon = line.find(':');
      return {line.substr(0, colon), line.substr(colon + 2)};
    }
    /// "Name: value", with a NUL behind it.
    std::string_view line() const noexcept { return at_; }
    Iterator& operator++() noexcept { return at_ += line().size() + 1, *this; }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const char* at_ = nullptr;
  };

  /// `name` is a token of RFC 9110; `value` must not hold CR, LF or NUL: check_header_value() tells before it gets
  /// here. Either is cut at one, the name at a colon too, so that nothing can add a field. Both may view these headers.
  void add(std::string_view name, std::string_view value) {
    if (views(name) || views(value)) return add(std::string(name), std::string(value));
    for (const char end : {'\r', '\n', '\0'}) {
      name = name.substr(0, name.find(end));
      value = value.substr(0, value.find(end));
    }
    name = name.substr(0, name.find(':'));
    text_.append(name).append(": ").append(value).push_back('\0');
  }

  /// The only field of this name from now on, behind the others.
  void set(std::string_view name, std::string_view value) {
    if (!find(name)) return add(name, value);
    Headers changed = without(name);
    changed.add(name, value);
    *this = std::move(changed);
  }

  void remove(std::string_view name) {
    if (find(name)) *this = without(name);
  }

  /// The value of the first field of this name, whatever its case.
  std::optional<std::string_view> find(std::string_view name) const noexcept {
    for (const Field field : *this)
      if (encoding::equal_ignoring_case(field.name, name)) return field.value;
    return std::nullopt;
  }

  /// The same, empty when there is none.
  std::string_view get(std::string_view name) const noexcept { return find(name).value_or(std::string_view()); }

  Iterator begin() const noexcept { return Iterator(text_.data()); }
  Iterator end() const noexcept { return Iterator(text_.data() + text_.size()); }
  std::size_t size() const noexcept { return static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\0')); }
  bool empty() const noexcept { return text_.empty(); }
  /// Names, values and separators as they go over the wire.
  std::size_t wire_bytes() const noexcept { return text_.size() + size(); }
  void clear() noexcept { text_.clear(); }
  void reserve(std::size_t bytes) { text_.reserve(bytes); }

 private:
  bool views(std::string_view text) const noexcept {
    const std::less<const char*> before;
    return !before(text.data(), text_.data()) && before(text.data(), text_.data() + text_.size());
  }

  Headers without(std::string_view name) const {
    Headers kept;
    kept.reserve(text_.capacity());
    for (const Field field : *this)
      if (!encoding::equal_ignoring_case(field.name, name)) kept.add(field.name, field.value);
    return kept;
  }

  std::string text_;
};

/// invalid_argument when `value` can't stand in a header field (RFC 9110, 5.5): a control character other than tab.
inline Result<void> check_header_value(std::string_view name, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7F)
      return invalid_argument(std::string(name) + " has a control character at byte " + std::to_string(i) +
                              ", which a header field can't carry");
  }
  return {};
}

}  // namespace dmq::inline DMQ_ABI::http
