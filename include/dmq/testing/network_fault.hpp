#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What can go wrong with one request.
enum class NetworkFault {
  refuse,         ///< No connection; nothing is sent.
  lose_request,   ///< It goes out and never arrives.
  lose_reply,     ///< It is carried out, and the connection breaks before the answer.
  half_close,     ///< The connection breaks at once, and the request still arrives, up to half a minute later.
  stall,          ///< It is carried out, and no answer ever comes.
  delay,          ///< It arrives up to half a minute later.
  resend,         ///< The transport sends it twice; the answer is that of the second, which may be a throttle.
  throttle,       ///< It is refused for being one too many.
  fail_before,    ///< 503, not carried out.
  fail_after,     ///< 500, carried out.
  error_in_200,   ///< Not carried out; the answer has status 200 and an error inside.
  corrupt_hash,   ///< Carried out; in the answer the MD5 of a message and its body do not match.
  partial_batch,  ///< One entry of a batch fails in the service, the others are carried out.
};

inline constexpr std::array<std::string_view, 13> network_faults = {
    "refuse",   "lose-request", "lose-reply", "half-close",   "stall",        "delay",        "resend",
    "throttle", "fail-before",  "fail-after", "error-in-200", "corrupt-hash", "partial-batch"};

inline std::string_view to_string(NetworkFault fault) {
  return network_faults[static_cast<std::size_t>(fault)];
}

}  // namespace dmq::inline DMQ_ABI::testing
