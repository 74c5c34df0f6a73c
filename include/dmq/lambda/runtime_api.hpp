#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/core/observer.hpp>
#include <dmq/core/random.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/transport.hpp>
#include <dmq/http/url.hpp>
#include <dmq/lambda/error_report.hpp>
#include <dmq/lambda/invocation.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::lambda {

struct RuntimeOptions {
  std::string address{};                   ///< HOST:PORT of the runtime API, which speaks plain HTTP on this machine.
  retry::Policy retry{.max_attempts = 5};  ///< Of each request.

  /// From AWS_LAMBDA_RUNTIME_API, which Lambda sets. Errors: configuration.
  static Result<RuntimeOptions> from_env(const Environment& environment = Environment::process()) {
    Result<std::string> address =
        environment.require("AWS_LAMBDA_RUNTIME_API", "HOST:PORT of the runtime API; Lambda sets it");
    if (!address) return std::move(address).error();
    if (const auto url = http::Url::parse("http://" + *address); !url)
      return configuration_error("AWS_LAMBDA_RUNTIME_API should be HOST:PORT: " + url.error().message);
    return RuntimeOptions{.address = *std::move(address)};
  }
};

namespace detail {
/// What the status of an answer means; a 500 says that this runtime has to go.
inline Error runtime_api_error(int status, std::string_view operation) {
  const bool unavailable = status >= 500 || status == 429;
  const ErrorKind kind = unavailable     ? ErrorKind::unavailable
                         : status == 403 ? ErrorKind::authorization
                                         : ErrorKind::rejected;
  std::string message = "the runtime API answered " + std::string(operation) + " with " + std::to_string(status);
  return {.kind = kind,
          .delivery = unavailable ? DeliveryState::unknown : DeliveryState::rejected,
          .message = std::move(message),
          .http_status = status};
}
}  // namespace detail

/// The requests of Lambda's runtime API, version 2018-06-01, over any transport. A request that failed for a passing
/// reason is repeated after a back-off; after a 500 nothing is, as AWS asks. Used by one thread.
template <http::HttpTransport Transport, Clock ClockType = SystemClock, Observer ObserverType = NoObserver>
class RuntimeApi {
 public:
  /// `seed` is for the jitter of retries.
  RuntimeApi(Transport transport, RuntimeOptions options, ClockType clock = {}, ObserverType observer = {},
             std::uint64_t seed = 0)
      : transport_(std::move(transport)),
        options_(std::move(options)),
        clock_(std::move(clock)),
        observer_(std::move(observer)),
        random_(seed) {}

  /// Waits for the next invocation, for as long as it takes. cancelled as soon as the stop token fires.
  Result<Invocation> next(const std::stop_token& stop = {}) {
    http::Request request{.url = url("invocation/next")};
    request.resend = http::Resend::allowed;
    request.timeout = std::chrono::hours(24 * 24);
    Result<http::Response> response = exchange("next", request, 200, stop);
    if (!response) return std::move(response).error();
    return read_invocation(*std::move(response), instant(clock_));
  }

  /// Answers an invocation.
  Result<void> respond(const std::string& request_id, std::string answer) {
    return post("response", "invocation/" + encoding::percent_encode(request_id) + "/response", std::move(answer), {});
  }

  /// Says that an invocation failed.
  Result<void> fail(const std::string& request_id, const Error& error) {
    return post("error", "invocation/" + encoding::percent_encode(request_id) + "/error",
                error_report(error, Blame::function), error_type(error, Blame::function));
  }

  /// Says that the function can't start; the program should then end with an exit code other than 0.
  Result<void> fail_init(const Error& error) {
    return post("init error", "init/error", error_report(error, Blame::runtime), error_type(error, Blame::runtime));
  }

  const ClockType& clock() const noexcept { return clock_; }

 private:
  std::string url(std::string_view path) const {
    return ("http://" + options_.address).append("/2018-06-01/runtime/").append(path);
  }

  Result<void> post(std::string_view operation, const std::string& path, std::string body, std::string_view type) {
    http::Request request{.method = http::Method::post, .url = url(path)};
    request.headers.add("Content-Type", "application/json");
    if (!type.empty()) request.headers.add("Lambda-Runtime-Function-Error-Type", type);
    request.body = std::move(body);
    request.resend = http::Resend::allowed;  // A second answer to the same invocation is refused.
    request.timeout = std::chrono::seconds(10);
    Result<http::Response> response = exchange(operation, request, 202, {});
    if (!response) return std::move(response).error();
    return {};
  }

  Result<http::Response> exchange(std::string_view operation, const http::Request& request, int expected,
                                  const std::stop_token& stop) {
    for (int attempt = 1;; ++attempt) {
      Result<http::Response> response = transport_.send(request, stop);
      if (response && response->status != expected) response = detail::runtime_api_error(response->status, operation);
      if (response) return response;
      Error& error = response.error();
      error.attempts = attempt;
      if (error.kind == ErrorKind::cancelled) return response;
      const retry::Fault fault = retry::classify(error);
      const bool last =
          fault == retry::Fault::permanent || error.http_status == 500 || attempt >= options_.retry.max_attempts;
      tell(last ? EventKind::failed : EventKind::attempt_failed, operation, attempt, error);
      if (last) return response;
      if (!clock_.sleep_for(retry::backoff(options_.retry, attempt - 1, fault, {}, random_), stop))
        return Error{.kind = ErrorKind::cancelled, .delivery = error.delivery, .message = "stopped between attempts"};
    }
  }

  void tell(EventKind kind, std::string_view operation, int attempt, const Error& error) const {
    observer_(Event{.kind = kind,
                    .level = kind == EventKind::failed ? Level::error : Level::warning,
                    .at = clock_.now(),
                    .operation = operation,
                    .attempt = attempt,
                    .http_status = error.http_status,
                    .error = &error});
  }

  Transport transport_;
  RuntimeOptions options_;
  ClockType clock_;
  ObserverType observer_;
  Random random_;
};

}  // namespace dmq::inline DMQ_ABI::lambda
