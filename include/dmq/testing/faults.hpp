#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/random.hpp>
#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// What can befall a request between a client and whichever service it is meant for.
enum class Fault {
  lost_request,    ///< The service never sees it, the connection ends.
  lost_reply,      ///< The service has done it, the connection ends before the answer is complete.
  throttle,        ///< Refused as too many, and not done.
  timeout,         ///< The service has done it, the answer does not come.
  internal_error,  ///< Answered 500, and not done.
};

/// All faults, in the order in which they are drawn, with their names on command lines.
inline constexpr std::array<std::pair<Fault, std::string_view>, 5> fault_names = {{
    {Fault::lost_request, "lost-request"},
    {Fault::lost_reply, "lost-reply"},
    {Fault::throttle, "throttle"},
    {Fault::timeout, "timeout"},
    {Fault::internal_error, "internal-error"},
}};

/// Draws what befalls each request, and counts it. The same seed and rates give the same faults. A value; not
/// thread-safe.
class Faults {
 public:
  explicit Faults(std::uint64_t seed) : random_(seed) {}

  /// `rate` is from 0 to 1. Where several faults have one, each is drawn in turn for what the earlier ones left.
  void set_rate(Fault fault, double rate) { rates_[index(fault)] = rate; }

  std::optional<Fault> draw() {
    for (const auto& [fault, name] : fault_names)
      if (const double rate = rates_[index(fault)]; rate > 0 && random_.chance(rate)) {
        ++counts_[index(fault)];
        return fault;
      }
    return std::nullopt;
  }

  /// How often it was drawn.
  std::uint64_t count(Fault fault) const { return counts_[index(fault)]; }

 private:
  static std::size_t index(Fault fault) noexcept { return static_cast<std::size_t>(fault); }

  Random random_;
  std::array<double, fault_names.size()> rates_{};
  std::array<std::uint64_t, fault_names.size()> counts_{};
};

namespace detail {

inline http::Response refusal_of_gateway(int status, std::string_view message, std::string_view type) {
  http::Response response{.status = status};
  response.headers.add("Content-Type", "application/json");
  response.headers.add("x-amzn-ErrorType", type);
  encoding::JsonWriter(response.body).begin_object().key("message").value(message).end_object();
  return response;
}

inline http::Response refusal_of_sqs(int status, std::string_view type, std::string_view code) {
  http::Response response{.status = status};
  response.headers.add("Content-Type", "application/x-amz-json-1.0");
  response.headers.add("x-amzn-query-error", std::string(code) + (status < 500 ? ";Sender" : ";Receiver"));
  encoding::JsonWriter(response.body).begin_object().key("__type").value(type).end_object();
  return response;
}

/// The older protocol, told by its lack of a target.
inline http::Response refusal_of_sqs_query(int status, std::string_view code) {
  http::Response response{.status = status};
  response.headers.add("Content-Type", "text/xml");
  response.body.append("<ErrorResponse><Error><Type>")
      .append(status < 500 ? "Sender" : "Receiver")
      .append("</Type><Code>")
      .append(code)
      .append("</Code></Error></ErrorResponse>");
  return response;
}

}  // namespace detail

/// The answer 403 or 429 of the service that `request` is for; what SQS and Cognito put in it is not recorded from AWS.
inline http::Response throttled_answer(const http::Request& request) {
  const std::string path = http::Url::parse(request.url).value_or(http::Url{}).path;
  if (path.starts_with("/v1/")) return detail::refusal_of_gateway(429, "Too Many Requests", "TooManyRequestsException");
  if (path.starts_with("/oauth2/")) return {.status = 429};
  if (!request.headers.find("x-amz-target")) return detail::refusal_of_sqs_query(403, "RequestThrottled");
  return detail::refusal_of_sqs(403, "com.amazonaws.sqs#RequestThrottled", "RequestThrottled");
}

/// The answer 500 or 504 of the service that `request` is for; only that of the gateway is recorded from AWS.
inline http::Response failed_answer(const http::Request& request, int status) {
  const std::string path = http::Url::parse(request.url).value_or(http::Url{}).path;
  if (path.starts_with("/v1/"))
    return detail::refusal_of_gateway(status, status == 504 ? "Endpoint request timed out" : "Internal server error",
                                      "InternalServerErrorException");
  if (path.starts_with("/oauth2/")) return {.status = status};
  if (!request.headers.find("x-amz-target")) return detail::refusal_of_sqs_query(status, "InternalFailure");
  return detail::refusal_of_sqs(status, "com.amazon.coral.service#InternalFailure", "InternalFailure");
}

}  // namespace dmq::inline DMQ_ABI::testing
