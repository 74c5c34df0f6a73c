#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <dmq/runtime/caller_driver.hpp>
#include <dmq/runtime/channel.hpp>
#include <dmq/sqs/call.hpp>
#include <dmq/sqs/operations.hpp>
#include <dmq/sqs/receive_call.hpp>
#include <dmq/sqs/send_route.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// The operations of SQS as blocking calls, each with retries. It knows nothing of order: Producer and Consumer do.
/// Calls run on the caller's thread and may overlap. A handle like Producer: movable, not copyable.
///
/// Errors of every call: authentication, authorization, configuration (no such queue), throttled, unavailable,
/// network, timeout, rejected, protocol, cancelled.
template <http::HttpTransport Transport, auth::Authority<Transport> Authority, Clock ClockType = SystemClock,
          Observer ObserverType = NoObserver>
class Client {
 public:
  Client(Transport transport, Wire wire, Authority authority, ClockType clock = {}, ObserverType observer = {},
         std::uint64_t seed = 0)
      : wire_(std::move(wire)),
        channel_(std::make_shared<Channel>(std::move(transport), std::move(authority), std::move(clock),
                                           std::move(observer), seed)) {}
  Client(Client&&) noexcept = default;
  Client& operator=(Client&&) noexcept = default;

  /// SendMessage. Without a deduplication id and on a queue without content-based deduplication, use Repeat::never.
  Result<Receipt> send_message(std::string_view queue_url, const Entry& entry, std::stop_token stop = {},
                               retry::Repeat repeat = retry::Repeat::within_deduplication_window) {
    const Entry* const batch[] = {&entry};
    auto results = send(queue_url, batch, std::move(stop), repeat);
    if (!results) return std::move(results).error();
    return std::move(results->front());
  }

  /// SendMessageBatch, one to ten entries; one result for each. Failed entries are not sent again.
  Result<std::vector<Result<Receipt>>> send_message_batch(
      std::string_view queue_url, EntryBatch batch, std::stop_token stop = {},
      retry::Repeat repeat = retry::Repeat::within_deduplication_window) {
    if (batch.empty() || batch.size() > 10) return invalid_argument("a batch has 1 to 10 entries");
    return send(queue_url, batch, std::move(stop), repeat);
  }

  /// ReceiveMessage. A message that arrived damaged is an integrity error in its place.
  Result<std::vector<Result<ReceivedMessage>>> receive_message(const ReceiveMessage& operation,
                                                               std::stop_token stop = {}) {
    return perform(operation, std::move(stop), operation.wait);
  }
  /// The same, with an attempt id made by `new_id` that gives a lost answer once more; for FIFO queues.
  Result<std::vector<Result<ReceivedMessage>>> receive_message(ReceiveMessage operation,
                                                               const std::function<std::string()>& new_id,
                                                               std::stop_token stop = {}) {
    ReceiveCall<ClockType> call(wire_, operation, clock(), new_id);
    return drive(call, ReceiveMessage::repeat, operation.wait, std::move(stop));
  }
  Result<void> delete_message(const DeleteMessage& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<std::vector<Result<void>>> delete_message_batch(const DeleteMessageBatch& operation,
                                                         std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<void> change_message_visibility(const ChangeMessageVisibility& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<std::vector<Result<void>>> change_message_visibility_batch(const ChangeMessageVisibilityBatch& operation,
                                                                    std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<std::string> get_queue_url(std::string_view queue_name, std::stop_token stop = {}) {
    return perform(GetQueueUrl{.queue_name = queue_name}, std::move(stop));
  }
  Result<GetQueueAttributes::result_type> get_queue_attributes(std::string_view queue_url, std::stop_token stop = {}) {
    return perform(GetQueueAttributes{.queue_url = queue_url}, std::move(stop));
  }

  const ClockType& clock() const noexcept { return channel_->clock(); }

  /// Any operation of operations.hpp. `wait` is how long the service may hold the answer back.
  template <class Operation>
  Result<typename Operation::result_type> perform(const Operation& operation, std::stop_token stop,
                                                  Duration wait = Duration::zero()) {
    Call<Operation> call(wire_, operation);
    return drive(call, Operation::repeat, wait, std::move(stop));
  }

 private:
  using Channel = runtime::Channel<Transport, Authority, ClockType, ObserverType>;

  static constexpr Duration request_timeout = std::chrono::seconds(15);

  struct SendCall {
    using result_type = std::vector<Result<Receipt>>;
    SendRoute route;
    EntryBatch batch;

    std::string_view name() const noexcept { return batch.size() == 1 ? "SendMessage" : "SendMessageBatch"; }
    Result<http::Request> build() const { return route.build(batch); }
    /// A whole request that failed is one error, to be judged and retried as such.
    Result<result_type> parse(const http::Response& response) const {
      result_type results = route.parse(response, batch);
      const bool whole = batch.size() == 1 || response.status < 200 || response.status >= 300;
      if (whole && !results.front()) return std::move(results.front()).error();
      return results;
    }
  };

  Result<std::vector<Result<Receipt>>> send(std::string_view queue_url, EntryBatch batch, std::stop_token stop,
                                            retry::Repeat repeat) {
    SendCall call{SendRoute(wire_, std::string(queue_url)), batch};
    return drive(call, repeat, Duration::zero(), std::move(stop));
  }

  template <class CallType>
  Result<typename CallType::result_type> drive(CallType& call, retry::Repeat repeat, Duration wait,
                                               std::stop_token stop) {
    const engine::Terms terms{.repeat = repeat, .request_timeout = request_timeout + wait};
    runtime::CallerDriver driver(*channel_, call, terms, std::move(stop));
    Result<typename CallType::result_type> result = driver.run();
    if constexpr (!std::is_void_v<typename CallType::result_type>)
      if (result) join(*result, driver.exchange().worst());
    return result;
  }

  /// What an earlier attempt left open, a refusal of a later one does not settle: of each entry, as of all.
  template <class T>
  static void join(std::vector<Result<T>>& entries, DeliveryState worst) {
    for (Result<T>& entry : entries)
      if (!entry) entry.error().delivery = std::max(entry.error().delivery, worst);
  }
  template <class T>
  static void join(T&, DeliveryState) {}

  Wire wire_;
  std::shared_ptr<Channel> channel_;
};

}  // namespace dmq::inline DMQ_ABI::sqs
