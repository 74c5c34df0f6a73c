#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <dmq/engine/accounts.hpp>
#include <dmq/engine/exchange.hpp>
#include <dmq/engine/quarantine.hpp>
#include <dmq/engine/waitlist.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Decides what a producer sends next, and what the outcome of a request means for its messages and for those behind
/// them. Callers of publish() enter their publications and drive them by themselves; what was submitted leaves in
/// batches. It does no I/O: events come in with the time, take_batch() and take_ended() give what is to be done, and
/// next_deadline() says when to ask again. Not thread-safe.
///
/// A lane is a group's order. One request is in flight in each; a message that fails corks its lane: what was
/// submitted behind it comes back, and nothing enters until resume().
class PublishMachine {
 public:
  PublishMachine(const PublishSettings& settings, std::size_t max_batch)
      : settings_(settings), max_batch_(std::min<std::size_t>(max_batch, 10)), accounts_(settings_.submit) {}

  /// Why nothing may be submitted to this group, if so: closed, corked or suspended.
  std::optional<Error> refusal(const std::string& group) const {
    if (suspended_ && !closed_) return suspended_;
    return lane_refusal(group);
  }
  /// Why nothing at all may enter its lane: closed or corked.
  std::optional<Error> lane_refusal(const std::string& group) const;
  bool has_room(std::size_t bytes) const noexcept { return accounts_.has_room(bytes); }

  /// Takes the one submission of `one` in, to which there is no refusal; whether it is the first of its lane. With an
  /// exception nothing has changed.
  bool submit(Submissions&& one, Instant now);
  /// What the next request is to carry; empty when nothing can leave now.
  std::vector<Publication*> take_batch(Instant now);
  /// The outcome of a request, or of a caller's: each publication has ended, or goes back into its lane.
  void settle(std::span<Publication* const> sent, const Result<void>& outcome, const Exchange& exchange, Instant now);
  void on_timer(Instant now);
  /// When on_timer() or take_batch() will have something to do, should nothing else happen.
  Ticks next_deadline() const noexcept;
  /// The same while no request may begin.
  Ticks next_sweep() const noexcept {
    return at(Place::ready).empty() && at(Place::shut).empty() ? Ticks::max() : next_sweep_;
  }
  /// Whether take_batch() may have something now.
  bool has_ready() const noexcept { return !at(Place::ready).empty() && (!gathering_since_ || !may_gather()); }
  /// Whether take_ended() has something, or on_timer() will see to it.
  bool has_ended() const noexcept { return !at(Place::ended).empty() || (is_stopped() && !at(Place::ready).empty()); }

  /// What has ended since the last time, each group's in order, which makes room for others. Each is then told, and
  /// reported() when that is done; telling() comes before, so that close() knows what it found unreported.
  Submissions take_ended() noexcept;
  void telling(const Submission& submission) {
    if (closed_) accounts_.list(submission);
  }
  void reported(const Submissions& ended) noexcept { accounts_.reported(ended); }

  /// A caller's own publication takes its place in its lane, and leaves it, ended or not.
  void enter(Publication& publication) { waiting_.enter(publication); }
  void leave(Publication& publication) noexcept { waiting_.leave(publication); }
  /// It has ended without being sent any more.
  void end_unsent(Publication& publication, Error error);
  /// Counts a caller's publication that has ended.
  void count(const Publication& publication) noexcept { accounts_.count(publication); }
  bool is_first(const Publication& p) const { return waiting_.is_first(p); }
  Lanes::Ticket previous(const Publication& p) const { return waiting_.previous(p); }
  /// When it may be sent, as far as lost messages of its group and its own failures are concerned; in the past when
  /// that is now.
  Ticks opens_at(const Publication& p) const {
    const Ticks opening = quarantine_.opens_at(p.entry.message.group, p.entry.deduplication_id);
    return p.submitted ? std::max(opening, static_cast<const Submission&>(p).not_before) : opening;
  }

  /// Reopens a corked lane. It waits for a lost message of the group, which may still land, unless `may_overtake`.
  void resume(const std::string& group, bool may_overtake);
  /// Reopens all lanes after what stopped them is mended.
  void resume_all();

  /// Nothing enters any more.
  void close() noexcept { closed_ = true; }
  bool is_closed() const noexcept { return closed_; }
  /// Ends what was submitted and is not in flight; in each group, after what is.
  void end_queued(Error error);
  /// Whether all that was submitted is reported; so far, or up to an epoch.
  bool idle() const noexcept { return accounts_.idle(); }
  bool idle(std::uint64_t epoch) const noexcept { return accounts_.idle(epoch); }
  /// Ends an epoch and returns it: idle(epoch) holds when all that was submitted up to now is reported.
  std::uint64_t next_epoch() { return accounts_.next_epoch(); }
  const Ledger& ledger() const noexcept { return accounts_.ledger(); }

