#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/dmq.hpp>

#include "../soak/load.hpp"
#include "../soak/tally.hpp"
#include "journal.hpp"

/// Submits a load from several threads, each with groups of its own, and writes every report down.
template <class Producer>
class Submitters {
 public:
  Submitters(Producer& producer, const Load& load, const Journal& journal)
      : producer_(producer), load_(load), journal_(journal) {}

  void run() {
    std::vector<std::jthread> threads;
    for (int i = 0; i < load_.threads; ++i) threads.emplace_back([this, i] { submit_groups_of(i); });
  }

  /// Once all is reported.
  const dmq::Ledger& reported() const noexcept { return reported_; }
  bool all_taken() const noexcept { return refused_ == 0; }
  int resumed() const noexcept { return resumed_; }

 private:
  void submit_groups_of(int thread) {
    for (int number = 0; number < load_.size_of(0); ++number)
      for (int group = thread; group < load_.groups; group += load_.threads)
        if (number < load_.size_of(group)) submit({group, number});
  }

  /// A group that a failure has corked goes on without what came back of it.
  void submit(Name name) {
    for (;;) {
      auto taken = producer_.submit({.body = name.body(), .group = name.group_id()},
                                    [this, name](const dmq::PublishResult& result) { note(name, result); });
      if (taken) return;
      if (taken.error().kind != dmq::ErrorKind::corked) {
        std::fprintf(stderr, "message %s was not taken: %s\n", name.body().c_str(), taken.error().describe().c_str());
        ++refused_;
        return;
      }
      ++resumed_;
      producer_.resume(name.group_id());
    }
  }

  /// On the I/O thread.
  void note(Name name, const dmq::PublishResult& result) {
    const Outcome outcome = outcome_of(result);
    journal_.append({name, outcome});
    constexpr dmq::Ledger::Count counts[] = {&dmq::Ledger::accepted, &dmq::Ledger::rejected, &dmq::Ledger::unknown,
                                             &dmq::Ledger::not_sent};
    ++(reported_.*counts[static_cast<std::size_t>(outcome)]);
    if (!result && result.error().kind != dmq::ErrorKind::corked)
      std::printf("message %s: %s\n", name.body().c_str(), result.error().describe().c_str());
  }

  Producer& producer_;
  const Load& load_;
  const Journal& journal_;
  dmq::Ledger reported_;
  std::atomic<int> refused_ = 0;
  std::atomic<int> resumed_ = 0;
};

inline void print(const char* what, const dmq::Ledger& ledger) {
  std::printf("%s: accepted %llu, rejected %llu, unknown %llu, not sent %llu\n", what,
              static_cast<unsigned long long>(ledger.accepted), static_cast<unsigned long long>(ledger.rejected),
              static_cast<unsigned long long>(ledger.unknown), static_cast<unsigned long long>(ledger.not_sent));
}

/// Whether the ledger says what was reported, and each kind of fault was met.
template <class Producer>
bool submit_all(Producer producer, const Load& load, const Tally& tally, const Journal& journal, bool with_token) {
  Submitters submitters(producer, load, journal);
  const auto begin = std::chrono::steady_clock::now();
  submitters.run();
  const auto flushed = producer.flush(std::chrono::minutes(30));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const dmq::Ledger ledger = producer.close(std::chrono::seconds(10));
  std::printf("%d messages in %d groups from %d threads: %.1f s, %.0f a second\n", load.messages, load.groups,
              load.threads, seconds, load.messages / seconds);
  tally.print();
  print("ledger  ", ledger);
  print("reported", submitters.reported());
  std::printf("groups resumed: %d\n", submitters.resumed());

  const dmq::Ledger& reported = submitters.reported();
  const bool adds_up = ledger.accepted == reported.accepted && ledger.rejected == reported.rejected &&
                       ledger.unknown == reported.unknown && ledger.not_sent == reported.not_sent &&
                       ledger.unreported.empty() && ledger.total() == static_cast<std::uint64_t>(load.messages);
  if (!flushed) std::fprintf(stderr, "flush: %s\n", flushed.error().describe().c_str());
  if (!adds_up) std::fprintf(stderr, "the ledger does not add up with the reports\n");
  bool all_faults = true;
  for (const std::string_view fault : {"network", "throttled", "timeout", "value_refused"}) {
    if (tally.count(fault) > 0 || (fault == "value_refused" && !with_token)) continue;
    std::fprintf(stderr, "no fault led to %s\n", std::string(fault).c_str());
    all_faults = false;
  }
  return flushed && adds_up && all_faults && submitters.all_taken();
}

/// To the cloud of the environment, by a route of this name.
inline bool produce(const Load& load, const std::string& route, const std::string& journal_path) {
  const Journal journal(journal_path);
  const Tally tally;
  // A time-out of local_cloud holds the answer back for 29 s.
  constexpr std::chrono::seconds time_limit(2);
  // So many that each one's turn comes in time.
  const dmq::SubmitSettings bounds{.max_messages = 20'000};
  if (route == "direct") {
    auto options = dmq::QueueOptions::from_env().value();
    options.publish.request_timeout = time_limit;
    options.publish.submit = bounds;
    return submit_all(dmq::make_producer(options, tally).value(), load, tally, journal, false);
  }
  auto options = dmq::GatewayOptions::from_env().value();
  options.publish.request_timeout = options.client.timeout = time_limit;
  options.publish.submit = bounds;
  if (route == "gateway") return submit_all(dmq::make_producer(options, tally).value(), load, tally, journal, true);
  return submit_all(dmq::make_producer<dmq::gateway::BatchRoute>(options, tally).value(), load, tally, journal, true);
}
