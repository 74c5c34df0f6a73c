#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <dmq/encoding/percent.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The fields of "application/x-www-form-urlencoded", by name.
using Form = std::map<std::string, std::string, std::less<>>;

/// Nothing when a name comes twice or a percent sign encodes nothing.
inline std::optional<Form> parse_form(std::string_view text) {
  Form form;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), field.size() + 1));
    if (field.empty()) continue;
    const std::string_view name = field.substr(0, field.find('='));
    const std::string_view value = field.substr(std::min(field.size(), name.size() + 1));
    auto decoded_name = encoding::percent_decode(name, encoding::Plus::space);
    auto decoded_value = encoding::percent_decode(value, encoding::Plus::space);
    if (!decoded_name || !decoded_value) return std::nullopt;
    if (!form.emplace(*std::move(decoded_name), *std::move(decoded_value)).second) return std::nullopt;
  }
  return form;
}

}  // namespace dmq::inline DMQ_ABI::testing
