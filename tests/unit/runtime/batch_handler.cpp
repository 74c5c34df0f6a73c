#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dmq/testing/recording_observer.hpp>
#include <support/runs.hpp>

using dmq::Batch;
using dmq::Delivery;
using dmq::Disposition;
using dmq::Error;
using dmq::ErrorKind;
using dmq::EventKind;
using dmq::Result;
using dmq::RunReport;
using dmq::SystemClock;
using dmq::testing::RecordingObserver;
using std::chrono::seconds;

namespace {

constexpr const char* standard_url = "http://localhost/000000000000/jobs";

dmq::ConsumeSettings settings(dmq::RunSettings run = {}) {
  return support::run_settings(run, standard_url);
}

/// A cloud with messages 0, 1, ... in a standard queue.
struct Jobs : support::Cloud<SystemClock> {
  explicit Jobs(int messages) {
    host->with([&](auto& cloud) { cloud.create_queue("jobs", {}, dmq::instant(clock)).value(); });
    auto client = support::runner(transport, settings());
    for (int i = 0; i < messages; ++i)
      client.client().send_message(standard_url, {.message = {.body = std::to_string(i)}}).value();
  }
  std::size_t left() const {
    return host->with([](auto& cloud) { return cloud.messages("jobs").size(); });
  }
};

/// What calls were given.
struct Calls {
  void add(const Batch& batch) {
    const std::lock_guard lock(mutex);
    sizes.push_back(batch.size());
    for (const Delivery& delivery : batch) ++bodies[delivery.body];
  }
  std::mutex mutex{};
  std::vector<std::size_t> sizes{};
  std::map<std::string, int> bodies{};
};

/// Runs until `count` messages are deleted.
template <class Handler>
RunReport run(Jobs& jobs, std::size_t count, Handler handler, std::size_t max_batch = 10, dmq::RunSettings with = {},
              RecordingObserver events = {}) {
  auto consumer = support::runner(jobs.transport, settings(with), events);
  std::stop_source stop;
  std::jthread stopper([&] {
    events.wait_for(EventKind::acknowledged, count);
    stop.request_stop();
  });
  return consumer.run_batches(std::move(handler), max_batch, stop.get_token());
}

}  // namespace

TEST_CASE("a batch handler gets what has come, up to its limit, and what it did is deleted") {
  Jobs jobs(10);
  Calls calls;
  const RunReport report = run(jobs, 10, [&](const Batch& batch) { calls.add(batch); }, 4, {.workers = 1});
  CHECK_FALSE(report.error);
  CHECK(report.handled == 10);
  CHECK(calls.sizes == std::vector<std::size_t>{4, 4, 2});
  CHECK(calls.bodies.size() == 10);
  CHECK(jobs.left() == 0);
}

TEST_CASE("a batch handler says of each message what is to become of it") {
  Jobs jobs(4);
  Calls calls;
  const RunReport report = run(jobs, 3, [&](const Batch& batch) {
    calls.add(batch);
    std::vector<Disposition> answers;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      CHECK(batch.lease(i).remaining() > seconds(20));
      if (batch[i].body == "1" && batch[i].receive_count == 1)
        answers.push_back(Disposition::retry(seconds(0)));
      else
        answers.push_back(batch[i].body == "2" ? Disposition::discard() : Disposition::done());
    }
    return answers;
  });
  CHECK(report.handled == 3);
  CHECK(report.discarded == 1);
  CHECK(report.retried == 1);
  CHECK(calls.bodies == std::map<std::string, int>{{"0", 1}, {"1", 2}, {"2", 1}, {"3", 1}});
}

TEST_CASE("what a batch handler throws, returns as an error or answers too little to fails all of its messages") {
  const auto fails_once = [](auto handler, ErrorKind kind, const std::string& text) {
    Jobs jobs(3);
    RecordingObserver events;
    std::atomic<int> calls = 0;
    const RunReport report =
        run(jobs, 3, [&](const Batch& batch) { return handler(batch, ++calls); }, 3, {.workers = 1}, events);
    CHECK(report.handled == 3);
    CHECK(report.retried == 3);
    const auto handled = events.events(EventKind::handled);
    REQUIRE(handled.size() == 6);
    for (std::size_t i = 0; i < 3; ++i) {
      REQUIRE(handled[i].error);
      CHECK(handled[i].error->kind == kind);
      CHECK(handled[i].error->message.find(text) != std::string::npos);
    }
  };
  fails_once(
      [](const Batch&, int call) {
        if (call == 1) throw std::runtime_error("no database");
      },
      ErrorKind::handler, "no database");
  fails_once(
      [](const Batch&, int call) -> Result<void> {
        if (call == 1) return Error{.kind = ErrorKind::unavailable, .message = "no database"};
        return {};
      },
      ErrorKind::unavailable, "no database");
  fails_once([](const Batch& batch, int call) { return std::vector<Disposition>(call == 1 ? 2 : batch.size()); },
             ErrorKind::handler, "2 dispositions for 3 messages");
}

TEST_CASE("batches are for standard queues, and have at least one message") {
  support::Filled cloud(1);
  auto fifo = support::runner(cloud.transport);
  const RunReport refused = fifo.run_batches([](const Batch&) { FAIL("handled"); });
  REQUIRE(refused.error);
  CHECK(refused.error->kind == ErrorKind::invalid_argument);
  CHECK(refused.error->message.find("use run()") != std::string::npos);
  CHECK(cloud.calls("ReceiveMessage") == 0);
  CHECK(fifo.run_batches([](const Batch&) {}, 0).error->kind == ErrorKind::invalid_argument);

  Jobs jobs(0);
  auto standard = support::runner(jobs.transport, settings());
  const RunReport empty = standard.run_batches([](const Batch&) {}, 0);
  REQUIRE(empty.error);
  CHECK(empty.error->message == "max_batch must be at least 1");
}

TEST_CASE("a standard queue's messages are handled one by one as well, side by side") {
  Jobs jobs(20);
  auto consumer = support::runner(jobs.transport, settings());
  std::stop_source stop;
  std::atomic<int> calls = 0;
  const RunReport report = consumer.run(
      [&](const Delivery& delivery) {
        CHECK(delivery.sequence_number.empty());
        if (++calls == 20) stop.request_stop();
      },
      stop.get_token());
  CHECK(report.handled == 20);
  CHECK(jobs.left() == 0);
}
