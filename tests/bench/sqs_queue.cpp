// What the model queue costs with 100, 10,000 and 1,000,000 messages in it, ten in each group: bytes a message beyond
// its body and ids, and the time of its operations. Receives through the whole of LocalCloud are what its users see.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <string>
#include <string_view>

#include <dmq/testing/local_cloud.hpp>
#include <support/counting_new.hpp>
#include <support/full_queue.hpp>
#include <support/parser.hpp>

using namespace std::chrono_literals;
using dmq::testing::QueueType;
using support::FullQueue;

namespace {

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(100)->Arg(10'000)->Arg(1'000'000);
}

std::size_t size_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

void count_bytes(benchmark::State& state, QueueType type) {
  const std::size_t messages = size_of(state);
  for ([[maybe_unused]] auto round : state) {
    const std::size_t before = support::live_bytes;
    const FullQueue full(messages, type);
    const std::size_t texts = full.text_bytes + messages * FullQueue::message_id_bytes;
    state.counters["bytes_a_message"] =
        static_cast<double>(support::live_bytes - before - texts) / static_cast<double>(messages);
  }
}
BENCHMARK_CAPTURE(count_bytes, fifo, QueueType::fifo)->Apply(sizes)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(count_bytes, standard, QueueType::standard)
    ->Apply(sizes)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

/// The queue stays as full as it is: sends are timed (in CPU time), the receives and deletes that make room are not.
void send(benchmark::State& state) {
  FullQueue full(size_of(state));
  constexpr int run = 50;
  for ([[maybe_unused]] auto round : state) {
    const std::clock_t start = std::clock();
    for (int i = 0; i < run; ++i) full.send();
    state.SetIterationTime(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / run);
    for (int i = 0; i < run; ++i) full.receive_and_remove();
    full.now = full.now + 1s;
  }
}
BENCHMARK(send)->Apply(sizes)->UseManualTime()->Iterations(2'000);

void receive_and_delete(benchmark::State& state) {
  FullQueue full(size_of(state));
  constexpr int run = 50;
  for ([[maybe_unused]] auto round : state) {
    const std::clock_t start = std::clock();
    for (int i = 0; i < run; ++i) full.receive_and_remove();
    state.SetIterationTime(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / run);
    for (int i = 0; i < run; ++i) full.send();
    full.now = full.now + 1s;
  }
}
BENCHMARK(receive_and_delete)->Apply(sizes)->UseManualTime()->Iterations(2'000);

void receive(benchmark::State& state) {
  FullQueue full(size_of(state));
  for ([[maybe_unused]] auto round : state) benchmark::DoNotOptimize(full.receive(0s));
}
BENCHMARK(receive)->Apply(sizes);

/// ReceiveMessage as a client calls it.
void receive_message(benchmark::State& state) {
  using namespace dmq::testing;
  static const RsaKey key = RsaKey::generate();
  LocalCloud cloud({.access_keys = {}, .signing_key = key}, &support::parse);
  dmq::Instant now = ManualClock::default_start;
  const auto call = [&](std::string_view operation, const std::string& members) {
    dmq::http::Request request{.method = dmq::http::Method::post, .url = "http://cloud.test/"};
    request.headers.add("X-Amz-Target", "AmazonSQS." + std::string(operation));
    request.body = R"({"QueueUrl":"http://cloud.test/000000000000/dmq.fifo",)" + members + "}";
    return cloud.handle(request, now);
  };
  const std::string body(FullQueue::body_bytes, 'b');
  for (std::size_t i = 0; i < size_of(state); ++i)
    call("SendMessage", R"("MessageBody":")" + body + R"(","MessageGroupId":"g)" +
                            std::to_string(i % (size_of(state) / 10)) + R"(","MessageDeduplicationId":")" +
                            std::to_string(i) + '"');
  for ([[maybe_unused]] auto round : state)
    benchmark::DoNotOptimize(call("ReceiveMessage", R"("MaxNumberOfMessages":1,"VisibilityTimeout":0)"));
}
BENCHMARK(receive_message)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
