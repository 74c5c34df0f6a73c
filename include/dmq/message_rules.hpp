#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/utf8.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI {

enum class QueueType { fifo, standard };

/// Limits of SQS (API reference, SendMessage; 1 MiB since August 2025).
inline constexpr std::size_t max_message_bytes = 1024U * 1024;
inline constexpr std::size_t max_attributes = 10;

/// What SQS counts: the body, and the names, types and values of attributes.
inline std::size_t message_bytes(const Message& message) noexcept {
  std::size_t bytes = message.body.size();
  for (const auto& [name, attribute] : message.attributes)
    bytes += name.size() + attribute.type.size() + attribute.value.size();
  return bytes;
}

namespace detail {
constexpr bool is_alphanumeric(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

inline std::string code_point_name(char32_t c) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, static_cast<unsigned>(c), 16).ptr;
  std::string name(digits, end);
  for (char& digit : name)
    if (digit >= 'a') digit = static_cast<char>(digit - 'a' + 'A');
  return "U+" + std::string(name.size() < 4 ? 4 - name.size() : 0, '0') + name;
}

inline Result<void> check_text(const std::string& what, std::string_view text) {
  const encoding::TextFault fault = encoding::find_message_fault(text);
  if (fault.kind == encoding::TextFault::Kind::none) return {};
  const std::string where = " at byte " + std::to_string(fault.offset);
  if (fault.kind == encoding::TextFault::Kind::ill_formed)
    return invalid_argument(what + " is not UTF-8" + where + "; encode bytes as base64, or as a Binary attribute");
  return invalid_argument(what + " has the character " + code_point_name(fault.code_point) + where +
                          ", which SQS does not carry; escape it");
}

/// Group, deduplication and receive attempt ids: 1 to 128 printable ASCII characters without the space.
inline Result<void> check_id(const char* what, std::string_view id) {
  if (id.empty() || id.size() > 128)
    return invalid_argument(std::string(what) + " must be 1 to 128 characters long, not " + std::to_string(id.size()));
  for (std::size_t i = 0; i < id.size(); ++i)
    if (id[i] <= ' ' || id[i] > '~')
      return invalid_argument(std::string(what) +
                              " may hold ASCII letters, digits and punctuation only; look at byte " +
                              std::to_string(i));
  return {};
}

inline Result<void> check_attribute_name(std::string_view name) {
  const std::string what = "attribute \"" + std::string(name.substr(0, 256)) + "\"";
  if (name.empty() || name.size() > 256) return invalid_argument("an attribute's name must be 1 to 256 bytes long");
  for (const char c : name)
    if (!is_alphanumeric(c) && c != '_' && c != '-' && c != '.')
      return invalid_argument(what + ": a name may hold letters, digits, '_', '-' and '.' only");
  const std::string lower = encoding::lower(name);
  if (lower.starts_with("aws.") || lower.starts_with("amazon."))
    return invalid_argument(what + ": names that begin with AWS. or Amazon. are reserved");
  if (name.front() == '.' || name.back() == '.' || name.find("..") != std::string_view::npos)
    return invalid_argument(what + ": a name must not begin or end with a dot or have two in a row");
  return {};
}

/// A decimal number of at most 38 digits, as SQS takes it: "-12.5e3".
inline bool is_number(std::string_view text) noexcept {
  const auto skip_digits = [&] {
    const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  const auto skip_one_of = [&](std::string_view characters) {
    if (text.empty() || characters.find(text.front()) == std::string_view::npos) return false;
    text.remove_prefix(1);
    return true;
  };
  skip_one_of("+-");
  std::size_t digits = skip_digits();
  if (skip_one_of(".")) digits += skip_digits();
  if (digits < 1 || digits > 38) return false;
  if (!skip_one_of("eE")) return text.empty();
  skip_one_of("+-");
  return skip_digits() > 0 && text.empty();
}

inline Result<void> check_attribute(const std::string& name, const Attribute& attribute) {
  if (Result<void> ok = check_attribute_name(name); !ok) return ok;
  const std::string what = "attribute \"" + name + "\"";
  const std::string_view base = std::string_view(attribute.type).substr(0, attribute.type.find('.'));
  if ((base != "String" && base != "Number" && base != "Binary") || attribute.type.size() > 256 ||
      attribute.type.ends_with('.'))
    return invalid_argument(what + ": its type must be String, Number or Binary, or one of them with a label");
  if (Result<void> ok = check_text("the type of " + what, attribute.type); !ok) return ok;
  if (attribute.value.empty()) return invalid_argument(what + " has no value");
  if (base == "Number" && !is_number(attribute.value)) return invalid_argument(what + " is not a number");
  return attribute.is_binary() ? Result<void>() : check_text(what, attribute.value);
}
}  // namespace detail

/// Whether a queue of this type can take the message and give it back as it is. invalid_argument, not_sent, with the
/// rule and for text the byte offset. Pure.
inline Result<void> validate(const Message& message, QueueType type = QueueType::fifo) {
  if (message.body.empty()) return invalid_argument("the body is empty; SQS carries at least one byte");
  if (const std::size_t bytes = message_bytes(message); bytes > max_message_bytes)
    return invalid_argument("the message has " + std::to_string(bytes) + " bytes, attributes included; SQS carries " +
                            std::to_string(max_message_bytes));
  if (Result<void> ok = detail::check_text("the body", message.body); !ok) return ok;
  if (type == QueueType::fifo || !message.group.empty())
    if (Result<void> ok = detail::check_id("the group", message.group); !ok) return ok;
  if (!message.deduplication_id.empty()) {
    if (type == QueueType::standard) return invalid_argument("a standard queue takes no deduplication id");
    if (Result<void> ok = detail::check_id("the deduplication id", message.deduplication_id); !ok) return ok;
  }
  if (message.delay != message.delay.zero() && type == QueueType::fifo)
    return invalid_argument("a FIFO queue takes no delay for one message; set it on the queue");
  if (message.delay.count() < 0 || message.delay.count() > 900)
    return invalid_argument("the delay must be 0 to 900 s, not " + std::to_string(message.delay.count()));
  if (message.attributes.size() > max_attributes)
    return invalid_argument("the message has " + std::to_string(message.attributes.size()) +
                            " attributes; SQS carries 10");
  for (const auto& [name, attribute] : message.attributes)
    if (Result<void> ok = detail::check_attribute(name, attribute); !ok) return ok;
  for (std::size_t i = 0; i < message.trace_header.size(); ++i)
    if (message.trace_header[i] < ' ' || message.trace_header[i] > '~')
      return invalid_argument("the trace header may hold printable ASCII only; look at byte " + std::to_string(i));
  return {};
}

}  // namespace dmq::inline DMQ_ABI
