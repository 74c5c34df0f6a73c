#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include <dmq/encoding/ascii.hpp>
#include <dmq/encoding/http_date.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::http {

/// How long the service asks to wait: `x-amz-retry-after` (milliseconds), or `Retry-After` (RFC 9110, 10.2.3: seconds,
/// or a date, which is read against the response's own Date). Between 0 and a day, else it is not believed.
inline std::optional<Duration> retry_after(const Response& response) {
  std::optional<Duration> wait;
  if (const auto value = response.headers.find("x-amz-retry-after")) {
    if (const auto number = encoding::parse_number<std::uint32_t>(*value)) wait = std::chrono::milliseconds(*number);
  } else if (const auto text = response.headers.find("Retry-After")) {
    if (const auto number = encoding::parse_number<std::uint32_t>(*text)) {
      wait = std::chrono::seconds(*number);
    } else if (const auto until = encoding::parse_http_date(*text)) {
      if (const auto now = encoding::parse_http_date(response.headers.get("Date"))) wait = *until - *now;
    }
  }
  if (wait && (*wait < Duration::zero() || *wait > std::chrono::hours(24))) return std::nullopt;
  return wait;
}

}  // namespace dmq::inline DMQ_ABI::http
