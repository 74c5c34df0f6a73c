#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <dmq/encoding/base64.hpp>
#include <dmq/testing/rsa_key.hpp>

/// JSON Web Tokens in the compact form, signed with RS256 (RFC 7515).
namespace dmq::inline DMQ_ABI::testing {

inline std::string make_jwt(const RsaKey& key, std::string_view header_json, std::string_view claims_json) {
  using encoding::Base64;
  std::string token = encoding::base64_encode(header_json, Base64::url);
  token.append(".").append(encoding::base64_encode(claims_json, Base64::url));
  const std::string signature = key.sign(token);
  return token.append(".").append(encoding::base64_encode(signature, Base64::url));
}

/// The parts of a token, decoded and not yet believed.
struct Jwt {
  std::string header{};
  std::string claims{};
  std::string signature{};
  std::string signed_text{};

  static std::optional<Jwt> parse(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = token.rfind('.');
    if (first == std::string_view::npos || first == second) return std::nullopt;
    const auto decode = [](std::string_view part) { return encoding::base64_decode(part, encoding::Base64::url); };
    const auto header = decode(token.substr(0, first));
    const auto claims = decode(token.substr(first + 1, second - first - 1));
    const auto signature = decode(token.substr(second + 1));
    if (!header || !claims || !signature) return std::nullopt;
    return Jwt{*header, *claims, *signature, std::string(token.substr(0, second))};
  }
};

}  // namespace dmq::inline DMQ_ABI::testing
