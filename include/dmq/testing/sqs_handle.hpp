#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/base64.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a receipt handle stands for. Clients see Base64 and must not look inside.
struct ReceiptHandle {
  std::string queue_id{};
  std::uint64_t sequence = 0;
  int receive_count = 0;

  std::string text() const {
    return encoding::base64_encode(queue_id + "/" + std::to_string(sequence) + "/" + std::to_string(receive_count));
  }

  static std::optional<ReceiptHandle> parse(std::string_view text) {
    const auto plain = encoding::base64_decode(text);
    if (!plain) return std::nullopt;
    const std::string_view parts = *plain;
    const std::size_t second = parts.rfind('/');
    const std::size_t first = second == 0 ? std::string_view::npos : parts.rfind('/', second - 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
    const auto sequence = encoding::parse_number<std::uint64_t>(parts.substr(first + 1, second - first - 1));
    const auto count = encoding::parse_number<int>(parts.substr(second + 1));
    if (!sequence || !count) return std::nullopt;
    return ReceiptHandle{std::string(parts.substr(0, first)), *sequence, *count};
  }
};

}  // namespace dmq::inline DMQ_ABI::testing
