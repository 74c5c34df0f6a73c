// Prints the messages of a queue as GROUP<TAB>SEQUENCE<TAB>BODY, and deletes each once it is printed. SIGINT and
// SIGTERM end it: what it has not printed goes back to the queue.

#include <dmq/core/observers.hpp>
#include <dmq/dmq.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <string>
#include <utility>

#include "command_line.hpp"
#include "escape.hpp"
#include "stop_on_signal.hpp"

namespace {

/// Prints no more than so many messages, and stops the program with the last one, or when it can't print.
class Printer {
 public:
  Printer(long most, StopOnSignal& signals) : left_(most), signals_(signals) {}

  dmq::Disposition print(const dmq::Delivery& delivery) {
    const std::lock_guard lock(mutex_);
    if (left_ == 0 || !std::cout) return dmq::Disposition::release();
    std::cout << delivery.group << '\t' << delivery.sequence_number << '\t' << escape(delivery.body) << std::endl;
    if (--left_ == 0 || !std::cout) signals_.stop();
    return std::cout ? dmq::Disposition::done() : dmq::Disposition::release();
  }

 private:
  std::mutex mutex_;
  long left_;
  StopOnSignal& signals_;
};

/// Whether everything went as it should.
bool tell(const dmq::RunReport& report) {
  std::cerr << "handled " << report.handled << ", released " << report.released.size() + report.retried
            << ", abandoned " << report.abandoned.size() << '\n';
  for (const dmq::Unfinished& message : report.unconfirmed)
    std::cerr << "may come again: group " << message.group << ", message " << message.message_id << '\n';
  if (report.error) std::cerr << report.error->describe() << '\n';
  if (!std::cout) std::cerr << "standard output does not take any more\n";
  return !report.error && report.unconfirmed.empty() && report.abandoned.empty() && std::cout;
}

}  // namespace

int main(int argc, char** argv) try {
  StopOnSignal signals;
  CommandLine arguments(argc, argv, "consumer [--max N] [--idle SECONDS] [--workers N]");
  constexpr long unlimited = 1'000'000'000'000;
  const long max = arguments.number("--max", unlimited, 1, unlimited);
  const long idle = arguments.number("--idle", unlimited, 0, unlimited);
  const long workers = arguments.number("--workers", 1, 1, 64);
  arguments.finish();

  auto options = dmq::QueueOptions::from_env().value();
  options.consume.run.workers = static_cast<std::size_t>(workers);
  options.consume.run.max_held = static_cast<std::size_t>(std::min(max, 10 * workers));

  // The poll that is out when the last message is printed is waited for, lest it take messages for nobody.
  const long longest_wait = max < unlimited ? 1 : 20;
  if (max < unlimited) options.consume.run.stop_poll = dmq::StopPoll::drain;
  // So many polls in a row make up the idle time.
  const long idle_polls = std::max(1L, (idle + longest_wait - 1) / longest_wait);
  options.consume.run.wait = std::chrono::seconds(std::max(1L, (idle + idle_polls - 1) / idle_polls));
  long quiet_polls = 0;
  bool printed = false;
  const auto stop_when_idle = [&](const dmq::Event& event) noexcept {
    if (event.kind == dmq::EventKind::handled) printed = true;
    if (event.kind != dmq::EventKind::received) return;
    quiet_polls = event.count > 0 || std::exchange(printed, false) ? 0 : quiet_polls + 1;
    if (quiet_polls == idle_polls) signals.stop();
  };
  auto consumer =
      dmq::make_consumer(options, dmq::observers(dmq::LogObserver(stderr, dmq::Level::warning), stop_when_idle))
          .value();
  Printer printer(max, signals);
  const dmq::RunReport report =
      consumer.run([&](const dmq::Delivery& delivery) { return printer.print(delivery); }, signals.token());
  const int status = tell(report) ? 0 : 1;
  // Whoever is still printing has the printer, and standard output.
  if (!report.abandoned.empty()) std::quick_exit(status);
  return status;
} catch (const dmq::Exception& exception) {
  std::cerr << exception.what() << '\n';
  return 1;
}
