#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/consume_settings.hpp>
#include <dmq/delivery.hpp>
#include <dmq/runtime/batch_handler.hpp>
#include <dmq/runtime/consume_run.hpp>
#include <dmq/sqs/client.hpp>

namespace dmq::inline DMQ_ABI {

/// Takes messages from a queue. make_consumer() in wired/ is the way to get one.
///
/// run() takes messages and calls a handler for each, in order within a group, until it is stopped.
///
/// receive, acknowledge, release and extend are plain calls on the caller's thread: nothing is extended or given back
/// behind the caller's back, and the order among what one receive returned is the caller's to keep: when a message
/// can't be handled, release it and the later ones of its group, and acknowledge none of those. All may be made from
/// any number of threads at once. A handle like Producer: movable, not copyable.
///
/// Errors of every call: authentication, authorization, configuration (no such queue), throttled, unavailable,
/// network, timeout, rejected, protocol, cancelled; invalid_argument before the network.
template <http::HttpTransport Transport, auth::Authority<Transport> Authority, Clock ClockType = SystemClock,
          Observer ObserverType = NoObserver>
class Consumer {
 public:
  using Client = sqs::Client<Transport, Authority, ClockType, ObserverType>;

  /// `settings` hold by check(settings); `seed` is for the jitter of retries.
  Consumer(Transport transport, sqs::Wire wire, Authority authority, ConsumeSettings settings, ClockType clock = {},
           ObserverType observer = {}, std::uint64_t seed = 0)
      : client_(std::move(transport), std::move(wire), std::move(authority), std::move(clock), std::move(observer),
                seed),
        settings_(std::move(settings)),
        seed_(seed) {
    settings_.new_id = share_ids(std::move(settings_.new_id));
  }

  /// Calls `handler` for each message, on as many threads as there are workers, and the messages of a group one after
  /// the other: the next when the one before is done and deleted. Leases are extended for as long as a message is held.
  /// A handler that throws, or asks to retry, gets its message again after a back-off, before any later one of the
  /// group. Runs on the caller's thread until `stop` fires or trying again can't help: then what waits is given back,
  /// running handlers have until the stop deadline, and the report says what was done and what was not. A handler may
  /// request the stop. Copies of the handler are not made; should one be abandoned, what it refers to must outlive it.
  ///
  /// Starts its workers' threads, and those of a transport without an asynchronous side; all have ended when it comes
  /// back, but for abandoned handlers'. One run at a time. Errors in the report: invalid_argument (see check_run, or
  /// there is a run already), authentication, authorization, configuration (no such queue), rejected.
  template <Handler H>
  RunReport run(H handler, std::stop_token stop = {}) {
    auto shared = std::make_shared<H>(std::move(handler));
    return run_with({[shared](std::span<const engine::Claim> claims, std::span<engine::Handled> handled) {
                      handled[0] = runtime::handle(*shared, claims[0]);
                    }},
                    stop);
  }

  /// The same for a standard queue, with up to `max_batch` messages in one call of the handler: as many as have come
  /// when a worker is free.
  /// invalid_argument, in the report, on a FIFO queue, and when `max_batch` is 0.
  template <BatchHandler H>
  RunReport run_batches(H handler, std::size_t max_batch = 10, std::stop_token stop = {}) {
    if (settings_.queue_type() == QueueType::fifo)
      return {.error = invalid_argument(
                  "run_batches() is for standard queues; on a FIFO queue the messages of a group are handled one after "
                  "the other: use run()")};
    if (max_batch < 1) return {.error = invalid_argument("max_batch must be at least 1")};
    auto shared = std::make_shared<H>(std::move(handler));
    return run_with({[shared](std::span<const engine::Claim> claims, std::span<engine::Handled> handled) {
                       runtime::handle_batch(*shared, claims, handled);
                     },
                     max_batch},
                    stop);
  }

  /// A run asks for no more messages until resume(); what it holds goes on. From any thread, before a run, too.
  void pause() { control_->set_paused(true); }
  void resume() { control_->set_paused(false); }

  /// Up to ten messages, each group's in order; none when `wait` passed without one. When one of them arrived damaged
  /// the call fails with integrity, and all come back when their lease ends.
  Result<std::vector<Delivery>> receive(ReceiveOptions options = {}, std::stop_token stop = {}) {
    if (Result<void> ok = check(options); !ok) return std::move(ok).error();
    sqs::ReceiveMessage poll{.queue_url = settings_.queue_url,
                             .max_messages = options.max_messages,
                             .wait = options.wait,
                             .visibility = settings_.visibility};
    auto received = settings_.queue_type() == QueueType::fifo
                        ? client_.receive_message(std::move(poll), settings_.new_id, std::move(stop))
                        : client_.receive_message(poll, std::move(stop));
    if (!received) return std::move(received).error();
    // The lease began when the queue answered, which was before the answer came.
    const Ticks leased_until = client_.clock().ticks() - std::chrono::seconds(1) + settings_.visibility;
    std::vector<Delivery> deliveries;
    deliveries.reserve(received->size());
    for (auto& message : *received) {
      if (!message) return std::move(message).error();
      deliveries.push_back(engine::to_delivery(*std::move(message), leased_until));
    }
    return deliveries;
  }

