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
  attempt_failed,  ///< One request failed, or a part of what it carried; `error` says how.
  retry,           ///< The operation goes on after `duration`.
  value_fetched,   ///< A token or credentials arrived.
  value_refused,   ///< The service did not accept the token or credentials that were sent.
  failed,          ///< The operation ended with `error`.
  stray_answer,    ///< A transport completed a request that was not in flight; it is ignored.
  callback_threw,  ///< A callback of the program threw; `error` says what. Nothing else changes.
  received,        ///< A poll of Consumer::run brought `count` messages, maybe none.
  poll_failed,     ///< A poll ended with `error`; the next one comes after `duration`.
  handled,         ///< A handler returned after `duration`; `error` says why the message is to come again, if so.
  acknowledged,    ///< A message is deleted: it is done.
  extended,        ///< The lease of a message goes on for `duration`.
  lease_lost,      ///< The lease of a message ended, or is not ours any more, before the message was done.
  released,        ///< A message was given back; it is visible again after `duration`.
  discarded,       ///< A message that the handler discarded is deleted.
  forgotten,       ///< A finished message whose delete is unconfirmed left the memory: it may be handled again.
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
  std::string_view group{};       ///< Of the message that it is about, if it is about one,
  std::string_view message_id{};  ///< and its id,
  int receive_count = 0;          ///< and how often it was received.
  std::size_t count = 0;          ///< Messages that a poll brought, or that an attempt sent, brought or deleted.
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
    case EventKind::received: return "received";
    case EventKind::poll_failed: return "poll_failed";
    case EventKind::handled: return "handled";
    case EventKind::acknowledged: return "acknowledged";
    case EventKind::extended: return "extended";
    case EventKind::lease_lost: return "lease_lost";
    case EventKind::released: return "released";
    case EventKind::discarded: return "discarded";
    case EventKind::forgotten: return "forgotten";
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
