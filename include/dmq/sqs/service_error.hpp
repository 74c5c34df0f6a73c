#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include <dmq/core/error.hpp>
#include <dmq/http/retry_after.hpp>
#include <dmq/json/document.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// What the service said: the two names of an error (that of its shape, "QueueDoesNotExist", and the older query code,
/// "AWS.SimpleQueueService.NonExistentQueue"), its text, and whether it takes the fault on itself.
struct ServiceFault {
  std::string_view code{};
  std::string_view query_code{};
  std::string_view text{};
  int status = 0;  ///< 0 for an entry of a batch.
  bool senders = true;
};

namespace detail {
template <std::size_t N>
bool one_of(const ServiceFault& fault, const std::string_view (&codes)[N]) {
  const auto listed = [&](std::string_view code) {
    return !code.empty() && std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
  };
  return listed(fault.code) || listed(fault.query_code);
}

// AWS SDKs and Tools reference, "Retry behavior"; KmsThrottled is SQS's own. SQS throttles with 403 and 400, too.
inline constexpr std::string_view throttles[] = {"Throttling",
                                                 "ThrottlingException",
                                                 "ThrottledException",
                                                 "RequestThrottledException",
                                                 "RequestThrottled",
                                                 "TooManyRequestsException",
                                                 "ProvisionedThroughputExceededException",
                                                 "TransactionInProgressException",
                                                 "RequestLimitExceeded",
                                                 "BandwidthLimitExceeded",
                                                 "LimitExceededException",
                                                 "SlowDown",
                                                 "PriorRequestNotComplete",
                                                 "EC2ThrottledException",
                                                 "KmsThrottled",
                                                 "KMS.ThrottlingException"};
inline constexpr std::string_view transients[] = {"RequestTimeout", "RequestTimeoutException", "InternalError",
                                                  "InternalFailure", "ServiceUnavailable"};
inline constexpr std::string_view identity[] = {"UnrecognizedClientException",
                                                "InvalidClientTokenId",
                                                "InvalidSignatureException",
                                                "SignatureDoesNotMatch",
                                                "IncompleteSignatureException",
                                                "IncompleteSignature",
                                                "ExpiredTokenException",
                                                "ExpiredToken",
                                                "MissingAuthenticationToken",
                                                "MissingAuthenticationTokenException",
                                                "AuthFailure",
                                                "RequestExpired",
                                                "RequestTimeTooSkewed",
                                                "RequestInTheFuture"};
inline constexpr std::string_view permission[] = {
    "AccessDenied",    "AccessDeniedException", "KmsAccessDenied",  "KMS.AccessDeniedException",
    "InvalidSecurity", "KmsOptInRequired",      "KMS.OptInRequired"};
inline constexpr std::string_view set_up[] = {"QueueDoesNotExist",
                                              "AWS.SimpleQueueService.NonExistentQueue",
                                              "InvalidAddress",
                                              "KmsDisabled",
                                              "KMS.DisabledException",
                                              "KmsNotFound",
                                              "KMS.NotFoundException",
                                              "KmsInvalidState",
                                              "KMS.InvalidStateException",
                                              "KmsInvalidKeyUsage",
                                              "KMS.InvalidKeyUsageException",
                                              "UnknownOperationException",
                                              "InvalidAction"};

inline std::string_view advice(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::throttled: return "; send less, or ask for a higher quota";
    case ErrorKind::authentication: return "; check the access key, its secret, the region and the clock";
    case ErrorKind::authorization: return "; check the policies of the key's identity, of the queue and of its KMS key";
    case ErrorKind::configuration: return "; check the queue URL, the region and the queue's settings";
    default: return "";
  }
}

/// A redirect, or what is no answer at all: something else than SQS is there, and may have done anything.
constexpr bool no_service_answers_with(int status) noexcept {
  return status != 0 && (status < 200 || status / 100 == 3);
}

