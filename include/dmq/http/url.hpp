#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>

namespace dmq::inline DMQ_ABI::http {

/// Whether a password or token may travel without TLS to another machine.
enum class PlainHttp { loopback_only, anywhere };

/// An http or https URL in parts. Fragments and user names are refused.
struct Url {
  std::string scheme{};  ///< "http" or "https".
  std::string host{};    ///< Lower case; IPv6 in brackets.
  std::uint16_t port = 0;
  std::string path{};   ///< From "/" on, as written.
  std::string query{};  ///< Without "?", as written.

  /// invalid_argument with the reason, without the URL: it may hold a secret.
  static Result<Url> parse(std::string_view text);

  bool is_https() const noexcept { return scheme == "https"; }
  bool has_default_port() const noexcept { return port == (is_https() ? 443 : 80); }
  bool is_loopback() const noexcept;
  /// One of the link-local addresses at which EC2, ECS and EKS give a machine its own credentials, by plain HTTP (as
  /// AWS documents), or newer Lambda runtimes their invocations (as observed). What is sent there stays on the host, so
  /// a transport lets it through and takes no proxy for it.
  bool is_machine_metadata() const noexcept;

  /// "host" or "host:port": the Host header, without a default port.
  std::string authority() const { return has_default_port() ? host : host + ":" + std::to_string(port); }
  /// "https://host:port", without a default port.
  std::string origin() const { return scheme + "://" + authority(); }
};

/// configuration when the URL is malformed, or plain HTTP to another machine and that was not asked for; `name` is
/// the setting to tell of.
inline Result<Url> parse_service_url(std::string_view name, std::string_view text,
                                     PlainHttp plain = PlainHttp::loopback_only) {
  Result<Url> url = Url::parse(text);
  if (!url) return configuration_error(std::string(name) + " is not a URL that can be used: " + url.error().message);
  if (!url->is_https() && !url->is_loopback() && plain == PlainHttp::loopback_only)
    return configuration_error(
        std::string(name) + " is http:// to " + url->host +
        ", which would send credentials in the clear; use https://, or allow it with PlainHttp::anywhere");
  return url;
}

inline bool Url::is_loopback() const noexcept {
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  // Four numbers as the system's resolver reads them; "127.example.com" and "127.0.0.999" would be looked up as names.
  std::string_view rest = host;
  for (int part = 0; part < 4; ++part) {
    const std::string_view number = rest.substr(0, rest.find('.'));
    if (!encoding::parse_number<std::uint8_t>(number) || (number.size() > 1 && number.front() == '0')) return false;
    rest.remove_prefix(number.size());
    if (rest.empty()) return part == 3;
    rest.remove_prefix(1);
  }
  return false;
}

inline bool Url::is_machine_metadata() const noexcept {
  return host == "169.254.169.254" || host == "[fd00:ec2::254]" ||                           // EC2
         host == "169.254.170.2" || host == "169.254.170.23" || host == "[fd00:ec2::23]" ||  // ECS, EKS
         host == "169.254.100.1";                                                            // Lambda
}

namespace detail {
/// Lower-case letters, digits, "-" and "_" between single dots.
inline bool is_host_name(std::string_view host) noexcept {
  char before = '.';
  for (const char c : host) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!alphanumeric && c != '-' && c != '_' && (c != '.' || before == '.')) return false;
    before = c;
  }
  return !host.empty();
}

/// Brackets around what may be an IPv6 address; whether it is one, the resolver says.
inline bool is_ipv6_literal(std::string_view host) noexcept {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  const std::string_view address = host.substr(1, host.size() - 2);
  return address.find_first_not_of("0123456789abcdef:.") == std::string_view::npos &&
         address.find(':') != address.rfind(':');
}
}  // namespace detail

inline Result<Url> Url::parse(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (const auto c = static_cast<unsigned char>(text[i]); c <= 0x20 || c >= 0x7F)
      return invalid_argument("it has a space, a control or a non-ASCII character at byte " + std::to_string(i));
  Url url;
  const std::size_t scheme_end = text.find("://");
  url.scheme = encoding::lower(text.substr(0, scheme_end));
  if (scheme_end == std::string_view::npos || (url.scheme != "http" && url.scheme != "https"))
    return invalid_argument("it must begin with https:// or http://");
  if (text.find('#') != std::string_view::npos) return invalid_argument("it must not have a fragment (#)");
  text.remove_prefix(scheme_end + 3);
  std::string_view authority = text.substr(0, text.find_first_of("/?"));
  text.remove_prefix(authority.size());
  if (authority.find('@') != std::string_view::npos) return invalid_argument("it must not have a user name (@)");

  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : 0;
  if (bracket == std::string_view::npos) return invalid_argument("its IPv6 address lacks the closing bracket");
  const std::size_t colon = authority.find(':', bracket);
  url.host = encoding::lower(authority.substr(0, colon));
  if (bracket > 0 ? !detail::is_ipv6_literal(url.host) : !detail::is_host_name(url.host))
    return invalid_argument("its host is missing or malformed");
  url.port = url.is_https() ? 443 : 80;
  if (colon != std::string_view::npos) {
    const auto port = encoding::parse_number<std::uint16_t>(authority.substr(colon + 1));
    if (!port || *port == 0) return invalid_argument("its port must be between 1 and 65535");
    url.port = *port;
  }
  const std::size_t question = text.find('?');
  url.path = text.substr(0, question);
  if (url.path.empty()) url.path = "/";
  if (question != std::string_view::npos) url.query = text.substr(question + 1);
  return url;
}

}  // namespace dmq::inline DMQ_ABI::http
