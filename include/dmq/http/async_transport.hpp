#pragma once

#include <concepts>
#include <cstdint>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>
#include <dmq/http/message.hpp>
#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::http {

/// The end of one exchange of an AsyncHttpTransport.
struct Completion {
  std::uint64_t id = 0;       ///< What start() was given.
  Result<Response> result{};  ///< As of HttpTransport::send: any status is a success, a failure tells its delivery.
  Request request{};          ///< As it went into start(), for reuse.
};

/// What the library asks of an HTTP client that runs many exchanges on one thread. To write one, give a type these
/// members; all but wake() are called from one thread at a time:
///
///     void start(std::uint64_t id, http::Request&& request);
///     void poll(std::vector<http::Completion>& out, dmq::Duration at_most);
///     void cancel(std::uint64_t id);
///     void wake() noexcept;
///
/// - start() begins an exchange and never blocks. The id is the caller's, and no other exchange in flight has it. Each
///   start has exactly one completion, whatever becomes of it: what can't be sent completes with its error. Should
///   start() throw (std::bad_alloc), nothing has begun and the request is untouched.
/// - poll() carries the exchanges on, and waits until one has completed, wake() was called or `at_most` is over: zero
///   or less looks without waiting. It appends what has completed to `out`, in no particular order, and may come back
///   early with nothing. Between two calls nothing need go on.
/// - cancel() ends an exchange with cancelled: not_sent when it is certain that no byte of the request went out, else
///   unknown. The completion comes from poll(). An exchange that has ended already keeps its result; an id that is
///   not in flight is ignored.
/// - wake() makes poll() come back, the next one when none is waiting: no wake-up is lost, several may be one. It may
///   be called from any thread, beside everything but the destructor.
/// - The transport keeps the time limit of each request, from start() on, and the rules of HttpTransport for errors,
///   delivery and sending once.
/// - Destruction abandons what is in flight, without completions.
///
/// A blocking transport that has an asynchronous side offers `open_async()`, which returns one by value, with
/// connections of its own; it need not be movable. runtime::BlockingPool makes one of any other transport.
template <class T>
concept AsyncHttpTransport =
    requires(T& transport, std::uint64_t id, Request&& request, std::vector<Completion>& out, Duration at_most) {
      { transport.start(id, std::move(request)) } -> std::same_as<void>;
      { transport.poll(out, at_most) } -> std::same_as<void>;
      { transport.cancel(id) } -> std::same_as<void>;
      { transport.wake() } noexcept -> std::same_as<void>;
    };

/// A blocking transport with an asynchronous side of its own.
template <class T>
concept OpensAsync = HttpTransport<T> && requires(T& transport) {
  { transport.open_async() } -> AsyncHttpTransport;
};

}  // namespace dmq::inline DMQ_ABI::http