 private:
  using Place = Submission::Place;

  static constexpr Duration sweep_interval = std::chrono::seconds(1);

  Submissions& at(Place place) noexcept { return waiting_.at(place); }
  const Submissions& at(Place place) const noexcept { return waiting_.at(place); }
  static Submission& submission(Publication& p) noexcept { return Waitlist::submission(p); }

  bool may_gather() const noexcept { return !closed_ && at(Place::ready).size() < max_batch_; }
  bool gathers(Ticks now);
  bool take(Submission& s, std::size_t& bytes, std::vector<Publication*>& batch);
  void take_run(Submission& head, std::size_t& bytes, std::vector<Publication*>& batch);
  void look_at_shut(Ticks now);
  void expire(Submission& s);
  void conclude(Publication& p, const Result<void>& outcome, const Exchange& exchange);
  void on_accepted(const Publication& p);
  static void end_before_ended(std::span<Publication* const> sent);
  bool goes_on(const Publication& p, Instant then) const;
  void seal(Publication& p);
  void cork(const std::string& group);
  void end(Submission& s);
  bool is_stopped() const noexcept { return ending_ || suspended_; }
  void end_lane(Submission& any, const Error& error);
  void end_heads();
  void end_behind_callers();
  void suspend(Error error);

  const PublishSettings& settings_;
  std::size_t max_batch_;
  Waitlist waiting_;
  Accounts accounts_;
  Quarantine quarantine_;
  std::unordered_set<std::string> corks_;
  std::optional<Error> suspended_;
  std::optional<Error> ending_;
  bool closed_ = false;
  Instant now_{};  ///< Of the last event.

  std::optional<Ticks> gathering_since_;
  Ticks next_opening_ = Ticks::max();  ///< Of those that are shut.
  Ticks next_sweep_ = Ticks::min();
};

inline std::optional<Error> PublishMachine::lane_refusal(const std::string& group) const {
  if (closed_) return Error{.kind = ErrorKind::closed, .message = "the producer is closed"};
  if (!group.empty() && corks_.contains(group)) return corked_error(group);
  return std::nullopt;
}

inline bool PublishMachine::submit(Submissions&& one, Instant now) {
  now_ = now;
  Submission& s = one.front();
  s.bytes = message_bytes(s.entry.message);
  s.deadline = now.ticks + settings_.deadline;
  waiting_.add(std::move(one));
  accounts_.take_in(s);
  return s.place == Place::ready;
}

inline std::vector<Publication*> PublishMachine::take_batch(Instant now) {
  now_ = now;
  std::vector<Publication*> batch;
  end_heads();
  look_at_shut(now.ticks);
  if (gathers(now.ticks)) return batch;
  std::size_t bytes = 0;
  Submissions& ready = at(Place::ready);
  while (!ready.empty() && batch.size() < max_batch_) {
    Submission& head = ready.front();
    if (head.deadline <= now.ticks) {
      expire(head);
    } else if (const Ticks opening = opens_at(head); opening > now.ticks) {
      next_opening_ = std::min(next_opening_, opening);
      waiting_.move_to(head, Place::shut);
    } else if (take(head, bytes, batch)) {
      take_run(head, bytes, batch);
    } else {
      break;
    }
  }
  return batch;
}

/// While a batch that is not full waits for more.
inline bool PublishMachine::gathers(Ticks now) {
  const Submissions& ready = at(Place::ready);
  const Duration linger = settings_.submit.linger;
  if (ready.empty() || linger == Duration::zero() || !may_gather()) {
    gathering_since_.reset();
    return false;
  }
  if (!gathering_since_) gathering_since_ = now;
  if (now < *gathering_since_ + linger) return true;
  gathering_since_.reset();
  return false;
}

/// False when it does not fit into the batch.
inline bool PublishMachine::take(Submission& s, std::size_t& bytes, std::vector<Publication*>& batch) {
  if (!batch.empty() && (s.alone || batch.back()->alone || bytes + s.bytes > max_message_bytes)) return false;
  batch.push_back(&s);
  bytes += s.bytes;
  s.in_flight = true;
  waiting_.move_to(s, Place::out);
  return true;
}

