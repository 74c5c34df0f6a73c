#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/lanes.hpp>
#include <dmq/engine/submission.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Who waits where: every publication in its lane, whoever drives it, and every submission in its place. A submission
/// that comes first in its lane moves to Place::ready. Not thread-safe.
class Waitlist {
 public:
  using Place = Submission::Place;

  Submissions& at(Place place) noexcept { return places_[static_cast<std::size_t>(place)]; }
  const Submissions& at(Place place) const noexcept { return places_[static_cast<std::size_t>(place)]; }
  void move_to(Submission& s, Place place) noexcept {
    at(place).splice(at(place).end(), at(s.place), s.self);
    s.place = place;
  }

  /// Queues the one submission of `one`. With an exception nothing has changed.
  void add(Submissions&& one) {
    Submission& s = one.front();
    s.self = one.begin();
    enter(s);
    at(Place::behind).splice(at(Place::behind).end(), one);
    if (is_first(s) || !holds(Rule::one_request_in_a_lane)) move_to(s, Place::ready);
  }

  void enter(Publication& p) {
    p.entered = true;
    if (p.entry.message.group.empty()) return;
    // Room first, so that nothing is entered when there is none.
    if (holders_.size() <= lanes_.slots()) holders_.resize(std::max<std::size_t>(64, 2 * lanes_.slots() + 1), nullptr);
    p.ticket = lanes_.enter(p.entry.message.group);
    holders_[p.ticket] = &p;
  }

  void leave(Publication& p) noexcept {
    if (p.ticket == Lanes::none) return;
    holders_[p.ticket] = nullptr;
    const Publication* const next = holder(lanes_.leave(std::exchange(p.ticket, Lanes::none)));
    if (next != nullptr && next->submitted && !next->in_flight)
      move_to(submission(*holders_[next->ticket]), Place::ready);
  }

  bool is_first(const Publication& p) const { return p.ticket == Lanes::none || lanes_.is_first(p.ticket); }
  Lanes::Ticket previous(const Publication& p) const { return lanes_.previous(p.ticket); }
  /// The one behind it in its lane, or null.
  Publication* behind(const Publication& p) const {
    return p.ticket == Lanes::none ? nullptr : holder(lanes_.next(p.ticket));
  }
  /// The first of a group, or null.
  Publication* first(const std::string& group) const { return holder(lanes_.first(group)); }

  /// Whether something submitted waits in a group, or is in flight.
  bool has_submitted(const std::string& group) const {
    for (const Publication* p = first(group); p != nullptr; p = behind(*p))
      if (p->submitted) return true;
    return false;
  }

  /// Calls `visit(publication)` for all of a group, in order. The one that is visited may leave.
  template <class Visit>
  void for_each(const std::string& group, Visit visit) {
    for (Publication* p = first(group); p != nullptr;) {
      Publication& visited = *std::exchange(p, behind(*p));
      visit(visited);
    }
  }

  static Submission& submission(Publication& p) noexcept { return static_cast<Submission&>(p); }

 private:
  Publication* holder(Lanes::Ticket ticket) const { return ticket == Lanes::none ? nullptr : holders_[ticket]; }

  Lanes lanes_;
  std::vector<Publication*> holders_;  ///< By ticket.
  std::array<Submissions, 5> places_;  ///< By Place.
};

}  // namespace dmq::inline DMQ_ABI::engine
