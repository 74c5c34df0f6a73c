// Four processes consume one queue of local_cloud, which loses replies, throttles and times out. Some handlers fail,
// some take longer than the visibility; midway one process is killed, one is frozen for longer than its leases, and
// one is stopped by SIGTERM. What all of them wrote down is compared:
//
//     consume_soak [--messages 1000] [--groups 40] [--visibility 5] [--given-queue]
//
// --given-queue takes the queue of the environment, which is empty, in place of local_cloud.
// Exits 1 when a promise of Consumer::run was not kept, 2 for a wrong command line.
#include <command_line.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/dmq.hpp>
#include <support/local_cloud_program.hpp>

#include "../soak/process.hpp"
#include "audit.hpp"
#include "consume.hpp"
#include "fill.hpp"
#include "journal.hpp"
#include "plan.hpp"

namespace {

/// Waits half a second for an answer: local_cloud holds some back for 29 s.
class ImpatientTransport {
 public:
  dmq::Result<dmq::http::Response> send(dmq::http::Request request, std::stop_token stop) {
    request.timeout = std::chrono::milliseconds(500);
    return transport_.send(request, std::move(stop));
  }

 private:
  dmq::http::CurlTransport transport_;
};

/// Looks into the queue of the environment, whatever faults strike.
class Queue {
 public:
  /// Messages that are neither deleted nor dead letters.
  std::int64_t left() {
    for (int tries = 0; tries < 100; ++tries)
      if (const auto queue = client_.get_queue_attributes(options_.queue_url))
        return queue->messages + queue->in_flight + queue->delayed;
    std::abort();
  }

  /// False when it has not changed for two minutes.
  bool wait_until_empty() {
    using std::chrono::steady_clock;
    std::int64_t last = -1;
    for (auto changed = steady_clock::now(); steady_clock::now() - changed < std::chrono::minutes(2);) {
      const std::int64_t now = left();
      if (now == 0) return true;
      if (std::exchange(last, now) != now) changed = steady_clock::now();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::fprintf(stderr, "%lld messages stay in the queue\n", static_cast<long long>(last));
    return false;
  }

 private:
  dmq::QueueOptions options_ = dmq::QueueOptions::from_env().value();
  dmq::QueueClient<ImpatientTransport> client_ = dmq::make_client(options_, ImpatientTransport()).value();
};

/// A process that consumes, and its journal.
struct Consumer {
  explicit Consumer(const Plan& plan)
      : process({"consume_soak", "--journal", journal.path(), "--messages", std::to_string(plan.load.messages),
                 "--groups", std::to_string(plan.load.groups), "--visibility",
                 std::to_string(plan.visibility.count())}) {}

  JournalFile journal{};
  std::optional<std::int64_t> killed{};
  std::optional<std::int64_t> frozen{};
  Process process;
};

using Consumers = std::array<std::unique_ptr<Consumer>, 4>;

/// Waits until that many lines are written, of which each message has three when all goes well.
bool wait_for_lines(const Consumers& consumers, long wanted) {
  std::array<std::ifstream, 4> files;
  std::array<char, 65536> part{};
  for (std::size_t i = 0; i < files.size(); ++i) files[i].open(consumers[i]->journal.path());
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(10);
  for (long lines = 0; std::chrono::steady_clock::now() < limit;) {
    for (std::ifstream& file : files) {
      file.clear();
      do {
        file.read(part.data(), part.size());
        lines += std::count(part.data(), part.data() + file.gcount(), '\n');
      } while (file);
    }
    if (lines >= wanted) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::fprintf(stderr, "the consumers do not get on\n");
  return false;
}

/// Whether the consumers emptied the queue, and those ended well that may.
bool play(const Plan& plan, const Consumers& consumers) {
  using std::chrono::steady_clock;
  const auto& [to_kill, to_stop, to_freeze, other] = consumers;
  const auto begin = steady_clock::now();
  bool good = wait_for_lines(consumers, plan.load.messages);
  to_kill->process.kill();
  to_kill->killed = time_now();
  to_freeze->frozen = time_now();
  to_freeze->process.send(SIGSTOP);
  std::jthread thaw([&] {
    std::this_thread::sleep_for(plan.visibility + std::chrono::seconds(1));
    to_freeze->process.send(SIGCONT);
  });

  good = good && wait_for_lines(consumers, plan.load.messages * 3L / 2);
  to_stop->process.send(SIGTERM);
  good &= to_stop->process.wait();
  thaw.join();
  Queue queue;
  good = good && queue.wait_until_empty();

  const double seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  std::printf("%d messages in %d groups: %.1f s, %.0f a second\n", plan.load.messages, plan.load.groups, seconds,
              plan.load.messages / seconds);
  to_freeze->process.send(SIGTERM);
  other->process.send(SIGTERM);
  good &= to_freeze->process.wait();
  good &= other->process.wait();
  return good && queue.left() == 0;
}

bool soak(const Plan& plan) {
  if (!fill(plan.load)) return false;
  Consumers consumers;
  for (auto& consumer : consumers) consumer = std::make_unique<Consumer>(plan);
  bool good = play(plan, consumers);

  std::string damage;
  std::vector<Witness> witnesses;
  for (const auto& consumer : consumers) {
    consumer->process.kill();
    witnesses.push_back({read_journal(consumer->journal.path(), damage), consumer->killed, consumer->frozen});
  }
  std::fputs(damage.c_str(), stderr);
  Audit audit(plan.load, witnesses);
  good &= audit.finish();
  return good && damage.empty() && audit.saw_failures();
}

bool soak_with_faults(const Plan& plan) {
  support::LocalCloudProgram cloud(
      {"--fault", "lost-reply=0.10", "--fault", "throttle=0.05", "--fault", "timeout=0.01"});
  if (!cloud.ready()) return false;
  for (const auto& [name, value] : cloud.environment()) setenv(name.c_str(), value.c_str(), 1);
  bool good = soak(plan);
  good &= cloud.stop() == 0;
  std::printf("faults of the cloud:\n%s", cloud.errors().c_str());
  return good;
}

}  // namespace

int main(int count, char** values) {
  CommandLine arguments(count, values,
                        "consume_soak [--messages N] [--groups N] [--visibility SECONDS] [--given-queue]");
  Plan plan;
  plan.load.messages = static_cast<int>(arguments.number("--messages", 1000, 1, 10'000'000));
  plan.load.groups = static_cast<int>(arguments.number("--groups", 40, 1, 1'000'000));
  plan.visibility = std::chrono::seconds(arguments.number("--visibility", 5, 5, 600));
  const bool given_queue = arguments.flag("--given-queue");
  const auto journal = arguments.value("--journal");
#ifdef DMQ_BREAK_RULES
  // As an environment variable, since the processes that consume inherit it.
  for (const auto& [rule, name] : dmq::engine::consume_rules)
    if (const char* broken = std::getenv("CONSUME_SOAK_BREAKS"); broken != nullptr && name == broken)
      dmq::engine::broken_rule = rule;
#endif
  arguments.finish();
  if (journal) return consume(plan, *journal) ? EXIT_SUCCESS : EXIT_FAILURE;
  return (given_queue ? soak(plan) : soak_with_faults(plan)) ? EXIT_SUCCESS : EXIT_FAILURE;
}
