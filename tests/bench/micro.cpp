// What the parts cost, each for itself: time and allocations of one iteration.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <bench/allocations.hpp>
#include <bench/canned.hpp>
#include <bench/measure.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/core/random.hpp>
#include <dmq/encoding/percent.hpp>
#include <dmq/engine/consume_machine.hpp>
#include <dmq/engine/lanes.hpp>
#include <dmq/engine/publish_machine.hpp>
#include <dmq/sqs/call.hpp>
#include <dmq/sqs/poll.hpp>
#include <dmq/sqs/send_route.hpp>
#include <support/full_queue.hpp>
#include <support/parser.hpp>

using namespace std::chrono_literals;
using dmq::Instant;
using dmq::Ticks;
using dmq::WallTime;

namespace {

const Instant start{WallTime(1'700'000'000s), Ticks(5'000s)};
const std::string queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders.fifo";

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(2);
}

template <class Work>
void repeat(benchmark::State& state, Work work) {
  const std::size_t before = bench::allocations;
  for ([[maybe_unused]] auto round : state) work();
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(bench::allocations - before), benchmark::Counter::kAvgIterations);
}

/// The same, but what each iteration needs is made beforehand, for fifty at a time, and its making is not counted.
template <class Make, class Work>
void repeat(benchmark::State& state, Make make, Work work) {
  constexpr std::size_t run = 50;
  std::size_t allocations = 0;
  for ([[maybe_unused]] auto round : state) {
    std::vector<decltype(make())> made;
    for (std::size_t i = 0; i < run; ++i) made.push_back(make());
    const bench::Cost cost = bench::cost_of([&] {
      for (auto& one : made) work(std::move(one));
    });
    allocations += static_cast<std::size_t>(cost.allocations);
    state.SetIterationTime(cost.cpu_us / 1e6 / run);
  }
  state.counters["allocations"] =
      benchmark::Counter(static_cast<double>(allocations) / run, benchmark::Counter::kAvgIterations);
}

dmq::Entry entry(std::size_t number = 0) {
  return {.message = {.body = bench::message_body(), .group = "group-" + std::to_string(number)},
          .deduplication_id = "0123456789abcdef0123456789abcdef"};
}

dmq::sqs::Wire wire() {
  return {"https://sqs.eu-central-1.amazonaws.com", &support::parse};
}

/// The request for so many entries.
class Writing {
 public:
  explicit Writing(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) entries_.push_back(entry(i));
    for (const dmq::Entry& one : entries_) batch_.push_back(&one);
  }
  dmq::http::Request write() const { return route_.build(batch_).value(); }

 private:
  dmq::sqs::SendRoute route_{wire(), queue_url};
  std::vector<dmq::Entry> entries_;
  std::vector<const dmq::Entry*> batch_;
};

