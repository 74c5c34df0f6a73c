#pragma once

#include <concepts>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include <dmq/engine/exchange.hpp>
#include <dmq/runtime/channel.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What an exchange sends and how it reads the answer. A call may also have `on_failure(error)`, which hears of every
/// failure that parse() did not see, with the delivery of that failure alone, and `on_resend()`, which hears before
/// parse() that the transport has sent the request twice.
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
        request_timeout_(terms.request_timeout),
        exchange_(std::move(terms)) {}

  Outcome run() {
    while (exchange_.step() != Step::done) {
      try {
        step();
      } catch (...) {
        // A policy's, or no memory: what it was doing has failed, and once the request was out, nobody knows.
        fail({.kind = ErrorKind::network,
              .delivery = in_flight_ ? DeliveryState::unknown : DeliveryState::not_sent,
              .message = "an exception: " + current_exception_text()});
      }
    }
    return finish();
  }

  const engine::Exchange& exchange() const noexcept { return exchange_; }

 private:
  using Step = engine::Exchange::Step;

  void step() {
    in_flight_ = false;
    switch (exchange_.step()) {
      case Step::acquire: return acquire();
      case Step::send: return send();
      case Step::wait: return wait();
      case Step::done: return;
    }
  }

  void acquire() {
    Result<typename ChannelType::Use> use = channel_.acquire(stop_, deadline_);
    if (!use) return fail(std::move(use).error());
    use_ = *std::move(use);
    exchange_.on_value();
  }

  void send() {
    Result<http::Request> request = call_.build();
    if (!request) return fail(std::move(request).error());
    request->timeout = request_timeout_;
    if (Result<void> ok = channel_.authorize(*request, use_); !ok) return fail(std::move(ok).error());
    started_ = channel_.now();
    if (!exchange_.on_send(started_)) return tell_unsent();
    in_flight_ = true;
    Result<http::Response> response = channel_.send(*request, stop_);
    if (!response) {
      observe_attempt(*request, nullptr, &response.error());
      return fail(std::move(response).error());
    }
    judge(*request, *response);
  }

  void judge(const http::Request& request, const http::Response& response) {
    if (response.resent) {
      exchange_.on_resend();
      if constexpr (requires { call_.on_resend(); }) call_.on_resend();
    }
    const auth::Verdict verdict = channel_.verdict(response);
    if (verdict != auth::Verdict::ok) return replay(request, response, verdict);
    if (response.status >= 200 && response.status < 300) channel_.accepted(use_);
    Outcome outcome = call_.parse(response);
    observe_attempt(request, &response, outcome ? nullptr : &outcome.error());
    if (!outcome) return exchange_failed(std::move(outcome).error());
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
    tell(error);
    if (skew) return exchange_.on_skew(std::move(error), channel_.now());
    channel_.observe({.kind = EventKind::value_refused,
                      .level = Level::warning,
                      .operation = call_.name(),
                      .attempt = exchange_.attempts(),
                      .http_status = response.status});
    channel_.refused(use_);
    exchange_.on_stale_value(std::move(error), channel_.now());
  }

  void tell(const Error& error) {
    if constexpr (requires { call_.on_failure(error); }) call_.on_failure(error);
  }

  /// Nothing was sent, for it was too late; what an earlier attempt has told the call stands.
  void tell_unsent() {
    if (exchange_.attempts() == 0) tell(*exchange_.error());
  }

  void fail(Error error) {
    tell(error);
    exchange_failed(std::move(error));
  }

  void exchange_failed(Error error) {
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
    if (channel_.clock().sleep_for(pause, stop_)) return exchange_.on_timer(channel_.now());
    tell(engine::Exchange::stopped());
    exchange_.on_stop();
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
  Duration request_timeout_;
  engine::Exchange exchange_;
  typename ChannelType::Use use_{};
  Instant started_{};
  bool in_flight_ = false;  ///< The request of this step went out.
  std::optional<Outcome> outcome_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
