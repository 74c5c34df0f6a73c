#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>

namespace dmq::inline DMQ_ABI {

/// What went wrong, as far as a program would act on it.
enum class ErrorKind {
  invalid_argument,  ///< The caller's value is refused; the message names the rule and, for text, the byte.
  configuration,     ///< A setting is missing, malformed, or contradicts what the service is set up for.
  authentication,    ///< Who we are was not accepted: client id, client secret, access key, signature, token.
  authorization,     ///< We are known, and not allowed.
  throttled,         ///< The service asks for fewer requests.
  timeout,           ///< The time limit of the request or of the call ran out.
  network,           ///< Name resolution, connection, TLS or transfer failed.
  rejected,          ///< The service understood the request and refused it for what it says.
  unavailable,       ///< The service failed (5xx), or says that it can't serve just now.
  protocol,          ///< The answer is not what the service's protocol allows.
  integrity,         ///< A checksum of what was sent or received does not match.
  corked,            ///< An earlier message of the group failed; this one was held back to keep the order.
  full,              ///< A bound of the producer is reached.
  lease_lost,        ///< The visibility timeout ran out before the message was deleted.
  cancelled,         ///< The caller's stop token fired.
  closed,            ///< The producer was closed.
  handler,           ///< The program's handler of a message failed.
};

/// Where the request of a failed operation may have got to.
enum class DeliveryState {
  not_sent,  ///< No byte of the request went out.
  rejected,  ///< The service refused it with a complete, well-formed answer.
  unknown,   ///< Bytes went out and no answer settles it: it may have been carried out.
};

constexpr std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument: return "invalid_argument";
    case ErrorKind::configuration: return "configuration";
    case ErrorKind::authentication: return "authentication";
    case ErrorKind::authorization: return "authorization";
    case ErrorKind::throttled: return "throttled";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::network: return "network";
    case ErrorKind::rejected: return "rejected";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::protocol: return "protocol";
    case ErrorKind::integrity: return "integrity";
    case ErrorKind::corked: return "corked";
    case ErrorKind::full: return "full";
    case ErrorKind::lease_lost: return "lease_lost";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::closed: return "closed";
    case ErrorKind::handler: return "handler";
  }
  return "unknown";
}

constexpr std::string_view to_string(DeliveryState state) noexcept {
  switch (state) {
    case DeliveryState::not_sent: return "not_sent";
    case DeliveryState::rejected: return "rejected";
    case DeliveryState::unknown: return "unknown";
  }
  return "unknown";
}

/// Why an operation failed. Holds no token, no secret and no message body, so it may be logged as it is.
struct Error {
  ErrorKind kind = ErrorKind::protocol;
  DeliveryState delivery = DeliveryState::not_sent;
  std::string message{};                          ///< What happened and what to do about it.
  int http_status = 0;                            ///< 0 when there was no complete answer.
  std::string service_code{};                     ///< The service's own name for it, "QueueDoesNotExist".
  std::string request_id{};                       ///< For the service's support.
  int attempts = 0;                               ///< Requests that were made.
  std::optional<Duration> retry_after{};          ///< When the service said how long to wait.
  std::string deduplication_id{};                 ///< Of a publish.
  std::optional<WallTime> deduplication_until{};  ///< Of an unknown publish: start it again until then, or never.

  /// One line: kind, delivery, message, status, code, request id, attempts. Control characters become spaces, so that
  /// what a service says can't forge a line of a log.
  std::string describe() const {
    std::string line;
    line.append(to_string(kind)).append(" (").append(to_string(delivery)).append("): ").append(message);
    if (http_status != 0) line.append(" [HTTP ").append(std::to_string(http_status)).append("]");
    if (!service_code.empty()) line.append(" [").append(service_code).append("]");
    if (!request_id.empty()) line.append(" [request ").append(request_id).append("]");
    if (attempts > 1) line.append(" [").append(std::to_string(attempts)).append(" attempts]");
    for (char& c : line)
      if ((c >= '\0' && c < ' ') || c == '\x7f') c = ' ';
    return line;
  }
};

/// Thrown by Result::value() when there is none.
class Exception : public std::runtime_error {
 public:
  explicit Exception(Error error) : std::runtime_error(error.describe()), error_(std::move(error)) {}
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

/// What the exception that is being handled says; only inside a catch block.
inline std::string current_exception_text() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

/// The commonest errors in one line each.
inline Error invalid_argument(std::string message) {
  return {.kind = ErrorKind::invalid_argument, .message = std::move(message)};
}
inline Error configuration_error(std::string message) {
  return {.kind = ErrorKind::configuration, .message = std::move(message)};
}

}  // namespace dmq::inline DMQ_ABI
