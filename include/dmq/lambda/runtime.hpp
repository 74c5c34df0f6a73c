#pragma once

#include <concepts>
#include <cstdlib>
#include <functional>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/lambda/runtime_api.hpp>

namespace dmq::inline DMQ_ABI::lambda {

/// A Lambda function: its answer, JSON, or the error to report.
template <class F>
concept Function = requires(F& function, const Invocation& invocation) {
  { std::invoke(function, invocation) } -> std::same_as<Result<std::string>>;
};

namespace detail {
/// Where AWS's SDKs and X-Ray's look for it.
inline void pass_on_trace_id(const std::string& trace_id) {
  if (trace_id.empty()) {
    unsetenv("_X_AMZN_TRACE_ID");
  } else {
    setenv("_X_AMZN_TRACE_ID", trace_id.c_str(), 1);
  }
}

template <Function F>
Result<std::string> answer(F& function, const Invocation& invocation) {
  try {
    return std::invoke(function, invocation);
  } catch (const Exception& exception) {
    return exception.error();
  } catch (...) {
    return Error{.kind = ErrorKind::rejected, .message = "the function threw: " + current_exception_text()};
  }
}

/// The runtime API would not have this answer; it may have the next.
inline bool is_refusal(const Error& error) noexcept {
  return error.http_status >= 400 && error.http_status < 500 && error.delivery == DeliveryState::rejected;
}

/// An answer that is refused (it is too large, say) becomes an error of its invocation.
template <class Api>
Result<void> report(Api& api, const Invocation& invocation, Result<std::string> answer) {
  if (answer) {
    Result<void> told = api.respond(invocation.request_id, *std::move(answer));
    if (told || !is_refusal(told.error())) return told;
    answer = std::move(told).error();
  }
  Result<void> told = api.fail(invocation.request_id, answer.error());
  if (!told && is_refusal(told.error())) return {};
  return told;
}
}  // namespace detail

/// Runs a function: takes one invocation after the other, on this thread, and answers each. An error that it returns or
/// an exception that it throws fails its invocation only. Each invocation's trace id is in _X_AMZN_TRACE_ID while it is
/// handled; other threads must not read the environment when it changes.
///
/// Returns when the stop token fires: at once when it waits for an invocation, else after answering the one it has.
/// Returns an error when the runtime API says that the runtime must go (500), refuses to give work, or stays
/// unreachable; the program should then end with an exit code other than 0, and Lambda starts it anew.
template <class Api, Function F>
Result<void> run(Api& api, F function, const std::stop_token& stop = {}) {
  while (!stop.stop_requested()) {
    Result<Invocation> invocation = api.next(stop);
    if (!invocation && stop.stop_requested()) break;
    if (!invocation) return std::move(invocation).error();
    detail::pass_on_trace_id(invocation->trace_id);
    Result<void> told = detail::report(api, *invocation, detail::answer(function, *invocation));
    if (!told) return told;
  }
  return {};
}

}  // namespace dmq::inline DMQ_ABI::lambda
