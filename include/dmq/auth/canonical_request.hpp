#pragma once

#include <algorithm>
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
  std::string text{};            ///< What is hashed.
  std::string signed_headers{};  ///< "content-type;host;x-amz-date"
};

namespace detail {
/// Without "." and ".." segments and doubled slashes.
inline std::string normalize_path(std::string_view path) {
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

/// Headers that proxies and HTTP clients change on the way.
inline bool is_signed_header(std::string_view lower_name) noexcept {
  constexpr std::string_view unsigned_names[] = {
      "authorization", "connection",        "expect",     "keep-alive",     "te", "trailer",
      "upgrade",       "transfer-encoding", "user-agent", "x-amzn-trace-id"};
  return !lower_name.starts_with("proxy-") &&
         std::find(std::begin(unsigned_names), std::end(unsigned_names), lower_name) == std::end(unsigned_names);
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
  std::vector<std::pair<std::string, std::string_view>> headers;
  headers.reserve(request.headers.size() + 1);
  for (const auto [name, value] : request.headers) {
    std::string lower_name = encoding::lower(name);
    if (detail::is_signed_header(lower_name)) headers.emplace_back(std::move(lower_name), value);
  }
  const std::string host = url.authority();
  if (!request.headers.find("Host")) headers.emplace_back("host", host);
  // Fields of one name keep their order, which is that of their addresses.
  std::sort(headers.begin(), headers.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : std::less<>()(a.second.data(), b.second.data());
  });

  CanonicalRequest canonical;
  std::string& text = canonical.text;
  text.reserve(512);
  text.append(http::to_string(request.method)).push_back('\n');
  // The path is encoded in the URL already and is encoded once more: every service but S3 wants it so.
  encoding::append_percent(text, form == PathForm::normalized ? detail::normalize_path(url.path) : url.path, "/");
  text.push_back('\n');
  text.append(detail::canonical_query(url.query)).push_back('\n');
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0 && headers[i].first == headers[i - 1].first) {
      text.back() = ',';
    } else {
      text.append(headers[i].first).push_back(':');
      if (i > 0) canonical.signed_headers.push_back(';');
      canonical.signed_headers.append(headers[i].first);
    }
    detail::append_header_value(text, headers[i].second);
    text.push_back('\n');
  }
  text.push_back('\n');
  text.append(canonical.signed_headers).append("\n").append(payload_hash);
  return canonical;
}

}  // namespace dmq::inline DMQ_ABI::auth
