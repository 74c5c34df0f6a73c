#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>

/// The canonical form of a request in Signature Version 4 (AWS IAM user guide, "Create a signed AWS API request").
namespace dmq::inline DMQ_ABI::auth {

enum class PathForm { normalized, as_written };

struct CanonicalRequest {
  std::string text{};  ///< What is hashed.
  std::size_t headers_at = 0;
  std::size_t headers_size = 0;

  /// "content-type;host;x-amz-date", which is a part of the text.
  std::string_view signed_headers() const { return std::string_view(text).substr(headers_at, headers_size); }
};

namespace detail {
/// Without "." and ".." segments and doubled slashes.
inline std::string normalize_path(std::string_view path) {
  const auto lacks = [&](std::string_view part) { return path.find(part) == std::string_view::npos; };
  if (path.starts_with('/') && lacks("//") && lacks("/.")) return std::string(path);
  std::vector<std::string_view> segments;
  const bool ends_in_directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (!segment.empty() && segment != ".") {
      segments.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : segments) out.append("/").append(segment);
  if (out.empty() || ends_in_directory) out.push_back('/');
  return out;
}

/// Sorted by encoded name, then by encoded value; a name alone gets "=".
inline std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!query.empty()) {
    const std::string_view field = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(field.size() + 1, query.size()));
    if (field.empty()) continue;
    const std::size_t equals = field.find('=');
    const auto recode = [](std::string_view text) {
      const auto plain = encoding::percent_decode(text, encoding::Plus::literal);
      return encoding::percent_encode(plain ? std::string_view(*plain) : text);
    };
    fields.emplace_back(recode(field.substr(0, equals)),
                        equals == std::string_view::npos ? std::string() : recode(field.substr(equals + 1)));
  }
  std::sort(fields.begin(), fields.end());
  std::string out;
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append("=").append(value);
  }
  return out;
}

/// Headers that proxies and HTTP clients change on the way are not.
inline bool is_signed_header(std::string_view name) noexcept {
  constexpr std::string_view unsigned_names[] = {
      "authorization", "connection",        "expect",     "keep-alive",     "te", "trailer",
      "upgrade",       "transfer-encoding", "user-agent", "x-amzn-trace-id"};
  return !encoding::equal_ignoring_case(name.substr(0, 6), "proxy-") &&
         std::none_of(std::begin(unsigned_names), std::end(unsigned_names),
                      [&](std::string_view other) { return encoding::equal_ignoring_case(name, other); });
}

/// By name, whatever its case. Fields of one name keep their order, which is that of their addresses.
inline bool comes_before(const http::Headers::Field& a, const http::Headers::Field& b) noexcept {
  const std::size_t common = std::min(a.name.size(), b.name.size());
  for (std::size_t i = 0; i < common; ++i) {
    const auto x = static_cast<unsigned char>(encoding::to_lower(a.name[i]));
    const auto y = static_cast<unsigned char>(encoding::to_lower(b.name[i]));
    if (x != y) return x < y;
  }
  if (a.name.size() != b.name.size()) return a.name.size() < b.name.size();
  return std::less<>()(a.value.data(), b.value.data());
}

/// Trimmed, runs of spaces made one.
inline void append_header_value(std::string& out, std::string_view value) {
  value = encoding::trim(value);
  if (value.find("  ") == std::string_view::npos) {
    out.append(value);
    return;
  }
  for (std::size_t i = 0; i < value.size(); ++i)
    if (value[i] != ' ' || value[i - 1] != ' ') out.push_back(value[i]);
}
}  // namespace detail

/// `payload_hash` is the lower-case hexadecimal SHA-256 of the body. The Host header is made from the URL, unless the
/// request has one.
inline CanonicalRequest canonical_request(const http::Request& request, const http::Url& url,
                                          std::string_view payload_hash, PathForm form = PathForm::normalized) {
  std::vector<http::Headers::Field> headers;
  headers.reserve(16);
  bool has_host = false;
  for (const http::Headers::Field field : request.headers) {
    has_host = has_host || encoding::equal_ignoring_case(field.name, "host");
    if (detail::is_signed_header(field.name)) headers.push_back(field);
  }
  const std::string host = has_host ? std::string() : url.authority();
  if (!has_host) headers.push_back({"host", host});
  std::sort(headers.begin(), headers.end(), detail::comes_before);

  CanonicalRequest canonical;
  std::string& text = canonical.text;
  text.reserve(2 * request.headers.wire_bytes() + host.size() + request.url.size() + 256);
  text.append(http::to_string(request.method)).push_back('\n');
  // The path is encoded in the URL already and is encoded once more: every service but S3 wants it so.
  encoding::append_percent(text, form == PathForm::normalized ? detail::normalize_path(url.path) : url.path, "/");
  text.push_back('\n');
  text.append(detail::canonical_query(url.query)).push_back('\n');
  const auto repeats = [&](std::size_t i) {
    return i > 0 && encoding::equal_ignoring_case(headers[i].name, headers[i - 1].name);
  };
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (repeats(i)) {
      text.back() = ',';
    } else {
      encoding::append_lower(text, headers[i].name);
      text.push_back(':');
    }
    detail::append_header_value(text, headers[i].value);
    text.push_back('\n');
  }
  text.push_back('\n');
  canonical.headers_at = text.size();
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (repeats(i)) continue;
    if (i > 0) text.push_back(';');
    encoding::append_lower(text, headers[i].name);
  }
  canonical.headers_size = text.size() - canonical.headers_at;
  text.push_back('\n');
  text.append(payload_hash);
  return canonical;
}

}  // namespace dmq::inline DMQ_ABI::auth
