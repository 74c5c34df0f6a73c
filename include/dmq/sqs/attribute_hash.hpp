#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/hex.hpp>
#include <dmq/message.hpp>

/// The MD5 sums by which SQS lets both sides check what arrived. All are lower-case hexadecimal, and absent where MD5
/// is switched off (FIPS).
namespace dmq::inline DMQ_ABI::sqs {

inline std::optional<std::string> body_md5(std::string_view body) {
  const auto digest = crypto::md5(body);
  if (!digest) return std::nullopt;
  return encoding::hex(*digest);
}

/// SQS developer guide, "Calculating the MD5 message digest for message attributes": attributes by name; name, type
/// and value each behind its length (four bytes, big-endian), and a byte that tells text (1) from bytes (2).
inline std::optional<std::string> attributes_md5(const Attributes& attributes) {
  std::string buffer;
  const auto put = [&](std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (int shift = 24; shift >= 0; shift -= 8) buffer.push_back(static_cast<char>(size >> shift & 255));
    buffer.append(text);
  };
  for (const auto& [name, attribute] : attributes) {
    put(name);
    put(attribute.type);
    buffer.push_back(attribute.is_binary() ? '\2' : '\1');
    put(attribute.value);
  }
  return body_md5(buffer);
}

/// Whether the sum that came back, in either case of letters, is that of something else. Never where MD5 is off.
inline bool body_differs(std::string_view body, std::string_view md5) {
  const auto digest = crypto::md5(body);
  if (!digest) return false;
  const auto ours = encoding::hex_digits(*digest);
  return !encoding::equal_ignoring_case({ours.data(), ours.size()}, md5);
}
inline bool attributes_differ(const Attributes& attributes, std::string_view md5) {
  const auto ours = attributes_md5(attributes);
  return ours && !encoding::equal_ignoring_case(*ours, md5);
}

}  // namespace dmq::inline DMQ_ABI::sqs
