#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/engine/claim.hpp>
#include <dmq/run_report.hpp>
#include <dmq/testing/auditor.hpp>
#include <dmq/testing/local_cloud.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Watches the handlers of any number of consumers on the queues of a cloud, and says where they contradict what
/// Consumer::run promises. Looks at the queue itself: a handler may begin only with the first message of its group, and
/// only while the queue hides that from others on our behalf.
class ConsumeAuditor {
 public:
  using Consumer = std::uint64_t;  ///< A run; one that comes after a crash is another.

  explicit ConsumeAuditor(const LocalCloud& cloud) : cloud_(cloud) {}

  /// A handler of a consumer on this queue begins.
  void began(Consumer consumer, const std::string& queue, const engine::Claim& claim, Instant now) {
    const Delivery& delivery = *claim.delivery;
    const std::string& id = delivery.message_id;
    const std::string who = delivery.body + " at consumer " + std::to_string(consumer);
    // A standard queue confirms the delete of a message that others have received meanwhile, and keeps it.
    if (is_fifo(queue) && confirmed_.contains(id))
      violate("confirmed-not-again", who + " begins after its delete was confirmed");
    if (finished_.contains({consumer, id})) violate("finished-not-again", who + " begins, and was done there");
    if (is_fifo(queue)) {
      for (const Running& other : running_)
        if (other.queue == queue && other.claim.delivery->group == delivery.group && !other.is_excused())
          violate("no-overlap", who + " begins while " + other.claim.delivery->body + " runs at consumer " +
                                    std::to_string(other.consumer));
      check_first(queue, delivery, who);
    }
    if (!is_ours(queue, delivery, now, true))
      violate("lease-is-held", who + " begins, and is not hidden on its behalf");
    running_.push_back({consumer, queue, claim});
  }

  /// It returns.
  void ended(Consumer consumer, const engine::Claim& claim, const engine::Handled& handled, Instant now) {
    const auto found = std::find_if(running_.begin(), running_.end(), [&](const Running& running) {
      return running.consumer == consumer && running.claim.id == claim.id;
    });
    if (found == running_.end()) return violate("ends-once", claim.delivery->body + " ends without having begun");
    const Delivery& delivery = *claim.delivery;
    if (!found->is_excused() && !is_ours(found->queue, delivery, now, false))
      violate("told-before-loss", delivery.body + " at consumer " + std::to_string(consumer) +
                                      " has lost its lease, and its handler was not told");
    const Disposition::Kind kind = handled.disposition.kind;
    if (kind == Disposition::Kind::done || kind == Disposition::Kind::discard) {
      finished_.emplace(consumer, delivery.message_id);
      finished_ever_.insert(delivery.message_id);
    }
    running_.erase(found);
  }

  /// A consumer's delete of a message was confirmed.
  void confirmed(const std::string& message_id) { confirmed_.insert(message_id); }

  /// A consumer stands still: until it goes on it can't be told of anything.
  void froze(Consumer consumer) {
    for (Running& running : running_)
      if (running.consumer == consumer) running.frozen = true;
  }
  void crashed(Consumer consumer) {
    std::erase_if(running_, [&](const Running& running) { return running.consumer == consumer; });
  }

  /// It came to its end after a stop: what it gave back is there for others, at the latest a poll from now.
  void stopped(const std::string& queue, const RunReport& report, Instant now) {
    for (const Unfinished& unfinished : report.released)
      for (const HeldMessage& held : cloud_.messages(queue, unfinished.group))
        if (held.message_id == unfinished.message_id && held.receive_count == unfinished.fence.receive_count &&
            held.visibility == Visibility::in_flight && held.visible_at > now.ticks + longest_poll)
          violate("visible-after-a-stop", std::string(held.content.body) + " is hidden for nobody");
  }

  /// At the end: every message is done, or in the dead-letter queue.
  void finish(const std::string& queue, const std::string& dead_letters, const std::set<std::string>& sent) {
    std::set<std::string> dead;
    for (const HeldMessage& held : cloud_.messages(dead_letters)) dead.insert(held.message_id);
    for (const HeldMessage& held : cloud_.messages(queue))
      violate("drained", std::string(held.content.body) + " is still in the queue");
    for (const std::string& id : sent)
      if (!finished_ever_.contains(id) && !dead.contains(id)) violate("nothing-is-lost", id + " was never handled");
  }

  void violate(std::string invariant, std::string what) {
    violations_.push_back({std::move(invariant), std::move(what)});
  }
  const std::vector<Violation>& violations() const noexcept { return violations_; }

 private:
  struct Running {
    Consumer consumer = 0;
    std::string queue{};
    engine::Claim claim;
    bool frozen = false;

    /// It was told that another may have the message, or could not be.
    bool is_excused() const { return frozen || claim.lease.lost(); }
  };

  static constexpr Duration longest_poll = std::chrono::seconds(20);

  static bool is_fifo(const std::string& queue) { return queue.ends_with(".fifo"); }

  void check_first(const std::string& queue, const Delivery& delivery, const std::string& who) {
    for (const HeldMessage& held : cloud_.messages(queue, delivery.group)) {
      if (held.message_id == delivery.message_id) return;
      return violate("in-order", who + " begins before " + std::string(held.content.body) + " is done");
    }
  }

  /// Whether the queue hides a message, because of the receive that brought this delivery or of a later one.
  bool is_ours(const std::string& queue, const Delivery& delivery, Instant now, bool of_this_receive) const {
    for (const HeldMessage& held : cloud_.messages(queue, delivery.group))
      if (held.message_id == delivery.message_id)
        return held.visibility == Visibility::in_flight && held.visible_at > now.ticks &&
               (of_this_receive ? held.receive_count == delivery.receive_count
                                : held.receive_count >= delivery.receive_count);
    return false;
  }

  const LocalCloud& cloud_;
  std::vector<Running> running_;
  std::set<std::string> confirmed_;
  std::set<std::pair<Consumer, std::string>> finished_;
  std::set<std::string> finished_ever_;
  std::vector<Violation> violations_;
};

}  // namespace dmq::inline DMQ_ABI::testing
