#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/publish_machine.hpp>
#include <dmq/retry/deduplication_clock.hpp>

using dmq::DeliveryState;
using dmq::Duration;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::PublishSettings;
using dmq::Random;
using dmq::Receipt;
using dmq::Result;
using dmq::Ticks;
using dmq::WallTime;
using dmq::engine::Exchange;
using dmq::engine::Publication;
using dmq::engine::PublishMachine;
using dmq::engine::Submission;
using dmq::engine::Submissions;
using Fate = Publication::Fate;
using std::chrono::seconds;

namespace {

std::string fate(const Publication& p) {
  if (p.fate == Fate::accepted) return "accepted";
  return std::string(to_string(p.error.kind)) + " " + std::string(to_string(p.error.delivery));
}

/// What a lane should do, walked from the front each time.
struct NaiveGroup {
  std::vector<Publication*> lane{};  ///< All that have not ended, in order.
  std::set<const Publication*> out{};
  bool corked = false;
  std::string lost{};  ///< The id that may still land.
  Ticks shut_until = Ticks::min();

  bool is_open(const Publication& p, Ticks now) const {
    return shut_until <= now || (!lost.empty() && lost == p.entry.deduplication_id);
  }
  bool has_submitted() const {
    return std::any_of(lane.begin(), lane.end(), [](const Publication* p) { return p->submitted; });
  }
};

/// A machine and the naive one, taken through the same events.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed), settings_(draw(random_)), machine_(settings_, max_batch_) {}

