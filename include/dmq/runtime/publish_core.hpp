#pragma once

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/engine/lanes.hpp>
#include <dmq/engine/publication.hpp>
#include <dmq/engine/publish_call.hpp>
#include <dmq/engine/quarantine.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/runtime/caller_driver.hpp>
#include <dmq/runtime/channel.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// The one owner of a producer's state: its channel, its lanes, and who waits in them. Callers of publish drive their
/// own requests; in each group only the first in its lane has a request in flight. Thread-safe.
template <Route RouteType, class ChannelType>
class PublishCore {
 public:
  using Publication = engine::Publication;

  template <class... ChannelArguments>
  PublishCore(RouteType route, PublishSettings settings, ChannelArguments&&... channel)
      : channel_(std::forward<ChannelArguments>(channel)...),
        route_(std::move(route)),
        settings_(std::move(settings)) {}

  /// Takes every publication to an end. Those that are refused before the network never enter their lane.
  void publish(std::span<Publication> publications, const std::stop_token& stop) {
    for (Publication& publication : publications) prepare(publication);
    Membership membership(*this, publications);
    membership.enter();
    Call call{.publications = publications, .stop = stop, .deadline = channel_.now().ticks + settings_.deadline};
    while (gather(call)) send(call);
  }

 private:
  /// One caller's publications; `batch` holds those of the request that is next.
  struct Call {
    std::span<Publication> publications;
    const std::stop_token& stop;
    Ticks deadline;
    std::size_t first_open = 0;
    std::array<Publication*, 10> batch{};
    std::size_t batch_size = 0;
    Ticks opens_at = Ticks::max();  ///< When the first of the groups opens that were passed over as closed.

    std::span<Publication* const> sent() const { return std::span(batch).first(batch_size); }
  };

  /// Holds a caller's tickets, and gives them back whatever happens.
  class Membership {
   public:
    Membership(PublishCore& core, std::span<Publication> publications) : core_(core), publications_(publications) {}
    void enter() {
      const std::lock_guard lock(core_.mutex_);
      for (Publication& publication : publications_)
        if (publication.fate == Publication::Fate::open && !publication.entry.message.group.empty())
          publication.ticket = core_.lanes_.enter(publication.entry.message.group);
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;
    ~Membership() {
      const std::lock_guard lock(core_.mutex_);
      for (Publication& publication : publications_) core_.leave(publication);
      core_.lanes_changed_.notify_all();
    }

   private:
    PublishCore& core_;
    std::span<Publication> publications_;
  };

  /// Under the lock.
  void leave(Publication& publication) noexcept {
    if (publication.ticket != engine::Lanes::none) lanes_.leave(std::exchange(publication.ticket, engine::Lanes::none));
  }

  void prepare(Publication& p) {
    const QueueType type = settings_.deduplication == Deduplication::none ? QueueType::standard : QueueType::fifo;
    if (Result<void> ok = validate(p.entry.message, type); !ok) return p.fail(std::move(ok).error());
    if (settings_.deduplication == Deduplication::id) {
      p.entry.deduplication_id = p.entry.message.deduplication_id;
      if (p.entry.deduplication_id.empty()) {
        Result<std::string> id = new_id();
        if (!id) return p.fail(std::move(id).error());
        p.entry.deduplication_id = *std::move(id);
      }
    } else if (!p.entry.message.deduplication_id.empty()) {
      return p.fail(invalid_argument("the message has a deduplication id, which this producer is set not to send"));
    }
    if (Result<void> ok = route_.check(p.entry); !ok) return p.fail(std::move(ok).error());
    if (is_sent_again(p.entry.message)) {
      p.first_byte = p.entry.message.first_sent;
      p.worst = DeliveryState::unknown;
      p.alone = true;
    }
  }

  bool is_sent_again(const Message& message) const {
    if (!message.first_sent || settings_.deduplication == Deduplication::none) return false;
    return settings_.deduplication == Deduplication::content || !message.deduplication_id.empty();
  }

  Result<std::string> new_id() {
    const std::lock_guard lock(mutex_);
    try {
      return settings_.new_id();
    } catch (...) {
      return configuration_error("no deduplication id could be made: " + current_exception_text());
    }
  }

  /// Waits until some of the call's open publications are first in their lanes and puts them into its batch. False
  /// when none is open any more; those that can't wait longer are ended.
  bool gather(Call& call) {
    while (call.first_open < call.publications.size() &&
           call.publications[call.first_open].fate != Publication::Fate::open)
      ++call.first_open;
    if (call.first_open == call.publications.size()) return false;
    std::unique_lock lock(mutex_);
    const auto over = [&] { return call.stop.stop_requested() || channel_.now().ticks >= call.deadline; };
    while (pick(call) == 0 && !over())
      wait_until(channel_.clock(), lanes_changed_, lock, call.stop, std::min(call.deadline, call.opens_at),
                 [&] { return pick(call) > 0; });
    lock.unlock();
    if (!over()) return true;
    const bool stopped = call.stop.stop_requested();
    for (Publication& publication : call.publications.subspan(call.first_open))
      if (publication.fate == Publication::Fate::open)
        publication.fail({.kind = stopped ? ErrorKind::cancelled : ErrorKind::timeout,
                          .message = stopped ? "stopped by the caller before it was sent"
                                             : "its turn did not come within the time limit"});
    return false;
  }

