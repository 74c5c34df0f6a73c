#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/engine/exchange.hpp>
#include <dmq/runtime/channel.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// What an exchange sends and how it reads the answer. A call may also have `on_failure(error)`, which hears of every
/// failure that parse() did not see, with the delivery of that failure alone, `on_resend()`, which hears before parse()
/// that the transport has sent the request twice, and `accepted()`, how many messages the last answer accepted.
template <class C>
concept Call = requires(C& call, const http::Response& response) {
  typename C::result_type;
  { call.name() } -> std::convertible_to<std::string_view>;
  { call.build() } -> std::same_as<Result<http::Request>>;
  { call.parse(response) } -> std::same_as<Result<typename C::result_type>>;
};

/// One call with its exchange, over a channel: what every driver does alike between the waits and the sending, which
/// are the driver's. It follows exchange().step(): on_value() when a token or credentials are there, prepare() to
/// send, take() with what came of it, wake() when the wait is over. Used by one thread at a time.
template <class ChannelType, Call CallType>
class Operation {
 public:
  using Outcome = Result<typename CallType::result_type>;
  using Use = typename ChannelType::Use;

  Operation(ChannelType& channel, CallType& call, engine::Terms terms)
      : channel_(channel), call_(call), request_timeout_(terms.request_timeout), exchange_(std::move(terms)) {}

  const engine::Exchange& exchange() const noexcept { return exchange_; }

  void on_value(Use use) {
    use_ = std::move(use);
    exchange_.on_value();
  }

  /// The request that is to be sent now, or nothing when the exchange has moved on without one.
  std::optional<http::Request> prepare() {
    in_flight_ = false;
    Result<http::Request> request = call_.build();
    if (!request) return fail(std::move(request).error()), std::nullopt;
    request->timeout = request_timeout_;
    if (Result<void> ok = channel_.authorize(*request, use_); !ok) return fail(std::move(ok).error()), std::nullopt;
    started_ = channel_.now();
    if (!exchange_.on_send(started_)) return tell_unsent(), std::nullopt;
    in_flight_ = true;
    bytes_out_ = request->body.size();
    return std::move(request).value();
  }

  /// What came of the request that prepare() made.
  void take(Result<http::Response> response) {
    if (!response) {
      observe_attempt(nullptr, &response.error());
      fail(std::move(response).error());
    } else {
      judge(*response);
    }
    in_flight_ = false;
  }

  /// It could not go on.
  void fail(Error error) {
    tell(error);
    exchange_failed(std::move(error));
  }

  /// A policy threw, or there was no memory: what it was doing has failed, and once the request was out, nobody knows.
  /// Only inside a catch block.
  void fail_by_exception() {
    fail({.kind = ErrorKind::network,
          .delivery = in_flight_ ? DeliveryState::unknown : DeliveryState::not_sent,
          .message = "an exception: " + current_exception_text()});
    in_flight_ = false;
  }

  /// How long to wait before wake(); observes the retry.
  Duration pause() {
    const Duration pause = exchange_.wake_at() - channel_.clock().ticks();
    channel_.observe({.kind = EventKind::retry,
                      .level = Level::info,
                      .operation = call_.name(),
                      .attempt = exchange_.attempts() + 1,
                      .duration = pause});
    return pause;
  }
  void wake() {
    channel_.with_retry_state([&](engine::RetryState& shared) { exchange_.on_timer(channel_.now(), shared); });
  }
  /// The wait is broken off.
  void stop() {
    tell(engine::Exchange::stopped());
    exchange_.on_stop();
  }

  /// When it is done.
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

 private:
  void judge(const http::Response& response) {
    if (response.resent) {
      exchange_.on_resend();
      if constexpr (requires { call_.on_resend(); }) call_.on_resend();
    }
    const auth::Verdict verdict = channel_.verdict(response);
    if (verdict != auth::Verdict::ok) return replay(response, verdict);
    if (response.status >= 200 && response.status < 300) channel_.accepted(use_);
    Outcome outcome = call_.parse(response);
    observe_attempt(&response, outcome ? nullptr : &outcome.error(), messages(outcome));
    if (!outcome) return exchange_failed(std::move(outcome).error());
    channel_.with_retry_state([&](engine::RetryState& shared) { exchange_.on_success(shared); });
    outcome_ = std::move(outcome);
  }

  /// The answer is about our token or signature only, and is not for the call to read.
  void replay(const http::Response& response, auth::Verdict verdict) {
    const bool skew = verdict == auth::Verdict::skew;
    Error error{.kind = ErrorKind::authentication,
                .delivery = DeliveryState::rejected,
                .message = skew ? "the clock of this machine is wrong by more than the service accepts"
                                : "the service does not accept the token or key that was sent",
                .http_status = response.status,
                .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
    observe_attempt(&response, &error);
    tell(error);
    if (skew) return exchange_.on_skew(std::move(error), channel_.now());
    channel_.observe({.kind = EventKind::value_refused,
                      .level = Level::warning,
                      .operation = call_.name(),
                      .attempt = exchange_.attempts(),
                      .http_status = response.status});
    channel_.refused(use_, started_.ticks);
    exchange_.on_stale_value(std::move(error), channel_.now());
  }

  void tell(const Error& error) {
    if constexpr (requires { call_.on_failure(error); }) call_.on_failure(error);
  }

  /// Nothing was sent, for it was too late; what an earlier attempt has told the call stands.
  void tell_unsent() {
    if (exchange_.attempts() == 0) tell(*exchange_.error());
  }

  void exchange_failed(Error error) {
    channel_.with_retry_state(
        [&](engine::RetryState& shared) { exchange_.on_failure(std::move(error), channel_.now(), shared); });
  }

  /// A stop that was asked for is no trouble.
  static Level level_of(const Error& error, Level otherwise) {
    return error.kind == ErrorKind::cancelled ? Level::info : otherwise;
  }

  /// How many the answer accepted, brought or deleted, where it tells of several.
  std::size_t messages(const Outcome& outcome) const {
    if constexpr (requires { call_.accepted(); }) {
      return call_.accepted();
    } else if constexpr (requires { outcome->front().has_value(); }) {
      if (!outcome) return 0;
      const auto taken = std::count_if(outcome->begin(), outcome->end(), [](const auto& one) { return bool(one); });
      return static_cast<std::size_t>(taken);
    } else {
      return 0;
    }
  }

  void observe_attempt(const http::Response* response, const Error* error, std::size_t count = 0) {
    if constexpr (!ChannelType::is_observed) return;
    channel_.observe(
        {.kind = error == nullptr ? EventKind::attempt : EventKind::attempt_failed,
         .level = error == nullptr ? Level::debug : level_of(*error, Level::warning),
         .operation = call_.name(),
         .attempt = exchange_.attempts(),
         .duration = channel_.clock().ticks() - started_.ticks,
         .request_id = response != nullptr ? response->headers.get("x-amzn-RequestId") : std::string_view(),
         .bytes_out = bytes_out_,
         .bytes_in = response != nullptr ? response->body.size() : 0,
         .http_status = response != nullptr ? response->status : 0,
         .error = error,
         .count = count});
  }

  ChannelType& channel_;
  CallType& call_;
  Duration request_timeout_;
  engine::Exchange exchange_;
  Use use_{};
  Instant started_{};
  std::size_t bytes_out_ = 0;
  bool in_flight_ = false;  ///< The request of prepare() went out.
  std::optional<Outcome> outcome_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
