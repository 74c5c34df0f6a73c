// The URL parser: what it accepts, written again, is accepted as the same; and the clear is kept on this machine.

#include <cstdint>
#include <string>

#include <dmq/http/url.hpp>

#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = dmq::http::Url::parse(text);
  require(!url || !dmq::http::parse_service_url("X", text) || url->is_https() || url->is_loopback());
  if (!url) return 0;
  require(!url->host.empty() && url->port != 0 && url->path.starts_with('/'));
  require(url->host.find_first_of("@/?#\\ ") == std::string::npos);
  std::string written = url->origin() + url->path;
  if (!url->query.empty()) written += "?" + url->query;
  const auto again = dmq::http::Url::parse(written);
  require(again.has_value());
  require(again->scheme == url->scheme && again->host == url->host && again->port == url->port);
  require(again->path == url->path && again->query == url->query);
  return 0;
}