  /// At most max_batch entries and 1 MiB; from each lane one, or a run of up to in_group_batch.
  std::size_t pick(Call& call) {
    constexpr std::size_t window = 1000;  // How far to look ahead for other groups.
    const std::size_t most = std::min(route_.max_batch(), call.batch.size());
    std::size_t bytes = 0;
    call.batch_size = 0;
    call.opens_at = Ticks::max();
    const Ticks now = channel_.now().ticks;
    const auto open = call.publications.subspan(call.first_open);
    for (Publication& publication : open.first(std::min(open.size(), window))) {
      if (publication.fate != Publication::Fate::open || !may_join(call, publication)) continue;
      if (const Ticks opens_at =
              quarantine_.opens_at(publication.entry.message.group, publication.entry.deduplication_id);
          opens_at > now) {
        call.opens_at = std::min(call.opens_at, opens_at);
        continue;
      }
      bytes += message_bytes(publication.entry.message);
      if (call.batch_size > 0 && (bytes > max_message_bytes || publication.alone)) break;
      call.batch[call.batch_size++] = &publication;
      if (call.batch_size == most || publication.alone) break;
    }
    return call.batch_size;
  }

  bool may_join(const Call& call, const Publication& publication) const {
    if (publication.ticket == engine::Lanes::none || lanes_.is_first(publication.ticket)) return true;
    const auto run = std::count_if(call.sent().begin(), call.sent().end(), [&](const Publication* other) {
      return engine::detail::same_lane(*other, publication);
    });
    if (run == 0 || static_cast<std::size_t>(run) >= settings_.in_group_batch) return false;
    return std::any_of(call.sent().begin(), call.sent().end(),
                       [&](const Publication* other) { return other->ticket == lanes_.previous(publication.ticket); });
  }

  /// One request to its end; then whatever it carried has ended, or is to be sent alone.
  void send(Call& call) {
    engine::Terms terms{.retry = settings_.retry,
                        .repeat = settings_.deduplication == Deduplication::none
                                      ? retry::Repeat::never
                                      : retry::Repeat::within_deduplication_window,
                        .request_timeout = settings_.request_timeout,
                        .deadline = call.deadline};
    for (const Publication* publication : call.sent())
      if (publication->worst == DeliveryState::unknown) terms.first_byte = publication->first_byte;
    engine::PublishCall<RouteType> request(
        route_, call.sent(),
        settings_.deduplication == Deduplication::none ? http::Resend::forbidden : http::Resend::allowed);
    CallerDriver driver(channel_, request, std::move(terms), call.stop);
    const Result<void> outcome = driver.run();
    for (Publication* publication : call.sent()) conclude(*publication, outcome, driver.exchange());
    settle(call, driver.exchange());
    const auto hopeless = std::find_if(call.sent().begin(), call.sent().end(), [](const Publication* publication) {
      return publication->fate == Publication::Fate::failed && is_about_no_message(publication->error.kind);
    });
    if (hopeless != call.sent().end()) give_up(call, (*hopeless)->error);
  }

  /// Leaves the lanes of what has ended, holds back what the caller queued behind failures, and closes the groups in
  /// which a message may still land.
  void settle(Call& call, const engine::Exchange& exchange) {
    const std::lock_guard lock(mutex_);
    for (Publication* publication : call.sent()) {
      if (publication->fate == Publication::Fate::open) continue;
      leave(*publication);
      const std::string& group = publication->entry.message.group;
      if (publication->fate == Publication::Fate::accepted) {
        quarantine_.open(group, publication->entry.deduplication_id);
        continue;
      }
      hold_back(call, *publication);
      if (publication->worst == DeliveryState::unknown && publication->error.kind != ErrorKind::integrity &&
          exchange.last_send() && !group.empty() && settings_.deduplication != Deduplication::none)
        quarantine_.close(group, publication->entry.deduplication_id, exchange.last_send()->ticks,
                          channel_.now().ticks);
    }
    lanes_changed_.notify_all();
  }

  static bool is_about_no_message(ErrorKind kind) {
    return kind == ErrorKind::authentication || kind == ErrorKind::authorization || kind == ErrorKind::configuration;
  }

  /// What stopped one request would stop all others, too.
  void give_up(Call& call, Error error) {
    error.delivery = DeliveryState::not_sent;
    error.attempts = 0;
    const std::lock_guard lock(mutex_);
    for (Publication& publication : call.publications)
      if (publication.fate == Publication::Fate::open) end_unsent(publication, error);
    lanes_changed_.notify_all();
  }

  void end_unsent(Publication& publication, Error error) {
    publication.fail(std::move(error));
    leave(publication);
  }

  void conclude(Publication& publication, const Result<void>& outcome, const engine::Exchange& exchange) const {
    if (!publication.first_byte) publication.first_byte = exchange.first_byte();
    publication.receipt.attempts = publication.error.attempts = exchange.attempts();
    if (publication.fate == Publication::Fate::open && !outcome) publication.fail();
    if (publication.fate != Publication::Fate::failed || publication.worst != DeliveryState::unknown) return;
    if (settings_.deduplication == Deduplication::none || !publication.first_byte) return;
    // So that it can be published again as it is.
    publication.entry.message.deduplication_id = publication.entry.deduplication_id;
    publication.entry.message.first_sent = publication.first_byte;
    publication.error.deduplication_until =
        retry::DeduplicationClock(*publication.first_byte).last_start(settings_.request_timeout);
  }

  /// What the caller queued behind a failed message of the same group comes back to it.
  void hold_back(const Call& call, const Publication& failed) {
    for (Publication& publication : call.publications)
      if (&publication > &failed && publication.fate == Publication::Fate::open &&
          engine::detail::same_lane(publication, failed))
        end_unsent(publication, engine::corked_error(publication.entry.message.group));
  }

  ChannelType channel_;
  RouteType route_;
  PublishSettings settings_;
  std::mutex mutex_;
  std::condition_variable_any lanes_changed_;
  engine::Lanes lanes_;
  engine::Quarantine quarantine_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
