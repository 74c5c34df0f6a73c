#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Lower-case hex; all zero where OpenSSL has no MD5.
inline std::string md5_text(std::string_view bytes) {
  return encoding::hex(crypto::md5(bytes).value_or(crypto::Md5{}));
}

namespace detail {
inline void append_with_length(std::string& out, std::string_view bytes) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bytes.size() >> shift & 0xFF));
  out.append(bytes);
}
}  // namespace detail

/// MD5OfMessageAttributes: the attributes sorted by name; each as name, type, kind of value (1 text, 2 bytes), value.
inline std::string attributes_md5(const Attributes& attributes) {
  std::string buffer;
  for (const auto& [name, attribute] : attributes) {
    detail::append_with_length(buffer, name);
    detail::append_with_length(buffer, attribute.type);
    buffer.push_back(attribute.is_binary() ? '\2' : '\1');
    detail::append_with_length(buffer, attribute.value);
  }
  return md5_text(buffer);
}

/// MD5OfMessageSystemAttributes of a message with this AWSTraceHeader.
inline std::string trace_header_md5(std::string_view trace_header) {
  return attributes_md5({{"AWSTraceHeader", Attribute::text(std::string(trace_header))}});
}

}  // namespace dmq::inline DMQ_ABI::testing
