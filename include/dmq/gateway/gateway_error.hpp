#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include <dmq/json/document.hpp>
#include <dmq/sqs/service_error.hpp>

namespace dmq::inline DMQ_ABI::gateway {

/// At least so long after "Limit Exceeded": a usage plan's quota, which is counted by the day.
inline constexpr Duration quota_pause = std::chrono::seconds(20);

namespace detail {
/// API Gateway's own errors: {"message": "..."} and x-amzn-ErrorType (API Gateway developer guide, "Gateway response
/// types").
inline void judge(Error& error, std::string_view text) {
  switch (error.http_status) {
    case 401:
      error.kind = ErrorKind::authentication;
      error.message = "the gateway's authorizer does not accept the token";
      return;
    case 403:
      // With a token in Authorization, a path that does not exist complains of that header's form instead.
      if (text == "Missing Authentication Token" || error.service_code == "IncompleteSignatureException") {
        error.kind = ErrorKind::configuration;
        error.message = "the gateway has no such path and method: check API_URL, its stage and its path";
      } else {
        error.kind = ErrorKind::authorization;
        error.message = "the gateway forbids the request: check its resource policy, API key and firewall";
      }
      return;
    case 404:
    case 405:
      error.kind = ErrorKind::configuration;
      error.message = "there is no such path and method: check API_URL, its stage and its path";
      return;
    case 413: error.message = "the gateway refuses a request of this size"; return;
    case 415:
      error.kind = ErrorKind::configuration;
      error.message = "the gateway's integration does not take this content type: check its mapping templates";
      return;
    case 429:
      error.kind = ErrorKind::throttled;
      if (text == "Limit Exceeded" || error.service_code == "LimitExceededException") {
        error.message = "the usage plan's quota is used up";
        error.retry_after = std::max(error.retry_after.value_or(quota_pause), quota_pause);
      } else {
        error.message = "the gateway asks for fewer requests";
      }
      return;
    default: break;
  }
  if (error.http_status >= 500) {
    error.kind = ErrorKind::unavailable;
    error.delivery = DeliveryState::unknown;
    error.message = error.http_status == 504 ? "the gateway waited too long for the queue, which may have taken it"
                                             : "the gateway failed";
  } else if (error.http_status < 400) {
    error.kind = ErrorKind::configuration;
    error.delivery = DeliveryState::unknown;
    error.message = "the answer has a status that a gateway does not give: check API_URL (redirects are not followed)";
  }
}
}  // namespace detail

/// The error that a response stands for which is not a 2xx, or is one with an error inside: SQS's own, passed through
/// by the integration, or the gateway's. `root` may be missing.
inline Error read_error(const http::Response& response, json::Value root) {
  if (sqs::names_error(root)) return sqs::response_error(response, root);
  if (response.status >= 200 && response.status < 300)
    return sqs::unusable_answer(response, "it holds an error without a name");
  Error error{.kind = ErrorKind::rejected,
              .delivery = DeliveryState::rejected,
              .message = "the gateway refuses the request",
              .http_status = response.status,
              .service_code = std::string(response.headers.get("x-amzn-ErrorType")),
              .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
  error.service_code.resize(std::min(error.service_code.find(':'), error.service_code.size()));
  error.retry_after = http::retry_after(response);
  detail::judge(error, root["message"].string().value_or(root["Message"].string().value_or("")));
  return error;
}

}  // namespace dmq::inline DMQ_ABI::gateway
