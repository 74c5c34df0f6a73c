#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "journal.hpp"
#include "plan.hpp"

/// What one consumer wrote down.
struct Witness {
  std::vector<Record> records{};
  std::optional<std::int64_t> killed{};  ///< When it was, or nothing.
  std::optional<std::int64_t> frozen{};  ///< When that began, or nothing. It lasted longer than its leases.
};

/// Compares what all consumers of a load wrote down, and counts where it contradicts what run() promises.
class Audit {
 public:
  Audit(const Load& load, const std::vector<Witness>& witnesses) : load_(load) {
    groups_.resize(static_cast<std::size_t>(load.groups));
    for (const Witness& witness : witnesses) hear(witness);
    for (auto& group : groups_)
      std::sort(group.begin(), group.end(), [](const Handling& a, const Handling& b) { return a.begin < b.begin; });
  }

  /// Whether all promises were kept; prints what was found.
  bool finish() {
    for (const auto& group : groups_) check(group, static_cast<int>(&group - groups_.data()));
    // Faults are tried again in time, so that leases end early in emergencies only.
    if (lost_ * 100 > static_cast<std::size_t>(load_.messages))
      violate({}, "and others lost their leases: too many, while nobody was frozen");
    std::printf(
        "audit: %zu handlings of %d messages, %zu failed; again after a kill %zu, a lost lease %zu, an "
        "unconfirmed delete %zu;\noverlaps by a lost lease %zu; leases lost %zu, and while frozen %zu; "
        "%zu violations\n",
        handlings_, load_.messages, failed_, after_kill_, after_loss_, after_stop_, overlaps_, lost_, lost_frozen_,
        violations_);
    return violations_ == 0;
  }
  /// Whether there was something to look at.
  bool saw_failures() const noexcept { return failed_ > 0; }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  struct Handling {
    enum class End { done, failed, none };

    Name name{};
    const Witness* witness = nullptr;
    std::int64_t begin = 0;
    std::int64_t end = never;
    End how = End::none;
    bool killed = false;                ///< Its consumer was, then or later.
    bool lost = false;                  ///< Its lease ended early.
    bool unconfirmed = false;           ///< Its consumer ended without knowing whether it is deleted.
    std::int64_t acknowledged = never;  ///< When it was told that it is.
    std::int64_t frozen = never;        ///< When its consumer was.
  };

  /// The begin of a handling is often noted a little after the loss of its lease.
  static constexpr std::int64_t lateness = 2'000'000'000;

  void hear(const Witness& witness) {
    std::vector<Handling> handlings;
    std::unordered_map<std::uint64_t, std::size_t> by_number;
    std::unordered_map<std::string, std::size_t> latest;
    std::unordered_map<std::string, std::int64_t> losses;
    for (const Record& record : witness.records) {
      if (record.mark == Mark::lost) ++(witness.frozen ? lost_frozen_ : lost_);
      if (record.mark == Mark::lost) losses[record.message_id] = record.time;
      if (record.mark == Mark::begin) {
        const auto loss = losses.find(record.message_id);
        latest[record.message_id] = by_number[record.handling] = handlings.size();
        handlings.push_back({.name = record.name,
                             .witness = &witness,
                             .begin = record.time,
                             .end = witness.killed.value_or(never),
                             .killed = witness.killed.has_value(),
                             .lost = loss != losses.end() && record.time - loss->second < lateness,
                             .frozen = witness.frozen.value_or(never)});
      } else if (record.mark == Mark::done || record.mark == Mark::failed) {
        Handling& handling = handlings.at(by_number.at(record.handling));
        handling.end = record.time;
        handling.how = record.mark == Mark::done ? Handling::End::done : Handling::End::failed;
      } else if (const auto found = latest.find(record.message_id); found != latest.end()) {
        Handling& handling = handlings[found->second];
        handling.lost |= record.mark == Mark::lost;
        handling.unconfirmed |= record.mark == Mark::unconfirmed;
        if (record.mark == Mark::acknowledged) handling.acknowledged = record.time;
      }
    }
    for (const Handling& handling : handlings)
      groups_.at(static_cast<std::size_t>(handling.name.group)).push_back(handling);
    handlings_ += handlings.size();
  }

  /// What a group went through, in the order of the begins.
  void check(const std::vector<Handling>& handlings, int group) {
    check_overlaps(handlings);
    std::vector<std::vector<Handling>> by_number(static_cast<std::size_t>(load_.size_of(group)));
    for (const Handling& handling : handlings)
      by_number[static_cast<std::size_t>(handling.name.number)].push_back(handling);
    std::int64_t before_done = 0;     // When the one before was first done.
    std::int64_t next_begun = never;  // When the next was first begun.
    for (std::size_t i = 0; i < by_number.size(); ++i) {
      const Name name{group, static_cast<int>(i)};
      std::int64_t done = never;
      for (const Handling& handling : by_number[i])
        if (handling.how == Handling::End::done) done = std::min(done, handling.end);
      if (done == never) violate(name, "was never done");
      if (!by_number[i].empty() && by_number[i].front().begin < before_done)
        violate(name, "was begun before the one before it was done");
      next_begun = i + 1 < by_number.size() && !by_number[i + 1].empty() ? by_number[i + 1].front().begin : never;
      for (const Handling& handling : by_number[i])
        if (handling.begin > next_begun && !handling.lost) violate(name, "was begun again after the next one");
      check_repeats(by_number[i]);
      before_done = done;
    }
  }

  void check_overlaps(const std::vector<Handling>& handlings) {
    std::vector<const Handling*> running;
    for (const Handling& handling : handlings) {
      std::erase_if(running, [&](const Handling* earlier) { return earlier->end <= handling.begin; });
      for (const Handling* earlier : running)
        if (earlier->lost || handling.lost)
          ++overlaps_;
        else
          violate(handling.name, "was begun while " + earlier->name.body() + " was being handled");
      running.push_back(&handling);
    }
  }

  /// All handlings of one message.
  void check_repeats(const std::vector<Handling>& handlings) {
    for (const Handling& handling : handlings) {
      const Name name = handling.name;
      if (handling.how == Handling::End::none && !handling.killed) violate(name, "was begun and never ended");
      if (handling.how == Handling::End::failed) ++failed_;
      if (handlings.back().begin > handling.acknowledged) violate(name, "was handled again after it was deleted");
      if (handling.how == Handling::End::failed || &handling == &handlings.back()) continue;
      for (const Handling* later = &handling + 1; later <= &handlings.back(); ++later)
        if (later->witness == handling.witness) violate(name, "was handled again by the consumer that had done it");
      if (handling.killed)
        ++after_kill_;
      else if (handling.lost || (handling.begin < handling.frozen && handling.frozen < handling.acknowledged))
        ++after_loss_;
      else if (handling.unconfirmed)
        ++after_stop_;
      else
        violate(name, "was handled again without a reason");
    }
  }

  void violate(Name name, const std::string& what) {
    if (++violations_ <= 20) std::fprintf(stderr, "message %s %s\n", name.body().c_str(), what.c_str());
  }

  const Load& load_;
  std::vector<std::vector<Handling>> groups_;
  std::size_t handlings_ = 0;
  std::size_t failed_ = 0;
  std::size_t after_kill_ = 0;
  std::size_t after_loss_ = 0;
  std::size_t after_stop_ = 0;
  std::size_t overlaps_ = 0;
  std::size_t lost_ = 0;
  std::size_t lost_frozen_ = 0;
  std::size_t violations_ = 0;
};