inline ErrorKind kind_of(const ServiceFault& fault) {
  if (one_of(fault, throttles) || fault.status == 429) return ErrorKind::throttled;
  if (one_of(fault, transients) || fault.status >= 500 || !fault.senders) return ErrorKind::unavailable;
  if (one_of(fault, identity)) return ErrorKind::authentication;
  if (one_of(fault, permission)) return ErrorKind::authorization;
  if (one_of(fault, set_up)) return ErrorKind::configuration;
  if (no_service_answers_with(fault.status)) return ErrorKind::configuration;
  const bool named = !fault.code.empty() || !fault.query_code.empty();
  if (!named && fault.status == 401) return ErrorKind::authentication;
  if (!named && fault.status == 403) return ErrorKind::authorization;
  return ErrorKind::rejected;
}

/// The first line, and not too much of it: where a signature is wrong, some services go on with the request that they
/// expected, session token included. Cut between characters.
inline std::string_view excerpt(std::string_view text) {
  constexpr std::size_t most = 500;
  text = text.substr(0, text.find('\n'));
  if (text.size() <= most) return text;
  std::size_t size = most;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}
}  // namespace detail

/// The kind by the names first and by the status where they say nothing. A throttle and a 4xx are refusals; what the
/// service blames on itself is unknown: it may have been carried out.
inline Error to_error(const ServiceFault& fault) {
  Error error;
  error.kind = detail::kind_of(fault);
  const bool misled = detail::no_service_answers_with(fault.status);
  const bool settled = error.kind != ErrorKind::unavailable && !misled;
  error.delivery = settled ? DeliveryState::rejected : DeliveryState::unknown;
  error.message =
      misled ? "the answer has a status that SQS does not give: check the endpoint (redirects are not followed)"
             : detail::excerpt(fault.text.empty() ? "SQS refuses the request" : fault.text);
  if (const std::string_view advice = detail::advice(error.kind); !misled && !advice.empty()) {
    if (error.message.ends_with('.')) error.message.pop_back();
    error.message.append(advice);
  }
  error.http_status = fault.status;
  error.service_code = detail::excerpt(fault.code.empty() ? fault.query_code : fault.code);
  return error;
}

/// Whether the error is about the queue rather than about one message.
inline bool is_missing_queue(const Error& error) {
  return error.service_code == "QueueDoesNotExist" || error.service_code == "AWS.SimpleQueueService.NonExistentQueue";
}

/// Whether an answer holds an error that has a name, of either protocol: then it is judged by that, under a 2xx, too.
inline bool names_error(json::Value root) {
  const auto named = [](json::Value name) { return !name.string().value_or("").empty(); };
  return named(root["__type"]) || named(root["Error"]["Code"]);
}

/// Reads the fault out of an answer in AWS JSON ("__type", "message") or in the query protocol's JSON ("Error":
/// {"Code", "Message", "Type"}). `root` may be missing when the body was not JSON.
inline ServiceFault read_fault(const http::Response& response, json::Value root) {
  ServiceFault fault{.status = response.status};
  if (const json::Value error = root["Error"]; error.is(json::Kind::object)) {
    fault.code = error["Code"].string().value_or("");
    fault.text = error["Message"].string().value_or("");
    fault.senders = error["Type"].string().value_or("Sender") != "Receiver";
    return fault;
  }
  std::string_view type = root["__type"].string().value_or("");
  type = type.substr(0, type.find(':'));
  fault.code = type.substr(type.rfind('#') + 1);
  fault.text = root["message"].string().value_or(root["Message"].string().value_or(""));
  const std::string_view query = response.headers.get("x-amzn-query-error");
  fault.query_code = query.substr(0, query.find(';'));
  fault.senders = !query.ends_with(";Receiver");
  return fault;
}

/// The error of a whole response, with request id and Retry-After.
inline Error response_error(const http::Response& response, json::Value root) {
  Error error = to_error(read_fault(response, root));
  error.request_id = response.headers.get("x-amzn-RequestId");
  error.retry_after = http::retry_after(response);
  return error;
}

/// An answer of status 2xx that can't be what the service said: nobody knows what was done.
inline Error unusable_answer(const http::Response& response, const std::string& why) {
  return {.kind = ErrorKind::protocol,
          .delivery = DeliveryState::unknown,
          .message = "the answer can't be used: " + why,
          .http_status = response.status,
          .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
}

}  // namespace dmq::inline DMQ_ABI::sqs
