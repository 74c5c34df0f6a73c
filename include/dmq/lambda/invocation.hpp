#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <dmq/core/result.hpp>
#include <dmq/encoding/ascii.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::lambda {

/// One call of the function.
struct Invocation {
  std::string request_id{};
  std::string event{};             ///< What the function is called with, JSON.
  Ticks deadline = Ticks::max();   ///< When its time runs out; the largest when Lambda did not say.
  std::string trace_id{};          ///< X-Ray's, "Root=1-...;Parent=...;Sampled=1"; empty for none.
  std::string function_arn{};      ///< With the version or alias it was called by.
  std::string client_context{};    ///< Of the mobile SDKs, JSON; empty from a queue.
  std::string cognito_identity{};  ///< The same.
};

/// Reads the answer to `next` (AWS Lambda developer guide, "Using the Lambda runtime API"). The deadline, wall time on
/// the wire, is put on the clock that does not jump: `now` is when the answer came. protocol without a request id.
inline Result<Invocation> read_invocation(http::Response&& response, Instant now) {
  const auto text = [&](const char* name) { return std::string(response.headers.get(name)); };
  Invocation invocation{.request_id = text("Lambda-Runtime-Aws-Request-Id"),
                        .trace_id = text("Lambda-Runtime-Trace-Id"),
                        .function_arn = text("Lambda-Runtime-Invoked-Function-Arn"),
                        .client_context = text("Lambda-Runtime-Client-Context"),
                        .cognito_identity = text("Lambda-Runtime-Cognito-Identity")};
  if (invocation.request_id.empty())
    return Error{.kind = ErrorKind::protocol,
                 .delivery = DeliveryState::unknown,
                 .message = "the runtime API gave an invocation without a request id",
                 .http_status = response.status};
  const auto deadline = encoding::parse_number<std::int64_t>(response.headers.get("Lambda-Runtime-Deadline-Ms"));
  constexpr std::int64_t latest = 9'000'000'000'000;  // The year 2255: nanoseconds end a little later.
  if (deadline && *deadline > 0 && *deadline < latest)
    invocation.deadline = now.ticks + (WallTime(std::chrono::milliseconds(*deadline)) - now.wall);
  invocation.event = std::move(response.body);
  return invocation;
}

}  // namespace dmq::inline DMQ_ABI::lambda
