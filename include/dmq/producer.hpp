#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include <dmq/core/observer.hpp>
#include <dmq/runtime/publish_core.hpp>

namespace dmq::inline DMQ_ABI {

/// Why a message was not accepted, and the message.
struct PublishError : Error {
  Message returned{};
};

using PublishResult = Result<Receipt, PublishError>;

/// Publishes messages, in order inside each group. make_producer() in dmq.hpp is the way to get one.
///
/// Calls run on the caller's thread; the library has none of its own. All may be made from any number of threads at
/// once: each group then sends one request at a time, in the order in which the calls were made. The producer is a
/// handle, movable and not copyable; moved from, it may be destroyed or assigned. It must outlive its calls.
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
  Producer& operator=(Producer&&) noexcept = default;

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
    return result(std::move(publication));
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
    for (engine::Publication& publication : publications) results.push_back(result(std::move(publication)));
    return results;
  }

 private:
  using Core = runtime::PublishCore<RouteType, runtime::Channel<Transport, Authority, ClockType, ObserverType>>;

  static PublishResult result(engine::Publication publication) {
    if (publication.fate == engine::Publication::Fate::accepted) return std::move(publication.receipt);
    return PublishError{std::move(publication.error), std::move(publication.entry.message)};
  }

  std::shared_ptr<Core> core_;
};

}  // namespace dmq::inline DMQ_ABI