/// Those behind the head of a lane, where several of one group may share a request.
inline void PublishMachine::take_run(Submission& head, std::size_t& bytes, std::vector<Publication*>& batch) {
  Publication* next = waiting_.behind(head);
  for (std::size_t run = 1; run < settings_.in_group_batch && batch.size() < max_batch_ && next != nullptr; ++run) {
    if (!next->submitted || next->in_flight || opens_at(*next) > now_.ticks || !take(submission(*next), bytes, batch))
      return;
    next = waiting_.behind(*next);
  }
}

inline void PublishMachine::look_at_shut(Ticks now) {
  if (now < next_opening_) return;
  next_opening_ = Ticks::max();
  Submissions& shut = at(Place::shut);
  for (auto it = shut.begin(); it != shut.end();) {
    Submission& s = *it++;
    const Ticks opening = opens_at(s);
    if (opening <= now)
      waiting_.move_to(s, Place::ready);
    else
      next_opening_ = std::min(next_opening_, opening);
  }
}

inline void PublishMachine::on_timer(Instant now) {
  now_ = now;
  end_heads();
  if (now.ticks < next_sweep_) return;
  next_sweep_ = now.ticks + sweep_interval;
  std::vector<Submission*> late;
  for (const Place place : {Place::ready, Place::shut})
    for (Submission& s : at(place))
      if (s.deadline <= now.ticks) late.push_back(&s);
  // The end of one corks its lane, and may be the end of others.
  for (Submission* s : late)
    if (s->place != Place::ended) expire(*s);
}

inline Ticks PublishMachine::next_deadline() const noexcept {
  Ticks next = next_sweep();
  if (!at(Place::shut).empty()) next = std::min(next, next_opening_);
  if (gathering_since_) next = std::min(next, *gathering_since_ + settings_.submit.linger);
  return next;
}

inline void PublishMachine::expire(Submission& s) {
  const std::string group = s.entry.message.group;
  s.fail({.kind = ErrorKind::timeout, .message = "its turn did not come within the time limit"});
  end(s);
  cork(group);
}

inline void PublishMachine::settle(std::span<Publication* const> sent, const Result<void>& outcome,
                                   const Exchange& exchange, Instant now) {
  now_ = now;
  for (Publication* p : sent) conclude(*p, outcome, exchange);
  end_before_ended(sent);
  for (Publication* p : sent) {
    if (p->fate == Publication::Fate::open) continue;
    if (p->fate == Publication::Fate::accepted) on_accepted(*p);
    if (p->submitted)
      end(submission(*p));
    else
      leave(*p), seal(*p);
  }
  for (Publication* p : sent)
    if (p->fate == Publication::Fate::open && p->submitted)
      waiting_.move_to(submission(*p), is_first(*p) ? Place::ready : Place::behind);
  for (Publication* p : sent)
    if (p->fate == Publication::Fate::failed && (p->submitted || waiting_.has_submitted(p->entry.message.group)))
      cork(p->entry.message.group);
  for (Publication* p : sent)
    if (p->submitted && p->fate == Publication::Fate::failed && retry::is_about_no_message(p->error)) {
      suspend(p->error);
      break;
    }
  end_heads();
  if (is_stopped()) end_behind_callers();
}

inline void PublishMachine::conclude(Publication& p, const Result<void>& outcome, const Exchange& exchange) {
  p.in_flight = false;
  if (!p.first_byte) p.first_byte = exchange.first_byte();
  if (exchange.last_send()) p.last_send = exchange.last_send()->ticks;
  p.receipt.attempts = p.error.attempts = exchange.attempts();
  // What nobody knows of is repeated within its own window, not that of others.
  if (p.worst == DeliveryState::unknown) p.alone = true;
  if (p.fate != Publication::Fate::open || outcome) return;
  const Ticks then = std::max(now_.ticks, exchange.wake_at());
  if (!goes_on(p, now_ + (then - now_.ticks))) return p.fail();
  submission(p).not_before = then;
}

inline void PublishMachine::on_accepted(const Publication& p) {
  quarantine_.open(p.entry.message.group, p.entry.deduplication_id);
  // What was sent together and is sent again one by one still has to come in order.
  Publication* const behind = waiting_.behind(p);
  if (behind != nullptr && behind->first_byte) behind->follows = p.receipt.sequence_number;
}

/// What could go on, and has behind it one of its lane that can't, would come after it.
inline void PublishMachine::end_before_ended(std::span<Publication* const> sent) {
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (sent[i]->fate != Publication::Fate::open) continue;
    for (const Publication* behind : sent.subspan(i + 1))
      if (behind->fate != Publication::Fate::open && detail::same_lane(*sent[i], *behind)) {
        sent[i]->fail();
        break;
      }
  }
}

