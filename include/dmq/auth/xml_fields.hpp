#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// The elements without children by their paths below the root: "Error/Code". Of repeated ones, the first.
using XmlFields = std::map<std::string, std::string, std::less<>>;

namespace detail {

/// What "&name;" stands for: those of XML itself, and ASCII characters by number.
inline std::optional<char> xml_entity(std::string_view name) noexcept {
  constexpr std::pair<std::string_view, char> known[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [entity, c] : known)
    if (name == entity) return c;
  if (!name.starts_with('#')) return std::nullopt;
  std::uint8_t code = 0;
  const bool is_hex = name.starts_with("#x");
  const std::string_view digits = name.substr(is_hex ? 2 : 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || code == 0 || code >= 0x80) return std::nullopt;
  return static_cast<char>(code);
}

class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : text_(text) {}

  /// Nothing when it is not well-formed, or more than the answers of STS have need of.
  std::optional<XmlFields> read() {
    skip_declaration();
    if (!read_tag()) return std::nullopt;
    while (!open_.empty())
      if (!read_text() || !read_tag()) return std::nullopt;
    if (!encoding::trim(text_).empty()) return std::nullopt;
    return std::move(fields_);
  }

 private:
  static constexpr std::size_t deepest = 16;

  void skip_declaration() {
    text_ = encoding::trim(text_);
    if (!text_.starts_with("<?xml ")) return;
    const std::size_t end = text_.find("?>");
    if (end != std::string_view::npos) text_ = encoding::trim(text_.substr(end + 2));
  }

  bool read_text() {
    for (content_.clear(); !text_.empty() && text_.front() != '<';) {
      if (text_.front() != '&') {
        const std::size_t size = std::min(text_.find_first_of("<&"), text_.size());
        content_.append(text_.substr(0, size));
        text_.remove_prefix(size);
        continue;
      }
      const std::size_t end = text_.find(';');
      if (end == std::string_view::npos) return false;
      const auto c = xml_entity(text_.substr(1, end - 1));
      if (!c) return false;
      content_.push_back(*c);
      text_.remove_prefix(end + 1);
    }
    return true;
  }

  bool read_tag() {
    const std::size_t end = text_.find('>');
    if (!text_.starts_with('<') || end == std::string_view::npos) return false;
    std::string_view tag = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    if (tag.starts_with('/')) return close(encoding::trim(tag.substr(1)));
    const bool is_empty = tag.ends_with('/');
    if (is_empty) tag.remove_suffix(1);
    const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n"));
    if (!is_name(name) || open_.size() == deepest) return false;
    open_.push_back(name);
    is_leaf_ = true;
    content_.clear();
    return !is_empty || close(name);
  }

  bool close(std::string_view name) {
    if (open_.empty() || open_.back() != name) return false;
    if (std::exchange(is_leaf_, false) && open_.size() > 1) fields_.emplace(path(), content_);
    open_.pop_back();
    return true;
  }

  std::string path() const {
    std::string path;
    for (std::size_t i = 1; i < open_.size(); ++i) path.append(i == 1 ? "" : "/").append(open_[i]);
    return path;
  }

  static bool is_name(std::string_view name) noexcept {
    for (const char c : name)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
        return false;
    return !name.empty();
  }

  std::string_view text_;
  std::vector<std::string_view> open_;
  std::string content_;
  bool is_leaf_ = false;
  XmlFields fields_;
};

}  // namespace detail

/// Reads the small part of XML that the query APIs of AWS answer in: elements, text, the entities of ASCII; attributes
/// of the tags are not looked at. Errors: protocol for everything else, without quoting it.
inline Result<XmlFields> read_xml_fields(std::string_view text) {
  if (std::optional<XmlFields> fields = detail::XmlReader(text).read()) return *std::move(fields);
  return Error{.kind = ErrorKind::protocol, .message = "not the XML that was expected"};
}

}  // namespace dmq::inline DMQ_ABI::auth
