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
    /// `at` is the beginning of a line, or the end of all, where a string has a NUL, too.
    explicit Iterator(const char* at) noexcept : line_(at) {}
    Field operator*() const noexcept {
      const std::size_t colon = line_.find(':');
      return {line_.substr(0, colon), line_.substr(colon + 2)};
    }
    /// "Name: value", with a NUL behind it.
    std::string_view line() const noexcept { return line_; }
    Iterator& operator++() noexcept { return *this = Iterator(line_.data() + line_.size() + 1); }
    Iterator operator++(int) noexcept {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(Iterator a, Iterator b) noexcept { return a.line_.data() == b.line_.data(); }

   private:
    std::string_view line_{};
  };

  /// `name` is a token of RFC 9110; `value`, with `more` right behind it, must not hold CR, LF or NUL:
  /// check_header_value() tells before it gets here. All are cut at one, the name at a colon too, so that nothing can
  /// add a field. They may view these headers.
  void add(std::string_view name, std::string_view value, std::string_view more = {}) {
    if (views(name) || views(value) || views(more))
      return add(std::string(name), std::string(line_of(value)).append(line_of(more)));
    text_.append(line_of(name.substr(0, name.find(':')))).append(": ");
    text_.append(line_of(value)).append(line_of(more)).push_back('\0');
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

  /// Up to the first character that would end a line.
  static std::string_view line_of(std::string_view text) noexcept {
    const std::size_t control = encoding::find_control(text);
    if (control == std::string_view::npos) return text;
    return text.substr(0, text.find_first_of(std::string_view("\r\n\0", 3), control));
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
  const std::size_t at = encoding::find_control(value);
  if (at == std::string_view::npos) return {};
  return invalid_argument(std::string(name) + " has a control character at byte " + std::to_string(at) +
                          ", which a header field can't carry");
}

}  // namespace dmq::inline DMQ_ABI::http
