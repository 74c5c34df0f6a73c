#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>

namespace dmq::inline DMQ_ABI::json {

enum class Kind : std::uint8_t { null, boolean, integer, real, string, array, object };

class Document;

/// A place in a Document, cheap to copy; valid while the document is neither parsed into again nor gone. Asking for
/// what is not there gives a missing value, and asking that gives missing values again, so a path reads straight:
///
///     document.root()["SendMessageResponse"]["SendMessageResult"]["MessageId"].string()
class Value {
 public:
  Value() = default;

  bool exists() const noexcept { return document_ != nullptr; }
  bool is(Kind kind) const noexcept;

  /// The member of an object, the first one where names repeat.
  Value operator[](std::string_view name) const noexcept;

  std::optional<std::string_view> string() const noexcept;
  std::optional<std::int64_t> integer() const noexcept;  ///< Also of a real without fraction.
  std::optional<double> number() const noexcept;
  std::optional<bool> boolean() const noexcept;

  /// The elements of an array or the members of an object; nothing for everything else.
  class Iterator;
  Iterator begin() const noexcept;
  Iterator end() const noexcept;
  std::size_t size() const noexcept;

  /// The name of a member, when this value came from iterating an object.
  std::string_view name() const noexcept;

 private:
  friend class Document;
  Value(const Document* document, std::uint32_t node) noexcept : document_(document), node_(node) {}

  const Document* document_ = nullptr;
  std::uint32_t node_ = 0;
};

/// Parsed JSON as one flat list of nodes, in the order of the text, and one string with all text in it; parsing into
/// it again reuses both. A parser fills it by the functions at its end.
class Document {
 public:
  /// Missing when nothing was parsed.
  Value root() const noexcept { return nodes_.empty() ? Value() : Value(this, 0); }

  // For parsers: values in the order of the text. `open` returns what `close` takes.
  void clear() noexcept {
    nodes_.clear();
    text_.clear();
    name_ = {};
  }
  /// For the text of so many bytes: what it needs at the most, and about as many values as JSON of that size has.
  void reserve(std::size_t bytes) {
    text_.reserve(bytes);
    nodes_.reserve(8 + bytes / 32);
  }
  void name(std::string_view name) { name_ = store(name); }
  void add_null() { add(Kind::null); }
  /// Only of a bool: any pointer would convert to one.
  void add(std::same_as<bool> auto value) { add(Kind::boolean).bits = value ? 1 : 0; }
  void add(std::int64_t value) { add(Kind::integer).bits = std::bit_cast<std::uint64_t>(value); }
  void add(double value) { add(Kind::real).bits = std::bit_cast<std::uint64_t>(value); }
  void add(std::string_view text) {
    const Text stored = store(text);
    add(Kind::string).bits = std::bit_cast<std::uint64_t>(stored);
  }
  std::uint32_t open(Kind kind) {
    add(kind);
    return static_cast<std::uint32_t>(nodes_.size() - 1);
  }
  void close(std::uint32_t opened) { nodes_[opened].end = static_cast<std::uint32_t>(nodes_.size()); }

 private:
  friend class Value;

  struct Text {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  struct Node {
    Kind kind = Kind::null;
    std::uint32_t end = 0;  ///< The node behind this value and all in it.
    Text name{};
    std::uint64_t bits = 0;  ///< The number itself, or where the text is.
  };

  Text store(std::string_view text) {
    const Text stored{static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(text.size())};
    text_.append(text);
    return stored;
  }
  Node& add(Kind kind) {
    Node& node = nodes_.emplace_back();
    node.kind = kind;
    node.end = static_cast<std::uint32_t>(nodes_.size());
    node.name = std::exchange(name_, Text{});
    return node;
  }
  std::string_view view(Text text) const noexcept { return {text_.data() + text.offset, text.size}; }

  std::vector<Node> nodes_;
  std::string text_;
  Text name_{};
};

/// What a parser lets in.
struct Limits {
  std::size_t bytes = 64U * 1024 * 1024;
  int depth = 32;  ///< Arrays and objects inside each other.
};

/// Parses one JSON value with nothing but white space behind it into a document. Errors: protocol, saying what is
/// wrong without quoting the text; the document is empty then. Pure, callable from any thread; json/simdjson.hpp has
/// the one that ships.
using Parser = Result<void> (*)(std::string_view text, Document& document, Limits limits);

class Value::Iterator {
 public:
  using value_type = Value;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  explicit Iterator(Value at) noexcept : at_(at) {}
  Value operator*() const noexcept { return at_; }
  Iterator& operator++() noexcept {
    at_.node_ = at_.document_->nodes_[at_.node_].end;
    return *this;
  }
  Iterator operator++(int) noexcept {
    const Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const noexcept { return at_.node_ == other.at_.node_; }

 private:
  Value at_;
};

inline bool Value::is(Kind kind) const noexcept {
  return exists() && document_->nodes_[node_].kind == kind;
}

inline Value::Iterator Value::begin() const noexcept {
  if (!is(Kind::array) && !is(Kind::object)) return Iterator();
  return Iterator(Value(document_, node_ + 1));
}

inline Value::Iterator Value::end() const noexcept {
  if (!is(Kind::array) && !is(Kind::object)) return Iterator();
  return Iterator(Value(document_, document_->nodes_[node_].end));
}

inline std::size_t Value::size() const noexcept {
  std::size_t count = 0;
  for (auto it = begin(); it != end(); ++it) ++count;
  return count;
}

inline Value Value::operator[](std::string_view name) const noexcept {
  if (!is(Kind::object)) return {};
  const auto& nodes = document_->nodes_;
  for (std::uint32_t at = node_ + 1; at != nodes[node_].end; at = nodes[at].end)
    if (document_->view(nodes[at].name) == name) return Value(document_, at);
  return {};
}

inline std::string_view Value::name() const noexcept {
  return exists() ? document_->view(document_->nodes_[node_].name) : std::string_view();
}

inline std::optional<std::string_view> Value::string() const noexcept {
  if (!is(Kind::string)) return std::nullopt;
  return document_->view(std::bit_cast<Document::Text>(document_->nodes_[node_].bits));
}

inline std::optional<std::int64_t> Value::integer() const noexcept {
  if (is(Kind::integer)) return std::bit_cast<std::int64_t>(document_->nodes_[node_].bits);
  if (!is(Kind::real)) return std::nullopt;
  const auto real = std::bit_cast<double>(document_->nodes_[node_].bits);
  if (!(real > -9e15 && real < 9e15)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(real);
  if (static_cast<double>(whole) < real || static_cast<double>(whole) > real) return std::nullopt;
  return whole;
}

inline std::optional<double> Value::number() const noexcept {
  if (is(Kind::real)) return std::bit_cast<double>(document_->nodes_[node_].bits);
  if (const auto whole = integer()) return static_cast<double>(*whole);
  return std::nullopt;
}

inline std::optional<bool> Value::boolean() const noexcept {
  if (!is(Kind::boolean)) return std::nullopt;
  return document_->nodes_[node_].bits != 0;
}

}  // namespace dmq::inline DMQ_ABI::json
