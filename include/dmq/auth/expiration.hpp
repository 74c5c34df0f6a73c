#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/value_cache.hpp>
#include <dmq/encoding/http_date.hpp>
#include <dmq/encoding/iso_date.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// How long until `date`, by ISO 8601; negative when that is over. protocol when it is no date.
inline Result<Duration> time_until(std::string_view date, WallTime now, std::string_view source) {
  if (const auto at = encoding::parse_iso_date(date)) return *at - now;
  return Error{.kind = ErrorKind::protocol, .message = "the expiration date of " + std::string(source) + " is no date"};
}

/// protocol when what was just fetched has expired already.
template <class T>
Result<Fetched<T>> refuse_expired(Fetched<T> fetched, std::string_view source) {
  if (fetched.lifetime > Duration::zero()) return fetched;
  return Error{.kind = ErrorKind::protocol,
               .message = std::string(source) +
                          " have expired, though they were just fetched: renew them at their "
                          "source, and check the clock of this machine"};
}

/// The time by the service's clock when it answered, by ours when it does not say: a clock that is wrong here changes
/// no lifetime.
inline WallTime answered_at(const http::Response& response, Instant now) {
  return encoding::parse_http_date(response.headers.get("Date")).value_or(now.wall);
}

}  // namespace dmq::inline DMQ_ABI::auth
