// Prints the messages of a queue as GROUP<TAB>SEQUENCE<TAB>BODY, and deletes each once it is printed.

#include <dmq/dmq.hpp>

#include <atomic>
#include <iostream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "command_line.hpp"
#include "escape.hpp"
#include "stop_on_signal.hpp"

namespace {

struct Work {
  dmq::QueueConsumer<dmq::http::CurlTransport, dmq::LogObserver> consumer;
  std::stop_token stop;
  std::atomic<long> wanted;  ///< Messages that no worker has taken on yet.
  std::chrono::seconds idle;
  std::mutex printing{};
  std::atomic<long> handled = 0, released = 0;
  std::atomic<bool> failed = false;
};

/// One message after the other; when one can't be deleted, or the program stops, the rest of its group goes back.
void handle(Work& work, const std::vector<dmq::Delivery>& deliveries) {
  std::set<std::string> given_up;
  for (const dmq::Delivery& delivery : deliveries) {
    if (work.stop.stop_requested() || given_up.contains(delivery.group)) {
      if (work.consumer.release(delivery)) ++work.released;
      continue;
    }
    {
      const std::lock_guard lock(work.printing);
      std::cout << delivery.group << '\t' << delivery.sequence_number << '\t' << escape(delivery.body) << std::endl;
    }
    if (work.consumer.acknowledge(delivery))
      ++work.handled;
    else
      given_up.insert(delivery.group);
  }
}

/// Receives until stopped, until nothing came for `idle`, or until no more are wanted.
void consume(Work& work) {
  for (std::chrono::seconds quiet{0}; !work.stop.stop_requested() && quiet <= work.idle;) {
    long wanted = work.wanted;
    const long room = std::min(10L, wanted);
    if (room == 0) return;
    if (!work.wanted.compare_exchange_strong(wanted, wanted - room)) continue;
    const std::chrono::seconds wait = std::min(work.idle - quiet, std::chrono::seconds(20));
    const auto deliveries = work.consumer.receive({.max_messages = static_cast<int>(room), .wait = wait}, work.stop);
    if (!deliveries) {
      if (deliveries.error().kind != dmq::ErrorKind::cancelled) work.failed = true;
      return;
    }
    work.wanted += room - static_cast<long>(deliveries->size());
    quiet = deliveries->empty() ? quiet + std::max(wait, std::chrono::seconds(1)) : std::chrono::seconds(0);
    handle(work, *deliveries);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  StopOnSignal signals;
  CommandLine arguments(argc, argv, "consumer [--max N] [--idle SECONDS] [--workers N]");
  constexpr long unlimited = 1'000'000'000'000;
  const long max = arguments.number("--max", unlimited, 1, unlimited);
  const std::chrono::seconds idle(arguments.number("--idle", unlimited / 1000, 0, unlimited / 1000));
  const long workers = arguments.number("--workers", 1, 1, 64);
  arguments.finish();

  const dmq::LogObserver log(stderr, dmq::Level::warning);
  Work work{.consumer = dmq::make_consumer(dmq::QueueOptions::from_env().value(), log).value(),
            .stop = signals.token(),
            .wanted = max,
            .idle = idle};
  {
    std::vector<std::jthread> threads;
    for (long i = 0; i < workers; ++i) threads.emplace_back([&work] { consume(work); });
  }
  std::cerr << "handled " << work.handled << ", released " << work.released << '\n';
  return work.failed ? 1 : 0;
} catch (const dmq::Exception& exception) {
  std::cerr << exception.what() << '\n';
  return 1;
}
