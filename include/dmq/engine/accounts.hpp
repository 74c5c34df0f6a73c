#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include <dmq/engine/submission.hpp>
#include <dmq/publish_settings.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What a producer holds, and what became of what it held: the bounds, what flush() waits for, the ledger. Not
/// thread-safe.
class Accounts {
 public:
  explicit Accounts(const SubmitSettings& bounds) : bounds_(bounds) {}

  bool has_room(std::size_t bytes) const noexcept {
    return held_ == 0 || (held_ < bounds_.max_messages && held_bytes_ + bytes <= bounds_.max_bytes);
  }

  /// A submission came in.
  void take_in(Submission& s) noexcept {
    s.epoch = first_epoch_ + epochs_.size() - 1;
    ++epochs_.back();
    ++held_;
    held_bytes_ += s.bytes;
  }
  /// A publication that had come in has ended.
  void count(const Publication& p) noexcept {
    if (p.fate == Publication::Fate::accepted)
      ++ledger_.accepted;
    else if (p.error.delivery == DeliveryState::unknown)
      ++ledger_.unknown;
    else
      ++(p.error.delivery == DeliveryState::rejected ? ledger_.rejected : ledger_.not_sent);
  }
  /// These are about to be told, which makes room for others.
  void hand_out(const Submissions& ended) noexcept {
    held_ -= ended.size();
    for (const Submission& s : ended) held_bytes_ -= s.bytes;
  }
  /// close() found this one unreported.
  void list(const Submission& s) {
    const bool accepted = s.fate == Publication::Fate::accepted;
    ledger_.unreported.push_back({.group = s.entry.message.group,
                                  .deduplication_id = s.entry.deduplication_id,
                                  .message_id = s.receipt.message_id,
                                  .error = accepted ? std::nullopt : std::optional(s.error.kind),
                                  .delivery = accepted ? DeliveryState::not_sent : s.error.delivery});
  }
  /// These have been told.
  void reported(const Submissions& ended) noexcept {
    for (const Submission& s : ended) --epochs_[s.epoch - first_epoch_];
    drop_finished();
  }

  /// Ends an epoch and returns it: idle(epoch) holds when all that came in up to now is reported.
  std::uint64_t next_epoch() {
    epochs_.push_back(0);
    const std::uint64_t ended = first_epoch_ + epochs_.size() - 2;
    drop_finished();
    return ended;
  }
  bool idle(std::uint64_t epoch) const noexcept { return first_epoch_ > epoch; }
  /// Whether all is reported.
  bool idle() const noexcept { return epochs_.size() == 1 && epochs_.front() == 0; }

  const Ledger& ledger() const noexcept { return ledger_; }

 private:
  void drop_finished() noexcept {
    while (epochs_.size() > 1 && epochs_.front() == 0) {
      epochs_.pop_front();
      ++first_epoch_;
    }
  }

  const SubmitSettings& bounds_;
  std::size_t held_ = 0;  ///< Submissions that have not ended, or wait to be told.
  std::size_t held_bytes_ = 0;
  std::uint64_t first_epoch_ = 0;
  std::deque<std::size_t> epochs_{0};  ///< How many of each are not reported; the last one is the present.
  Ledger ledger_;
};

}  // namespace dmq::inline DMQ_ABI::engine
