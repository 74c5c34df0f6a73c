#pragma once

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../soak/load.hpp"
#include "journal.hpp"

/// Compares what was reported of a load with what the queue held, and counts where they contradict what submit()
/// promises.
class Audit {
 public:
  /// A producer that was killed has not reported everything.
  enum class Producer { ended, killed };

  Audit(const Load& load, Producer producer) : load_(load), producer_(producer) {
    for (int group = 0; group < load.groups; ++group)
      messages_.emplace_back(static_cast<std::size_t>(load.size_of(group)));
  }

  void reported(const std::vector<Report>& reports) {
    std::vector<int> last(messages_.size(), -1);
    for (const auto& [name, outcome] : reports) {
      int& before = last[static_cast<std::size_t>(name.group)];
      Known& message = at(name);
      if (message.outcome) violate(name, "was reported twice");
      if (!message.outcome && name.number < before) violate(name, "was reported after a later one of its group");
      message.outcome = outcome;
      before = name.number;
    }
    reports_ = reports.size();
  }

  /// The numbers of each group's messages, in order.
  void held(const std::vector<std::vector<int>>& numbers) {
    for (int group = 0; group < load_.groups; ++group) {
      int before = -1;
      for (const int number : numbers[static_cast<std::size_t>(group)]) {
        const Name name{group, number};
        if (std::exchange(at(name).held, true))
          violate(name, "was in the queue twice");
        else if (number < before)
          violate(name, "was behind a later one of its group");
        before = number;
        ++held_;
      }
    }
  }

  /// Whether all promises were kept; prints what was found.
  bool finish() {
    for (int group = 0; group < load_.groups; ++group) check(group);
    std::printf("audit: %zu reports, %zu messages in the queue, of which %zu without a report; %zu violations\n",
                reports_, held_, unreported_, violations_);
    return violations_ == 0;
  }

 private:
  struct Known {
    std::optional<Outcome> outcome{};
    bool held = false;

    bool failed() const { return outcome && *outcome != Outcome::accepted; }
  };

  Known& at(Name name) {
    return messages_[static_cast<std::size_t>(name.group)][static_cast<std::size_t>(name.number)];
  }

  void check(int group) {
    std::optional<Name> missing;  // The first that is not there though nothing says why.
    for (Name name{group, 0}; name.number < load_.size_of(group); ++name.number) {
      const Known& message = at(name);
      if (!message.outcome && producer_ == Producer::ended) violate(name, "was never reported");
      if (message.outcome == Outcome::accepted && !message.held) violate(name, "was accepted and is not in the queue");
      if (message.held && (message.outcome == Outcome::rejected || message.outcome == Outcome::not_sent))
        violate(name, "was in the queue, reported as not sent or rejected");
      if (message.held && !message.outcome) ++unreported_;
      if (message.held && missing) violate(name, ("was in the queue without " + missing->body()).c_str());
      if (!message.held && !message.failed() && !missing) missing = name;
    }
  }

  void violate(Name name, const char* what) {
    if (++violations_ <= 20) std::fprintf(stderr, "message %s %s\n", name.body().c_str(), what);
  }

  const Load& load_;
  Producer producer_;
  std::vector<std::vector<Known>> messages_;  ///< By group and number.
  std::size_t reports_ = 0;
  std::size_t held_ = 0;
  std::size_t unreported_ = 0;
  std::size_t violations_ = 0;
};