  void step() {
    switch (random_.below(8)) {
      case 0:
      case 1: return submit();
      case 2: return enter();
      case 3: return take();
      case 4:
      case 5: return settle();
      case 6: return pass(random_.chance(0.2) ? seconds(random_.below(60)) : Duration(random_.below(3'000'000'000)));
      default: return random_.chance(0.5) ? resume() : act_for_caller();
    }
  }

  /// Settles all, lets the time pass, and finds nothing left.
  void finish() {
    for (int i = 0; i < 200 && !(machine_.idle() && batches_.empty() && callers_.empty()); ++i) {
      while (!batches_.empty()) settle();
      while (!callers_.empty()) leave(callers_.begin());
      pass(seconds(20));
      take();
    }
    REQUIRE(machine_.idle());
    for (const auto& [name, group] : groups_) REQUIRE(group.lane.empty());
    REQUIRE(told_ == submitted_);
    REQUIRE(machine_.ledger().total() == counted_);
  }

 private:
  using Batch = std::vector<Publication*>;

  static PublishSettings draw(Random& random) {
    PublishSettings settings;
    settings.deadline = seconds(20 + random.below(400));
    settings.in_group_batch = 1 + random.below(4);
    return settings;
  }

  std::string some_group() {
    const std::uint64_t group = random_.below(4);
    return group == 0 ? std::string() : "g" + std::to_string(group);
  }
  /// A lane for each message without a group.
  NaiveGroup& lane_of(const Publication& p) {
    const std::string& group = p.entry.message.group;
    return groups_[group.empty() ? "#" + p.entry.message.body : group];
  }

  void submit() {
    const std::string group = some_group();
    const auto refusal = machine_.refusal(group);
    REQUIRE(refusal.has_value() == groups_[group].corked);
    if (refusal) return;
    Submissions one;
    Submission& s = one.emplace_back(dmq::Message{.body = std::to_string(++last_), .group = group}, nullptr);
    const std::string& lost = lane_of(s).lost;  // A lost message may come again, as the same.
    s.entry.deduplication_id = lost.empty() || random_.chance(0.5) ? "id" + s.entry.message.body : lost;
    machine_.submit(std::move(one), now_);
    lane_of(s).lane.push_back(&s);
    ++submitted_;
  }

  void enter() {
    const std::string group = some_group();
    if (group.empty() || machine_.lane_refusal(group)) return;
    Publication& p = callers_.emplace_back();
    p.entry = {.message = {.body = std::to_string(++last_), .group = group},
               .deduplication_id = "id" + std::to_string(last_)};
    machine_.enter(p);
    lane_of(p).lane.push_back(&p);
  }

  /// A caller's message is sent when it may be, or given up.
  void act_for_caller() {
    if (callers_.empty()) return;
    const auto it = std::next(callers_.begin(), static_cast<std::ptrdiff_t>(random_.below(callers_.size())));
    NaiveGroup& group = lane_of(*it);
    if (it->fate != Fate::open || random_.chance(0.2)) return leave(it);
    REQUIRE(machine_.is_first(*it) == (group.lane.front() == &*it));
    REQUIRE((machine_.opens_at(*it) <= now_.ticks) == group.is_open(*it, now_.ticks));
    if (!machine_.is_first(*it) || it->in_flight || !group.is_open(*it, now_.ticks)) return;
    it->in_flight = true;
    group.out.insert(&*it);
    batches_.emplace_back(Batch{&*it}, now_);
  }

  void leave(std::list<Publication>::iterator it) {
    if (it->in_flight) return;
    std::erase(lane_of(*it).lane, &*it);
    machine_.leave(*it);
    expected_.erase(&*it);
    callers_.erase(it);
    drain();
  }

  void take() {
    for (;;) {
      const Batch batch = machine_.take_batch(now_);
      drain();
      if (batch.empty()) break;
      check(batch);
      for (Publication* p : batch) lane_of(*p).out.insert(p);
      batches_.emplace_back(batch, now_);
      if (random_.chance(0.3)) return;
    }
    // Nothing that could leave has stayed.
    for (auto& [name, group] : groups_) {
      if (group.lane.empty() || !group.out.empty()) continue;
      const Publication& front = *group.lane.front();
      REQUIRE((!front.submitted || !group.is_open(front, now_.ticks)));
    }
    machine_.on_timer(now_);
    drain();
    REQUIRE((machine_.next_deadline() > now_.ticks || machine_.has_ended()));
    REQUIRE_FALSE(machine_.has_ready());
  }

  /// Each is the first of its lane that has not ended, or follows it in its run.
  void check(const Batch& batch) {
    REQUIRE(batch.size() <= max_batch_);
    std::map<const NaiveGroup*, std::size_t> runs;
    for (const Publication* p : batch) {
      const NaiveGroup& group = lane_of(*p);
      const std::size_t place = runs[&group]++;
      REQUIRE(place < settings_.in_group_batch);
      REQUIRE(place < group.lane.size());
      REQUIRE(group.lane[place] == p);
      REQUIRE(group.out.empty());
      REQUIRE(group.is_open(*p, now_.ticks));
      REQUIRE(static_cast<const Submission*>(p)->deadline > now_.ticks);
      REQUIRE((batch.size() == 1 || (!p->alone && p->worst != DeliveryState::unknown)));
    }
  }

  Result<Receipt> outcome() {
    const double dice = random_.uniform();
    if (dice < 0.5) return Receipt{.message_id = "m"};
    if (dice < 0.6) return Error{.kind = ErrorKind::rejected, .delivery = DeliveryState::rejected, .message = "r"};
    if (dice < 0.8) return Error{.kind = ErrorKind::throttled, .delivery = DeliveryState::rejected, .message = "t"};
    return Error{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "l"};
  }

  void settle() {
    if (batches_.empty()) return;
    const std::size_t index = random_.below(batches_.size());
    const auto [batch, sent] = batches_[index];
    batches_.erase(batches_.begin() + static_cast<std::ptrdiff_t>(index));
    std::vector<Result<Receipt>> results;
    for (std::size_t i = 0; i < batch.size(); ++i) results.push_back(outcome());
    dmq::engine::apply_results(batch, std::move(results));
    Result<void> end;
    for (const Publication* p : batch)
      if (p->fate == Fate::open && !(p->alone && batch.size() > 1)) end = p->error;
    expect(batch, end, sent);
    Exchange exchange{dmq::engine::Terms{}};
    exchange.on_value();
    exchange.on_send(sent);
    machine_.settle(batch, end, exchange, now_);
    for (Publication* p : batch) check_caller(*p);
    drain();
  }

  /// What settling a batch should do, in the words of the promises.
  void expect(const Batch& batch, const Result<void>& end, Instant sent) {
    std::map<const Publication*, Fate> fates;
    for (const Publication* p : batch)
      fates[p] = p->fate == Fate::open && !end && !goes_on(*p, sent) ? Fate::failed : p->fate;
    for (std::size_t i = 0; i < batch.size(); ++i)
      for (std::size_t j = i + 1; j < batch.size(); ++j)
        if (&lane_of(*batch[i]) == &lane_of(*batch[j]) && fates[batch[i]] == Fate::open &&
            fates[batch[j]] != Fate::open)
          fates[batch[i]] = Fate::failed;
    for (Publication* p : batch) {
      NaiveGroup& group = lane_of(*p);
      group.out.erase(p);
      if (fates[p] == Fate::open) continue;
      if (fates[p] == Fate::accepted) {
        expected_[p] = "accepted";
        if (group.lost == p->entry.deduplication_id) group.shut_until = Ticks::min();
      } else {
        end_as(*p, std::string(to_string(p->error.kind)), sent.ticks);
      }
      std::erase(group.lane, p);
    }
    for (const Publication* p : batch)
      if (fates[p] == Fate::failed && (p->submitted || lane_of(*p).has_submitted())) cork(*p, sent.ticks);
  }

  void end_as(const Publication& p, const std::string& kind, std::optional<Ticks> sent) {
    expected_[&p] = kind + " " + std::string(to_string(p.worst));
    if (p.worst != DeliveryState::unknown || p.entry.message.group.empty()) return;
    NaiveGroup& group = lane_of(p);
    group.lost = p.entry.deduplication_id;
    group.shut_until = sent.value_or(*p.last_send) + seconds(35);
  }

  bool goes_on(const Publication& p, Instant sent) const {
    if (!p.submitted || static_cast<const Submission&>(p).deadline <= now_.ticks) return false;
    if (p.error.kind == ErrorKind::rejected) return false;
    const Instant first = p.first_byte.value_or(sent);
    return p.worst != DeliveryState::unknown || now_.ticks - first.ticks <= seconds(300 - 30 - 30 - 10);
  }

  void cork(const Publication& failed, std::optional<Ticks> sent) {
    if (failed.entry.message.group.empty()) return;
    NaiveGroup& group = lane_of(failed);
    group.corked = true;
    std::vector<Publication*> left;
    for (Publication* p : group.lane) {
      if (group.out.contains(p))
        left.push_back(p);
      else
        end_as(*p, "corked", p->last_send ? p->last_send : sent);
    }
    group.lane = left;
  }

  void check_caller(const Publication& p) {
    if (p.submitted || p.fate == Fate::open) return;
    REQUIRE(fate(p) == expected_.at(&p));
  }

  /// What has ended is what was expected, in each group in order; but for what has waited too long.
  void drain() {
    const Submissions ended = machine_.take_ended();
    for (const Submission& s : ended) {
      if (!expected_.contains(&s)) expire(s);
      REQUIRE(fate(s) == expected_.at(&s));
      expected_.erase(&s);
      int& last = last_told_[s.entry.message.group];
      if (!s.entry.message.group.empty()) REQUIRE(std::stoi(s.entry.message.body) > last);
      last = std::stoi(s.entry.message.body);
      ++told_;
      ++counted_;
    }
    for (const auto& [p, label] : expected_) REQUIRE_FALSE(p->submitted);
    for (const Publication& p : callers_) check_caller(p);
    machine_.reported(ended);
  }

  void expire(const Submission& s) {
    NaiveGroup& group = lane_of(s);
    REQUIRE(s.error.kind == ErrorKind::timeout);
    REQUIRE(s.deadline <= now_.ticks);
    REQUIRE_FALSE(group.lane.empty());
    REQUIRE(group.lane.front() == &s);
    REQUIRE_FALSE(group.out.contains(&s));
    std::erase(group.lane, &s);
    end_as(s, "timeout", std::nullopt);
    cork(s, std::nullopt);
  }

  void pass(Duration time) {
    now_ = now_ + time;
    machine_.on_timer(now_);
    drain();
  }

  void resume() {
    const std::string group = some_group();
    const bool may_overtake = random_.chance(0.2);
    machine_.resume(group, may_overtake);
    groups_[group].corked = false;
    if (may_overtake) groups_[group].shut_until = Ticks::min();
  }

  Random random_;
  PublishSettings settings_;
  std::size_t max_batch_ = 1 + random_.below(10);
  PublishMachine machine_;
  Instant now_{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};
  std::list<Publication> callers_;
  std::map<std::string, NaiveGroup> groups_;
  std::vector<std::pair<Batch, Instant>> batches_;  ///< In flight, and when they were sent.
  std::map<const Publication*, std::string> expected_;
  std::map<std::string, int> last_told_;
  int last_ = 0;
  std::size_t submitted_ = 0;
  std::size_t told_ = 0;
  std::size_t counted_ = 0;
};

}  // namespace

TEST_CASE("the machine does with each lane what one does who walks it from the front") {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    CAPTURE(seed);
    Pair pair(seed);
    for (int i = 0; i < 200; ++i) pair.step();
    pair.finish();
  }
}