/// What a request ends for one of its messages, it need not end for another that has more time: `then`, when the
/// request would have been repeated, may be in time for it.
inline bool PublishMachine::goes_on(const Publication& p, Instant then) const {
  if (!p.submitted || static_cast<const Submission&>(p).deadline <= then.ticks) return false;
  if (retry::classify(p.error) == retry::Fault::permanent) return false;
  if (p.worst != DeliveryState::unknown) return true;
  return settings_.deduplication != Deduplication::none && p.first_byte &&
         retry::DeduplicationClock(*p.first_byte).may_repeat(then, settings_.request_timeout);
}

/// What is left to do for a message that ended with its fate unknown: it can be published again as it is, and its group
/// waits for as long as it may still land.
inline void PublishMachine::seal(Publication& p) {
  if (p.fate != Publication::Fate::failed || p.error.delivery != DeliveryState::unknown) return;
  if (settings_.deduplication == Deduplication::none || !p.first_byte) return;
  p.entry.message.deduplication_id = p.entry.deduplication_id;
  p.entry.message.first_sent = p.first_byte;
  p.error.deduplication_until = retry::DeduplicationClock(*p.first_byte).last_start(settings_.request_timeout);
  const std::string& group = p.entry.message.group;
  if (!group.empty() && p.error.kind != ErrorKind::integrity && holds(Rule::lost_message_may_land))
    quarantine_.close(group, p.entry.deduplication_id, p.last_send.value_or(p.first_byte->ticks), now_.ticks);
}

/// Everybody who waits in the lane hears of it; what is in flight goes on.
inline void PublishMachine::cork(const std::string& group) {
  if (group.empty() || !holds(Rule::nothing_passes_a_failure)) return;
  corks_.insert(group);
  waiting_.for_each(group, [&](Publication& p) {
    if (p.in_flight || p.fate != Publication::Fate::open) return;
    p.fail(corked_error(group));
    if (!p.submitted)
      leave(p), seal(p);
    else if (holds(Rule::tail_comes_back))
      end(submission(p));
    else
      leave(p), waiting_.move_to(submission(p), Place::out);
  });
}

inline void PublishMachine::end(Submission& s) {
  leave(s);
  seal(s);
  count(s);
  waiting_.move_to(s, Place::ended);
}

inline Submissions PublishMachine::take_ended() noexcept {
  Submissions ended;
  ended.swap(at(Place::ended));
  accounts_.hand_out(ended);
  return ended;
}

inline void PublishMachine::end_unsent(Publication& p, Error error) {
  p.fail(std::move(error));
  leave(p);
  seal(p);
  if (p.error.delivery == DeliveryState::unknown && waiting_.has_submitted(p.entry.message.group))
    cork(p.entry.message.group);
}

inline void PublishMachine::resume(const std::string& group, bool may_overtake) {
  corks_.erase(group);
  if (may_overtake) quarantine_.lift(group);
  next_opening_ = Ticks::min();
}

inline void PublishMachine::resume_all() {
  suspended_.reset();
  corks_.clear();
}

inline void PublishMachine::suspend(Error error) {
  error.delivery = DeliveryState::not_sent;
  error.attempts = 0;
  error.deduplication_id.clear();
  error.deduplication_until.reset();
  suspended_ = std::move(error);
  end_behind_callers();
}

inline void PublishMachine::end_queued(Error error) {
  ending_ = std::move(error);
  end_heads();
  end_behind_callers();
}

/// While nothing may leave, who comes first in a lane ends, and with it the lane.
inline void PublishMachine::end_heads() {
  if (!is_stopped()) return;
  for (const Place place : {Place::ready, Place::shut})
    while (!at(place).empty()) end_lane(at(place).front(), ending_ ? *ending_ : *suspended_);
}

/// A caller's message may take long, and what was submitted behind it need not wait for it.
inline void PublishMachine::end_behind_callers() {
  std::vector<Submission*> waiting;
  for (Submission& s : at(Place::behind))
    if (!waiting_.first(s.entry.message.group)->submitted) waiting.push_back(&s);
  for (Submission* s : waiting)
    if (s->place == Place::behind) end_lane(*s, ending_ ? *ending_ : *suspended_);
}

/// Ends what was submitted in the lane of `any` and is not in flight, in order.
inline void PublishMachine::end_lane(Submission& any, const Error& error) {
  const auto end_with = [&](Submission& s) {
    s.fail(error);
    end(s);
  };
  if (any.ticket == Lanes::none) return end_with(any);
  const std::string group = any.entry.message.group;
  waiting_.for_each(group, [&](Publication& p) {
    if (p.submitted && !p.in_flight) end_with(submission(p));
  });
}

}  // namespace dmq::inline DMQ_ABI::engine
