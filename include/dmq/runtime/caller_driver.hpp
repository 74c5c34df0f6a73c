#pragma once

#include <concepts>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include <dmq/engine/exchange.hpp>
#include <dmq/runtime/channel.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What an exchange sends and how it reads the answer. `on_attempt_failed(error)`, where a call has it, hears of every
/// attempt that brought no answer.
template <class C>
concept Call = requires(C& call, const http::Response& response) {
  typename C::result_type;
  { call.name() } -> std::convertible_to<std::string_view>;
  { call.build() } -> std::same_as<Result<http::Request>>;
  { call.parse(response) } -> std::same_as<Result<typename C::result_type>>;
};

/// Runs one exchange to its end on the caller's thread, sleeping between attempts.
template <class ChannelType, Call CallType>
class CallerDriver {
 public:
  using Outcome = Result<typename CallType::result_type>;

  CallerDriver(ChannelType& channel, CallType& call, engine::Terms terms, std::stop_token stop)
      : channel_(channel),
        call_(call),
        stop_(std::move(stop)),
        deadline_(terms.deadline),
        exchange_(std::move(terms)) {}

  Outcome run() {
    using Step = engine::Exchange::Step;
    for (;;) {
      switch (exchange_.step()) {
        case Step::acquire: acquire(); break;
        case Step::send: send(); break;
        case Step::wait: wait(); break;
        case Step::done: return finish();
      }
    }
  }

  const engine::Exchange& exchange() const noexcept { return exchange_; }

 private:
  void acquire() {
    Result<typename ChannelType::Use> use = channel_.acquire(stop_, deadline_);
    if (!use) return fail(std::move(use).error());
    use_ = *std::move(use);
    exchange_.on_value();
  }

  void send() {
    Result<http::Request> request = call_.build();
    if (!request) return fail(std::move(request).error());
    request->timeout = exchange_.attempt_timeout(channel_.now());
    if (Result<void> ok = channel_.authorize(*request, use_); !ok) return fail(std::move(ok).error());
    started_ = channel_.now();
    exchange_.on_send(started_);
    Result<http::Response> response = channel_.send(*request, stop_);
    if (!response) {
      observe_attempt(*request, nullptr, &response.error());
      if constexpr (requires { call_.on_attempt_failed(response.error()); }) call_.on_attempt_failed(response.error());
      return fail(std::move(response).error());
    }
    judge(*request, *response);
  }

  void judge(const http::Request& request, const http::Response& response) {
    const auth::Verdict verdict = channel_.verdict(response);
    if (verdict != auth::Verdict::ok) return replay(request, response, verdict);
    if (response.status >= 200 && response.status < 300) channel_.accepted(use_);
    Outcome outcome = call_.parse(response);
    observe_attempt(request, &response, outcome ? nullptr : &outcome.error());
    if (!outcome) return fail(std::move(outcome).error());
    channel_.with_retry_state([&](engine::RetryState& shared) { exchange_.on_success(shared); });
    outcome_ = std::move(outcome);
  }

  /// The answer is about our token or signature only, and is not for the call to read.
  void replay(const http::Request& request, const http::Response& response, auth::Verdict verdict) {
    const bool skew = verdict == auth::Verdict::skew;
    Error error{.kind = ErrorKind::authentication,
                .delivery = DeliveryState::rejected,
                .message = skew ? "the clock of this machine is wrong by more than the service accepts"
                                : "the service does not accept the token or key that was sent",
                .http_status = response.status,
                .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
    observe_attempt(request, &response, &error);
    if (skew) return exchange_.on_skew(std::move(error), channel_.now());
    channel_.observe({.kind = EventKind::value_refused,
                      .level = Level::warning,
                      .operation = call_.name(),
                      .attempt = exchange_.attempts(),
                      .http_status = response.status});
    channel_.refused(use_);
    exchange_.on_stale_value(std::move(error), channel_.now());
  }

  void fail(Error error) {
    channel_.with_retry_state(
        [&](engine::RetryState& shared) { exchange_.on_failure(std::move(error), channel_.now(), shared); });
  }

  void wait() {
    const Duration pause = exchange_.wake_at() - channel_.now().ticks;
    channel_.observe({.kind = EventKind::retry,
                      .level = Level::info,
                      .operation = call_.name(),
                      .attempt = exchange_.attempts() + 1,
                      .duration = pause});
    if (!channel_.clock().sleep_for(pause, stop_)) return exchange_.on_stop();
    exchange_.on_timer(channel_.now());
  }

  Outcome finish() {
    std::optional<Error> error = exchange_.take_error();
    if (!error) return *std::move(outcome_);
    channel_.observe({.kind = EventKind::failed,
                      .level = level_of(*error, Level::error),
                      .operation = call_.name(),
                      .attempt = exchange_.attempts(),
                      .request_id = error->request_id,
                      .http_status = error->http_status,
                      .error = &*error});
    return *std::move(error);
  }

  /// A stop that was asked for is no trouble.
  static Level level_of(const Error& error, Level otherwise) {
    return error.kind == ErrorKind::cancelled ? Level::info : otherwise;
  }

  void observe_attempt(const http::Request& request, const http::Response* response, const Error* error) {
    channel_.observe(
        {.kind = error == nullptr ? EventKind::attempt : EventKind::attempt_failed,
         .level = error == nullptr ? Level::debug : level_of(*error, Level::warning),
         .operation = call_.name(),
         .attempt = exchange_.attempts(),
         .duration = channel_.now().ticks - started_.ticks,
         .request_id = response != nullptr ? response->headers.get("x-amzn-RequestId") : std::string_view(),
         .bytes_out = request.body.size(),
         .bytes_in = response != nullptr ? response->body.size() : 0,
         .http_status = response != nullptr ? response->status : 0,
         .error = error});
  }

  ChannelType& channel_;
  CallType& call_;
  std::stop_token stop_;
  Ticks deadline_;
  engine::Exchange exchange_;
  typename ChannelType::Use use_{};
  Instant started_{};
  std::optional<Outcome> outcome_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