void sign(benchmark::State& state) {
  const dmq::auth::Credentials credentials{
      .access_key_id = "AKIDEXAMPLE", .secret_access_key = dmq::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")};
  dmq::auth::SigV4 signer(dmq::auth::StaticCredentials(credentials), {.region = "eu-central-1", .service = "sqs"});
  dmq::http::Request request = Writing(1).write();
  repeat(state, [&] {
    if (!signer.authorize(request, credentials, start)) give_up("a request could not be signed");
  });
}
BENCHMARK(sign);

void write_messages(benchmark::State& state) {
  const Writing writing(static_cast<std::size_t>(state.range(0)));
  repeat(state, [&] { benchmark::DoNotOptimize(writing.write()); });
}
BENCHMARK(write_messages)->Arg(1)->Arg(10);

void write_form(benchmark::State& state) {
  std::string form;
  repeat(state, [&] {
    form.clear();
    dmq::encoding::append_form_field(form, "MessageBody", bench::message_body());
    benchmark::DoNotOptimize(form);
  });
}
BENCHMARK(write_form);

dmq::http::Response ten_received() {
  return {.status = 200, .body = bench::receive_answer()};
}

void parse_ten_messages(benchmark::State& state) {
  const std::string text = bench::receive_answer();
  dmq::json::Document document;
  repeat(state, [&] {
    if (!support::parse(text, document)) give_up("the answer could not be parsed");
  });
}
BENCHMARK(parse_ten_messages);

/// Parsing included, and the MD5 of each body.
void read_ten_messages(benchmark::State& state) {
  const dmq::sqs::Wire format = wire();
  const dmq::sqs::Poll poll;
  const dmq::sqs::Call call(format, poll);
  const dmq::http::Response response = ten_received();
  repeat(state, [&] {
    const auto arrivals = call.parse(response);
    if (!arrivals || arrivals->size() != 10 || arrivals->back().damage) give_up("the answer could not be read");
  });
}
BENCHMARK(read_ten_messages);

void md5(benchmark::State& state) {
  const std::string body(static_cast<std::size_t>(state.range(0)), 'b');
  repeat(state, [&] { benchmark::DoNotOptimize(dmq::crypto::md5(body)); });
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(md5)->Arg(256)->Arg(65'536);

void groups(benchmark::internal::Benchmark* benchmark) {
  benchmark->Arg(100)->Arg(10'000)->Arg(100'000);
}

std::vector<std::string> group_names(const benchmark::State& state) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < state.range(0); ++i) names.push_back("group-" + std::to_string(i));
  return names;
}

/// In a group taken at random one enters behind the one that is there, which leaves.
void lanes(benchmark::State& state) {
  const std::vector<std::string> names = group_names(state);
  dmq::engine::Lanes all;
  for (const std::string& name : names) all.enter(name);
  dmq::Random random(1);
  repeat(state, [&] {
    const std::string& name = names[random.below(names.size())];
    const dmq::engine::Lanes::Ticket first = all.first(name);
    all.enter(name);
    all.leave(first);
  });
}
BENCHMARK(lanes)->Apply(groups);

/// A group that had nobody in it, which comes and goes.
void idle_lanes(benchmark::State& state) {
  const std::vector<std::string> names = group_names(state);
  dmq::engine::Lanes all;
  for (const std::string& name : names) all.enter(name);
  repeat(state, [&] { all.leave(all.enter("another")); });
}
BENCHMARK(idle_lanes)->Apply(groups);

/// A machine that holds a message for each group.
class Publishing {
 public:
  explicit Publishing(const std::vector<std::string>& names) : names_(names), machine_(settings_, 10) {
    for (const std::string& name : names_) machine_.submit(submission(name), start);
  }

  std::vector<dmq::engine::Submissions> ten_submissions() {
    std::vector<dmq::engine::Submissions> ten;
    for (int i = 0; i < 10; ++i) ten.push_back(submission(names_[random_.below(names_.size())]));
    return ten;
  }

  /// Ten come in, ten leave in a batch, and are accepted and reported.
  void step(std::vector<dmq::engine::Submissions>&& ten) {
    for (dmq::engine::Submissions& one : ten) machine_.submit(std::move(one), start);
    const std::vector<dmq::engine::Publication*> batch = machine_.take_batch(start);
    dmq::engine::Exchange exchange{dmq::engine::Terms{}};
    exchange.on_value();
    exchange.on_send(start);
    for (dmq::engine::Publication* publication : batch)
      publication->accept({.message_id = "5fea7756-0ea4-451a-a703-a558b933e274"});
    machine_.settle(batch, {}, exchange, start);
    const dmq::engine::Submissions ended = machine_.take_ended();
    if (ended.size() != 10) give_up("the publish machine did not report what it sent");
    for (const dmq::engine::Submission& submission : ended) machine_.telling(submission);
    machine_.reported(ended);
  }

 private:
  static dmq::engine::Submissions submission(const std::string& group) {
    dmq::engine::Submissions one;
    one.emplace_back(dmq::Message{.body = bench::message_body(), .group = group}, nullptr).entry.deduplication_id =
        "0123456789abcdef0123456789abcdef";
    return one;
  }

  const std::vector<std::string>& names_;
  dmq::PublishSettings settings_{};
  dmq::engine::PublishMachine machine_;
  dmq::Random random_{1};
};

void publish_machine_ten_messages(benchmark::State& state) {
  const std::vector<std::string> names = group_names(state);
  Publishing publishing(names);
  repeat(
      state, [&] { return publishing.ten_submissions(); },
      [&](std::vector<dmq::engine::Submissions>&& ten) { publishing.step(std::move(ten)); });
}
BENCHMARK(publish_machine_ten_messages)->Apply(groups)->UseManualTime()->Iterations(2'000);

/// A consume machine, which gets messages that nobody had before.
class Consuming {
 public:
  std::vector<dmq::sqs::Arrival> ten_arrivals() {
    std::vector<dmq::sqs::Arrival> arrivals = ten_;
    for (dmq::sqs::Arrival& arrival : arrivals) {
      arrival.message.message_id = "5fea7756-0ea4-451a-a703-" + std::to_string(100'000'000'000 + ++last_);
      arrival.message.sequence_number = "18849496460" + std::to_string(100'000'000 + last_);
    }
    return arrivals;
  }

  /// Ten arrive, are handled, and deleted: those of different groups in one request.
  void step(std::vector<dmq::sqs::Arrival>&& arrivals) {
    if (!machine_.take_poll(start)) give_up("the consume machine did not poll");
    machine_.on_polled(std::move(arrivals), start.ticks, start);
    while (machine_.held() > 0) {
      while (const std::optional<dmq::engine::Claim> claim = machine_.take_work(start))
        machine_.on_handled(claim->id, {}, 5ms, start);
      const std::vector<dmq::engine::DeleteOrder> orders = machine_.take_deletes(start);
      if (orders.empty()) give_up("the consume machine kept a message");
      machine_.on_deleted(orders, std::vector<dmq::Result<void>>(orders.size()), start);
    }
  }

  void use_one_group() {
    for (dmq::sqs::Arrival& arrival : ten_) arrival.message.group = "group";
  }

 private:
  static dmq::ConsumeSettings settings() {
    dmq::ConsumeSettings settings;
    settings.queue_url = queue_url;
    settings.new_id = [] { return std::string("0123456789abcdef0123456789abcdef"); };
    return settings;
  }
  static std::vector<dmq::sqs::Arrival> read() {
    const dmq::sqs::Wire format = wire();
    const dmq::sqs::Poll poll;
    return dmq::sqs::Call(format, poll).parse(ten_received()).value();
  }

  std::vector<dmq::sqs::Arrival> ten_ = read();
  std::int64_t last_ = 0;
  dmq::ConsumeSettings settings_ = settings();
  dmq::engine::ConsumeMachine machine_{settings_, [] { return start.ticks; }, 1, false};
};

void consume_machine(benchmark::State& state, Consuming& consuming) {
  repeat(
      state, [&] { return consuming.ten_arrivals(); },
      [&](std::vector<dmq::sqs::Arrival>&& arrivals) { consuming.step(std::move(arrivals)); });
}
void consume_machine_ten_groups(benchmark::State& state) {
  Consuming consuming;
  consume_machine(state, consuming);
}
BENCHMARK(consume_machine_ten_groups)->UseManualTime()->Iterations(2'000);
void consume_machine_one_group(benchmark::State& state) {
  Consuming consuming;
  consuming.use_one_group();
  consume_machine(state, consuming);
}
BENCHMARK(consume_machine_one_group)->UseManualTime()->Iterations(2'000);

/// One message sent, received and deleted, in a queue of 10,000 others; dmq_bench_queue tells more.
void queue_model(benchmark::State& state) {
  support::FullQueue full(10'000);
  repeat(state, [&] {
    full.send();
    full.receive_and_remove();
    full.now = full.now + 20ms;
  });
}
BENCHMARK(queue_model);

}  // namespace

int main(int argc, char** argv) {
  if (!bench::count_allocations()) give_up("libcurl or OpenSSL does not let its allocations be counted");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