  /// Deletes a message: it is done. lease_lost when its lease had ended on a FIFO queue, where it then comes back;
  /// deleting twice is a success.
  Result<void> acknowledge(const Delivery& delivery, std::stop_token stop = {}) {
    if (Result<void> ok = check_handle(delivery); !ok) return ok;
    return lost_or(client_.delete_message({.queue_url = settings_.queue_url, .receipt_handle = delivery.receipt_handle},
                                          std::move(stop)));
  }

  /// The same for any number, ten a request; one result for each, in order.
  std::vector<Result<void>> acknowledge(std::span<const Delivery> deliveries, std::stop_token stop = {}) {
    std::vector<Result<void>> results;
    results.reserve(deliveries.size());
    for (std::size_t i = 0; i < deliveries.size(); i += 10) {
      const auto part = deliveries.subspan(i, std::min<std::size_t>(10, deliveries.size() - i));
      acknowledge_part(part, stop, results);
    }
    return results;
  }

  /// Gives a message back: it is visible again after `delay`, 0 s to 12 h. lease_lost when it was not ours any more.
  Result<void> release(const Delivery& delivery, std::chrono::seconds delay = {}, std::stop_token stop = {}) {
    return change(delivery, delay, "delay", std::move(stop));
  }

  /// The lease ends `visibility` from now, 0 s to 12 h after the receive. An answer that was lost leaves the
  /// earlier of both ends, and lease_lost means that it had ended.
  Result<void> extend(Delivery& delivery, std::chrono::seconds visibility, std::stop_token stop = {}) {
    const Ticks asked = client_.clock().ticks();
    Result<void> changed = change(delivery, visibility, "visibility", std::move(stop));
    if (changed)
      delivery.leased_until = asked + visibility;
    else if (changed.error().delivery == DeliveryState::unknown)
      delivery.leased_until = std::min(delivery.leased_until, asked + visibility);
    return changed;
  }

  /// What is left of a delivery's lease.
  Duration remaining(const Delivery& delivery) const { return delivery.remaining(client_.clock().ticks()); }

  /// The operations of SQS that go beyond taking messages.
  Client& client() noexcept { return client_; }
  const ConsumeSettings& settings() const noexcept { return settings_; }

 private:
  RunReport run_with(const runtime::Handling& handling, const std::stop_token& stop) {
    if (Result<void> ok = check_run(settings_); !ok) return {.error = std::move(ok).error()};
    if (!control_->begin()) return {.error = invalid_argument("this consumer is running already")};
    try {
      runtime::ConsumeRun run(client_.channel(), client_.wire(), settings_, control_, seed_++);
      return run.run(handling, stop);
    } catch (...) {
      control_->end();
      return {.error = configuration_error("the run could not go on: " + current_exception_text())};
    }
  }

  static Result<void> check_handle(const Delivery& delivery) {
    if (!delivery.receipt_handle.empty()) return {};
    return invalid_argument("the delivery has no receipt handle; it must be one that receive() gave");
  }

  /// A handle that the queue does not take any more is a lease that has ended.
  Result<void> lost_or(Result<void> result) const {
    if (!result && sqs::is_stale_handle(result.error())) result.error().kind = ErrorKind::lease_lost;
    return result;
  }

  Result<void> change(const Delivery& delivery, std::chrono::seconds visibility, const char* what,
                      std::stop_token stop) {
    if (Result<void> ok = check_visibility(what, visibility); !ok) return ok;
    if (Result<void> ok = check_handle(delivery); !ok) return ok;
    return lost_or(client_.change_message_visibility(
        {.queue_url = settings_.queue_url, .receipt_handle = delivery.receipt_handle, .visibility = visibility},
        std::move(stop)));
  }

  void acknowledge_part(std::span<const Delivery> part, const std::stop_token& stop,
                        std::vector<Result<void>>& results) {
    const bool whole = std::all_of(part.begin(), part.end(), [](const Delivery& d) { return bool(check_handle(d)); });
    if (!whole) {
      for (const Delivery& delivery : part) results.push_back(acknowledge(delivery, stop));
      return;
    }
    std::vector<sqs::Handle> handles;
    handles.reserve(part.size());
    for (const Delivery& delivery : part) handles.push_back({.receipt_handle = delivery.receipt_handle});
    auto deleted = client_.delete_message_batch({.queue_url = settings_.queue_url, .handles = handles}, stop);
    for (std::size_t i = 0; i < part.size(); ++i) {
      Result<void> result = deleted ? std::move((*deleted)[i]) : Result<void>(deleted.error());
      // An entry that failed for a passing reason is tried again by itself.
      if (deleted && !result && retry::classify(result.error()) != retry::Fault::permanent) {
        const DeliveryState before = result.error().delivery;
        result = acknowledge(part[i], stop);
        if (!result) result.error().delivery = std::max(before, result.error().delivery);
      }
      results.push_back(lost_or(std::move(result)));
    }
  }

  Client client_;
  ConsumeSettings settings_;
  std::uint64_t seed_;
  std::shared_ptr<runtime::RunControl> control_ = std::make_shared<runtime::RunControl>();
};

}  // namespace dmq::inline DMQ_ABI
