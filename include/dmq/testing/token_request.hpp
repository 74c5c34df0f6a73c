#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/base64.hpp>
#include <dmq/http/message.hpp>
#include <dmq/testing/form.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What a client asks the token endpoint for (RFC 6749). Other fields, such as aws_client_metadata, change nothing.
struct TokenRequest {
  std::string grant{};
  std::string client_id{};
  std::string client_secret{};
  std::string scope{};  ///< Scopes with spaces between them.

  /// Nothing when it is malformed, or lacks the grant or the client.
  static std::optional<TokenRequest> read(const http::Request& request) {
    constexpr std::string_view form_type = "application/x-www-form-urlencoded";
    const std::string_view type = request.headers.get("content-type");
    if (!encoding::equal_ignoring_case(encoding::trim(type.substr(0, type.find(';'))), form_type)) return std::nullopt;
    const auto form = parse_form(request.body);
    if (!form) return std::nullopt;
    TokenRequest asked{.grant = field(*form, "grant_type"), .scope = field(*form, "scope")};
    if (asked.grant.empty() || !asked.read_client(request, *form)) return std::nullopt;
    return asked;
  }

 private:
  static std::string field(const Form& form, std::string_view name) {
    const auto found = form.find(name);
    return found == form.end() ? std::string() : found->second;
  }

  /// From the Authorization header, which is taken literally, or else from the form.
  bool read_client(const http::Request& request, const Form& form) {
    client_id = field(form, "client_id");
    client_secret = field(form, "client_secret");
    const auto header = request.headers.find("authorization");
    if (!header) return !client_id.empty();
    constexpr std::string_view scheme = "Basic ";
    if (!encoding::equal_ignoring_case(header->substr(0, scheme.size()), scheme)) return false;
    const auto pair = encoding::base64_decode(encoding::trim(header->substr(scheme.size())));
    const std::size_t colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos || (!client_id.empty() && client_id != pair->substr(0, colon))) return false;
    client_id = pair->substr(0, colon);
    client_secret = pair->substr(colon + 1);
    return true;
  }
};

}  // namespace dmq::inline DMQ_ABI::testing
