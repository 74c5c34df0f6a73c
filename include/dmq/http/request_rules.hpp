#pragma once

#include <array>
#include <string>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/http/headers.hpp>
#include <dmq/http/url.hpp>

/// What a transport refuses before the network. All functions are pure.
namespace dmq::inline DMQ_ABI::http {

namespace detail {
/// "token" of RFC 9110, 5.6.2.
constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && std::string_view("-_!#$%&'*+.^`|~").find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

/// Two opinions of where a message ends are how requests are smuggled.
inline bool belongs_to_transport(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 3> names = {"Content-Length", "Transfer-Encoding", "Expect"};
  for (const std::string_view own : names)
    if (encoding::equal_ignoring_case(name, own)) return true;
  return false;
}

inline Result<void> check_header_line(std::string_view line) {
  const std::size_t colon = line.find(": ");
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || !is_token(name))
    return invalid_argument("the name of a header field is empty or has a character that HTTP does not allow there");
  if (belongs_to_transport(name))
    return invalid_argument(std::string(name) + " is written by the transport; leave it out of the request");
  return check_header_value(name, line.substr(colon + 2));
}
}  // namespace detail

/// invalid_argument when a field's name is no token, its value has a control character, or it is one of those that
/// say where a message ends, which the transport writes itself.
inline Result<void> check_headers(const Headers& headers) {
  for (auto field = headers.begin(); field != headers.end(); ++field)
    if (Result<void> checked = detail::check_header_line(field.line()); !checked) return checked;
  return {};
}

/// invalid_argument when the URL is malformed, or plain HTTP to another machine and that was not asked for; the
/// metadata service of a cloud's machine counts as this one. The message does not quote it: it may hold a secret.
inline Result<Url> check_url(std::string_view text, PlainHttp plain) {
  Result<Url> url = Url::parse(text);
  if (!url) return invalid_argument("the URL of the request can't be used: " + url.error().message);
  const bool on_this_machine = url->is_loopback() || url->is_machine_metadata();
  if (!url->is_https() && !on_this_machine && plain == PlainHttp::loopback_only)
    return invalid_argument(
        "http:// to " + url->host +
        " would send what the request holds in the clear; use https://, or allow it with PlainHttp::anywhere");
  return url;
}

}  // namespace dmq::inline DMQ_ABI::http
