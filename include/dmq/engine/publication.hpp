#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/lanes.hpp>
#include <dmq/engine/rule.hpp>
#include <dmq/retry/policy.hpp>
#include <dmq/sqs/route.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// One message from its submission to its end.
struct Publication {
  enum class Fate { open, accepted, failed };

  Entry entry{};
  Lanes::Ticket ticket = Lanes::none;
  Fate fate = Fate::open;
  Receipt receipt{};                              ///< When accepted.
  Error error{};                                  ///< When failed; of the last attempt while open.
  DeliveryState worst = DeliveryState::not_sent;  ///< Joined over all attempts.
  std::string follows{};                          ///< Sequence number of the one before it, of a run taken apart.
  std::optional<Instant> first_byte{};            ///< When it was first sent.
  std::optional<Ticks> last_send{};               ///< When it was last sent.
  bool alone = false;      ///< Refused together with others, or of unknown fate before: it is sent by itself.
  bool in_flight = false;  ///< Carried by a request, or by one that waits to be repeated.
  bool entered = false;    ///< Taken in, and so part of the ledger.
  bool submitted = false;  ///< A Submission, rather than a caller's own.

  void accept(Receipt accepted) {
    receipt = std::move(accepted);
    fate = Fate::accepted;
  }

  void note(Error failure) {
    worst = holds(Rule::outcomes_join) ? std::max(worst, failure.delivery) : failure.delivery;
    error = std::move(failure);
  }

  /// Ends it with the error that was noted last.
  void fail() {
    fate = Fate::failed;
    error.delivery = worst;
    error.deduplication_id = entry.deduplication_id;
  }

  void fail(Error failure) {
    note(std::move(failure));
    fail();
  }
};

inline Error corked_error(std::string_view group) {
  return {.kind = ErrorKind::corked,
          .delivery = DeliveryState::not_sent,
          .message = "held back, since an earlier message of group " + std::string(group) + " was not accepted"};
}

namespace detail {
inline bool same_lane(const Publication& a, const Publication& b) {
  return !a.entry.message.group.empty() && a.entry.message.group == b.entry.message.group;
}

/// An accepted publication fails when its sequence number is not above that of one before it.
inline void check_behind(Publication& publication, std::string_view before) {
  const std::string_view own = publication.receipt.sequence_number;
  if (publication.fate != Publication::Fate::accepted || before.empty() || own.empty()) return;
  if (std::pair(before.size(), before) < std::pair(own.size(), own)) return;
  publication.fail({.kind = ErrorKind::integrity,
                    .delivery = DeliveryState::unknown,
                    .message = "the queue took message " + publication.receipt.message_id +
                               ", but not behind the message that was published before it"});
}

/// Whether all were refused in one breath for what one of them may have caused.
inline bool refused_together(std::span<Publication* const> sent, std::span<const Result<Receipt>> results) {
  return sent.size() > 1 && std::all_of(results.begin(), results.end(), [](const Result<Receipt>& result) {
           return !result && result.error().kind == ErrorKind::rejected;
         });
}
}  // namespace detail

/// Applies the answer to a request that carried `sent`, in order, and decides what stays open to be sent again. Groups
/// may have runs of several entries in it:
/// - an entry that can be retried stays open, unless one behind it in its group was accepted (it would come after it)
///   or one before it ended (it is held back);
/// - entries that were refused all together stay open, to be sent one by one, so that only the guilty one fails.
/// Pure.
inline void apply_results(std::span<Publication* const> sent, std::vector<Result<Receipt>> results) {
  const bool together = detail::refused_together(sent, results);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Publication& publication = *sent[i];
    if (results[i]) {
      publication.accept(*std::move(results[i]));
    } else {
      publication.note(std::move(results[i]).error());
      publication.alone = publication.alone || together;
    }
  }
  if (together) return;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    Publication& publication = *sent[i];
    if (publication.fate != Publication::Fate::open) continue;
    const auto before = sent.first(i);
    const auto behind = sent.subspan(i + 1);
    const auto in_lane = [&](Publication::Fate fate) {
      return [&publication, fate](const Publication* other) {
        return other->fate == fate && detail::same_lane(*other, publication);
      };
    };
    if (std::any_of(before.begin(), before.end(), in_lane(Publication::Fate::failed))) {
      publication.fail(corked_error(publication.entry.message.group));
    } else if (retry::classify(publication.error) == retry::Fault::permanent ||
               (holds(Rule::failed_behind_accepted_end) &&
                std::any_of(behind.begin(), behind.end(), in_lane(Publication::Fate::accepted)))) {
      publication.fail();
    }
  }
}

/// A run of one group has rising sequence numbers; where it does not, the queue's order is not ours, and the later one
/// fails with integrity.
inline void check_order(std::span<Publication* const> sent) {
  for (std::size_t j = 0; j < sent.size(); ++j) {
    detail::check_behind(*sent[j], sent[j]->follows);
    for (std::size_t i = 0; i < j; ++i)
      if (detail::same_lane(*sent[i], *sent[j])) detail::check_behind(*sent[j], sent[i]->receipt.sequence_number);
  }
}

}  // namespace dmq::inline DMQ_ABI::engine
