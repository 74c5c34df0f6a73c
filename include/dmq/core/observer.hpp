#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include <dmq/core/clock.hpp>
#include <dmq/core/error.hpp>

namespace dmq::inline DMQ_ABI {

enum class Level { debug, info, warning, error };

enum class EventKind {
  attempt,         ///< One request was answered as it should be.
  attempt_failed,  ///< One request failed; `error` says how.
  retry,           ///< The operation goes on after `duration`.
  value_fetched,   ///< A token or credentials arrived.
  value_refused,   ///< The service did not accept the token or credentials that were sent.
  failed,          ///< The operation ended with `error`.
  stray_answer,    ///< A transport completed a request that was not in flight; it is ignored.
  callback_threw,  ///< A callback of the program threw; `error` says what. Nothing else changes.
};

/// What happened. Never holds a token, a secret or a message body. Valid only during the call.
struct Event {
  EventKind kind = EventKind::attempt;
  Level level = Level::debug;
  WallTime at{};
  std::string_view operation{};   ///< "SendMessage", "publish", "token", ...
  int attempt = 0;                ///< From 1.
  Duration duration{};            ///< Of the attempt, or of the wait before the next.
  std::string_view request_id{};  ///< The service's, may be empty.
  std::size_t bytes_out = 0;      ///< Body of the request.
  std::size_t bytes_in = 0;       ///< Body of the response.
  int http_status = 0;
  const Error* error = nullptr;
};

constexpr std::string_view to_string(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::attempt: return "attempt";
    case EventKind::attempt_failed: return "attempt_failed";
    case EventKind::retry: return "retry";
    case EventKind::value_fetched: return "value_fetched";
    case EventKind::value_refused: return "value_refused";
    case EventKind::failed: return "failed";
    case EventKind::stray_answer: return "stray_answer";
    case EventKind::callback_threw: return "callback_threw";
  }
  return "unknown";
}

constexpr std::string_view to_string(Level level) noexcept {
  switch (level) {
    case Level::debug: return "debug";
    case Level::info: return "info";
    case Level::warning: return "warning";
    case Level::error: return "error";
  }
  return "unknown";
}

/// A callable that takes events. It is called from any thread that does the library's work, outside its locks, and
/// must not throw; what takes long belongs elsewhere.
template <class O>
concept Observer = std::move_constructible<O> && std::is_nothrow_invocable_v<const O&, const Event&>;

/// Sees nothing and costs nothing.
struct NoObserver {
  void operator()(const Event&) const noexcept {}
};

static_assert(Observer<NoObserver>);

}  // namespace dmq::inline DMQ_ABI
