#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <dmq/core/observer.hpp>
#include <dmq/publish_result.hpp>
#include <dmq/runtime/publish_core.hpp>

namespace dmq::inline DMQ_ABI {

/// Publishes messages, in order inside each group. make_producer() in wired/ is the way to get one.
///
/// publish() runs on its caller's thread. submit() hands a message to an I/O thread, which the first submit starts and
/// close() ends (over a transport that has no asynchronous side it takes eight more). All may be called from any number
/// of threads at once, together: each group sends one request at a time, in the order in which the calls were made. The
/// producer is a handle, movable and not copyable; moved from, it may be destroyed or assigned. It must outlive its
/// calls.
///
/// A message of submit() that fails corks its group: what was submitted behind it comes back with kind corked, and so
/// does what comes after it, until resume(). So a message is never accepted behind one that is missing, unless the
/// program says so.
template <http::HttpTransport Transport, Route RouteType, auth::Authority<Transport> Authority,
          Clock ClockType = SystemClock, Observer ObserverType = NoObserver>
class Producer {
 public:
  /// `settings` hold by check(settings); `seed` is for the jitter of retries.
  Producer(Transport transport, RouteType route, Authority authority, PublishSettings settings, ClockType clock = {},
           ObserverType observer = {}, std::uint64_t seed = 0)
      : core_(std::make_shared<Core>(std::move(route), std::move(settings), std::move(transport), std::move(authority),
                                     std::move(clock), std::move(observer), seed)) {}
  Producer(Producer&&) noexcept = default;
  Producer& operator=(Producer&& other) noexcept {
    if (this != &other) {
      end();
      core_ = std::move(other.core_);
    }
    return *this;
  }
  /// Like close() without grace. In a callback of its own it does not wait.
  ~Producer() { end(); }

  /// Publishes one message and waits until the queue has accepted it or it has failed, with three attempts by default.
  /// A failure hands the message back. Errors:
  /// - invalid_argument, not_sent: the message can't be carried as it is; nothing was sent;
  /// - configuration, authentication, authorization: of the producer or the services, not of this message;
  /// - throttled, unavailable, network, timeout: after the last attempt;
  /// - rejected: the queue refused it; protocol, integrity: the answer proves nothing, or the wrong thing;
  /// - cancelled: `stop` fired; not_sent while it waited, unknown when it was on its way.
  /// With delivery unknown it may be in the queue: publish error().returned again, as it is, which can't make it two.
  /// That has to begin before error().deduplication_until (wall time); after it, it fails without being sent. Until
  /// then, or for 35 s, other messages of its group wait for it, so that it can't land behind them.
  PublishResult publish(Message message, std::stop_token stop = {}) {
    engine::Publication publication{.entry = {.message = std::move(message)}};
    core_->publish(std::span(&publication, 1), stop);
    return engine::to_result(std::move(publication));
  }

  /// Publishes any number of messages; the results are in their order. Where the route carries batches a request has
  /// up to ten messages, by default one of each group. When a message fails, later ones of its group are not sent and
  /// come back with kind corked, so that order holds; other groups go on.
  std::vector<PublishResult> publish_batch(std::vector<Message> messages, std::stop_token stop = {}) {
    std::vector<engine::Publication> publications(messages.size());
    std::vector<PublishResult> results;
    results.reserve(messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) publications[i].entry.message = std::move(messages[i]);
    core_->publish(publications, stop);
    for (engine::Publication& publication : publications) results.push_back(engine::to_result(std::move(publication)));
    return results;
  }

  /// Hands a message over and returns at once, but waits for room when the producer is full (see SubmitSettings).
  /// Unless it returns an error, `done` is called exactly once, on the I/O thread and outside every lock, with what
  /// became of the message; callbacks of one group come in the order of its submissions. A callback may call everything
  /// but publish(), publish_batch() and flush(), and should be short: nothing else is sent or reported meanwhile. What
  /// it throws is observed, and otherwise ignored.
  ///
  /// Retries go on until the deadline of the settings, however many it takes; while the service is down few are made.
  /// Errors that are returned, with the message: invalid_argument (it can't be carried as it is), corked, full, closed,
  /// and what has stopped all groups (authentication, authorization, configuration), until resume_all(). Errors that
  /// `done` gets: those of publish(), and corked and closed. An exception (no memory, no thread) leaves all as it was.
  template <std::invocable<PublishResult> Done>
    requires std::copy_constructible<Done>
  Result<void, PublishError> submit(Message message, Done done) {
    return core_->submit(std::move(message), std::move(done));
  }

  /// The same for one who waits: the future gets the result, or the error that submit() would have returned.
  std::future<PublishResult> submit(Message message) {
    auto promise = std::make_shared<std::promise<PublishResult>>();
    std::future<PublishResult> future = promise->get_future();
    auto refused =
        core_->submit(std::move(message), [promise](PublishResult result) { promise->set_value(std::move(result)); });
    if (!refused) promise->set_value(std::move(refused).error());
    return future;
  }

  /// Reopens the lane of a group that a failure has corked. When the fate of the lost message is unknown, the group
  /// still waits for it until it can't land any more, 35 s from its last sending; the same message, published again as
  /// it came back, goes at once. `Resume::now` does not wait: then the lost message may land behind its successors.
  enum class Resume { in_order, now };
  void resume(const std::string& group, Resume how = Resume::in_order) { core_->resume(group, how == Resume::now); }

  /// Reopens all lanes, after what stopped them (credentials, rights, settings) was mended.
  void resume_all() { core_->resume_all(); }

  /// Waits until all that was submitted up to now is reported. Errors: timeout; invalid_argument in a callback.
  Result<void> flush(Duration limit) { return core_->flush(limit); }

  /// Takes nothing in any more, waits for at most `grace` until all that was submitted is reported, then ends the rest:
  /// what waits comes back as not sent (closed), what is in flight is cancelled (unknown, once it went out). Returns
  /// what became of everything, once all is reported. May be called again, with the same outcome; in a callback it
  /// gives no grace and returns before the rest is reported. Callbacks that do not return make it wait.
  Ledger close(Duration grace) { return core_->close(grace); }

 private:
  using Core = runtime::PublishCore<RouteType, runtime::Channel<Transport, Authority, ClockType, ObserverType>>;

  void end() noexcept {
    if (core_ != nullptr) core_->close(Duration::zero());
  }

  std::shared_ptr<Core> core_;
};

}  // namespace dmq::inline DMQ_ABI
