#pragma once

#include <sys/prctl.h>
#include <stop_on_signal.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>

#include <dmq/core/observers.hpp>
#include <dmq/dmq.hpp>

#include "../soak/tally.hpp"
#include "journal.hpp"
#include "plan.hpp"

/// Handles messages as programs do, some for longer than the visibility, and 3 of 100 times in vain.
class JournalingHandler {
 public:
  JournalingHandler(const Plan& plan, const Journal& journal) : plan_(plan), journal_(journal) {}

  void operator()(const dmq::Delivery& delivery, const dmq::Lease& lease) {
    const std::uint64_t handling = ++handlings_;
    const Name name = Name::parse(delivery.body, plan_.load).value();
    journal_.append(Mark::begin, delivery.message_id, handling, name);
    const bool kept = dmq::SystemClock().sleep_for(duration(name, delivery.receive_count), lease.stop_token());
    const bool good = kept && !is_to_fail(delivery);
    journal_.append(good ? Mark::done : Mark::failed, delivery.message_id, handling, name);
    if (!good) throw std::runtime_error(kept ? "it is to fail" : "the lease is lost");
  }

 private:
  dmq::Duration duration(Name name, int receive_count) const {
    const bool slow = name.number == 1 && name.group % 10 == 0 && receive_count == 1;
    return slow ? plan_.visibility * 3 / 2 : dmq::Duration(std::chrono::milliseconds(10));
  }
  static bool is_to_fail(const dmq::Delivery& delivery) {
    return std::hash<std::string>()(delivery.message_id + std::to_string(delivery.receive_count)) % 100 < 3;
  }

  const Plan& plan_;
  const Journal& journal_;
  std::atomic<std::uint64_t> handlings_ = 0;
};

inline void print(const std::string& who, const dmq::RunReport& report, const Tally& tally) {
  std::printf(
      "%s: received %llu, handled %llu, retried %llu, lost %llu, released %zu, unconfirmed %zu, abandoned %zu\n",
      who.c_str(), static_cast<unsigned long long>(report.received), static_cast<unsigned long long>(report.handled),
      static_cast<unsigned long long>(report.retried), static_cast<unsigned long long>(report.lost),
      report.released.size(), report.unconfirmed.size(), report.abandoned.size());
  tally.print();
  if (report.error) std::fprintf(stderr, "%s: %s\n", who.c_str(), report.error->describe().c_str());
}

/// A consumer of the queue of the environment, until SIGTERM. Whether it ended well.
inline bool consume(const Plan& plan, const std::string& journal_path) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  StopOnSignal signals;
  const Journal journal(journal_path);
  const Tally tally;
  auto options = dmq::QueueOptions::from_env().value();
  options.consume.visibility = plan.visibility;
  options.consume.run.max_held = 200;
  options.consume.run.wait = std::chrono::seconds(2);
  options.consume.run.retry_cap = std::chrono::seconds(4);
  // A time-out of local_cloud holds the answer back for 29 s.
  options.consume.request_timeout = std::chrono::seconds(4);

  const auto note = [&](const dmq::Event& event) noexcept {
    if (event.kind == dmq::EventKind::lease_lost) journal.append(Mark::lost, event.message_id);
    if (event.kind == dmq::EventKind::acknowledged) journal.append(Mark::acknowledged, event.message_id);
  };
  auto consumer = dmq::make_consumer(options, dmq::observers(tally, note)).value();
  JournalingHandler handler(plan, journal);
  const dmq::RunReport report = consumer.run(
      [&](const dmq::Delivery& delivery, dmq::Lease& lease) { handler(delivery, lease); }, signals.token());
  for (const auto& message : report.unconfirmed) journal.append(Mark::unconfirmed, message.message_id);
  for (const auto& message : report.abandoned) journal.append(Mark::abandoned, message.message_id);
  print("a consumer", report, tally);
  return !report.error && report.abandoned.empty();
}
