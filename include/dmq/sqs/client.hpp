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
#include <dmq/sqs/queue_description.hpp>
#include <dmq/sqs/receive_call.hpp>
#include <dmq/sqs/send_route.hpp>

namespace dmq::inline DMQ_ABI::sqs {

/// The operations of SQS as blocking calls, each with retries. It knows nothing of order: Producer and Consumer do.
/// Calls run on the caller's thread and may overlap. A handle like Producer: movable, not copyable.
///
/// Errors of every call: invalid_argument (before anything is sent), authentication, authorization, configuration (no
/// such queue), throttled, unavailable, network, timeout, rejected, protocol, cancelled. What the operations mean, and
/// what a repeat after a lost answer does, stands with their structs in operations.hpp.
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

  /// CreateQueue; the queue's URL.
  Result<std::string> create_queue(const CreateQueue& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  /// GetQueueAttributes, read; perform(GetQueueAttributes) gives them as text.
  Result<QueueDescription> get_queue_attributes(std::string_view queue_url, std::stop_token stop = {}) {
    return perform(GetQueueAttributes{.queue_url = queue_url}, std::move(stop)).transform([&](AttributeMap&& map) {
      return read_queue_description(std::move(map), wire_.parser());
    });
  }
  Result<void> set_queue_attributes(const SetQueueAttributes& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  /// ListQueues: one page, whose next_token asks for the next.
  Result<QueuePage> list_queues(const ListQueues& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  /// ListQueues: all pages.
  Result<std::vector<std::string>> list_all_queues(std::string_view prefix = {}, std::stop_token stop = {}) {
    return all_pages(ListQueues{.prefix = prefix}, stop);
  }
  Result<QueuePage> list_dead_letter_source_queues(const ListDeadLetterSourceQueues& operation,
                                                   std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<std::vector<std::string>> list_all_dead_letter_source_queues(std::string_view queue_url,
                                                                      std::stop_token stop = {}) {
    return all_pages(ListDeadLetterSourceQueues{.queue_url = queue_url}, stop);
  }
  Result<void> purge_queue(std::string_view queue_url, std::stop_token stop = {}) {
    return perform(PurgeQueue{.queue_url = queue_url}, std::move(stop));
  }
  /// DeleteQueue. A queue that is gone after an attempt of unknown outcome is a success, too.
  Result<void> delete_queue(std::string_view queue_url, std::stop_token stop = {}) {
    Result<void> deleted = perform(DeleteQueue{.queue_url = queue_url}, std::move(stop));
    if (!deleted && is_missing_queue(deleted.error()) && deleted.error().delivery == DeliveryState::unknown) return {};
    return deleted;
  }

  Result<void> tag_queue(std::string_view queue_url, Tags tags, std::stop_token stop = {}) {
    return perform(TagQueue{.queue_url = queue_url, .tags = std::move(tags)}, std::move(stop));
  }
  Result<void> untag_queue(std::string_view queue_url, std::vector<std::string> keys, std::stop_token stop = {}) {
    return perform(UntagQueue{.queue_url = queue_url, .keys = std::move(keys)}, std::move(stop));
  }
  Result<Tags> list_queue_tags(std::string_view queue_url, std::stop_token stop = {}) {
    return perform(ListQueueTags{.queue_url = queue_url}, std::move(stop));
  }
  Result<void> add_permission(const AddPermission& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  Result<void> remove_permission(std::string_view queue_url, std::string_view label, std::stop_token stop = {}) {
    return perform(RemovePermission{.queue_url = queue_url, .label = label}, std::move(stop));
  }

  /// StartMessageMoveTask; the task's handle.
  Result<std::string> start_message_move_task(const StartMessageMoveTask& operation, std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  /// ListMessageMoveTasks; the newest first.
  Result<std::vector<MoveTask>> list_message_move_tasks(const ListMessageMoveTasks& operation,
                                                        std::stop_token stop = {}) {
    return perform(operation, std::move(stop));
  }
  /// CancelMessageMoveTask; how many messages it has moved.
  Result<std::int64_t> cancel_message_move_task(std::string_view task_handle, std::stop_token stop = {}) {
    return perform(CancelMessageMoveTask{.task_handle = task_handle}, std::move(stop));
  }

  const ClockType& clock() const noexcept { return channel_->clock(); }
  /// For what is built on a client: what its calls share, and how they are written.
  using Channel = runtime::Channel<Transport, Authority, ClockType, ObserverType>;
  const std::shared_ptr<Channel>& channel() const noexcept { return channel_; }
  const Wire& wire() const noexcept { return wire_; }

  /// Any operation of operations.hpp; what its check() refuses is not sent. `wait` is how long the service may hold the
  /// answer back.
  template <class Operation>
  Result<typename Operation::result_type> perform(const Operation& operation, std::stop_token stop,
                                                  Duration wait = Duration::zero()) {
    if constexpr (requires { operation.check(); })
      if (Result<void> ok = operation.check(); !ok) return std::move(ok).error();
    Call<Operation> call(wire_, operation);
    return drive(call, Operation::repeat, wait, std::move(stop));
  }

 private:
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

  template <class Operation>
  Result<std::vector<std::string>> all_pages(Operation operation, const std::stop_token& stop) {
    std::vector<std::string> urls;
    for (;;) {
      Result<QueuePage> page = perform(operation, stop);
      if (!page) return std::move(page).error();
      urls.insert(urls.end(), page->queue_urls.begin(), page->queue_urls.end());
      if (page->next_token.empty()) return urls;
      if (page->next_token == operation.next_token)
        return Error{.kind = ErrorKind::protocol, .message = "the list of queues has no end: a page leads to itself"};
      operation.next_token = std::move(page->next_token);
    }
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
