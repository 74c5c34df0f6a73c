// Random batches, failures, damage and deadlines: what is handled and what is reported equals a specification that
// looks, for each message, at all that came before it.

#include <dmq/lambda/handle_batch.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <support/lambda_events.hpp>
#include <support/parser.hpp>

using namespace std::chrono_literals;
using Ids = std::vector<std::string>;

namespace {

struct Step {
  support::EventRecord record{};
  bool damaged = false;
  bool fails = false;
  std::chrono::milliseconds takes{};
};

struct Scene {
  std::vector<Step> steps{};
  bool fifo = false;
  std::chrono::milliseconds time{};     ///< From the beginning to the deadline.
  std::chrono::milliseconds reserve{};  ///< Beginning needs as much.
};

struct Outcome {
  Ids handled{};
  Ids reported{};
};

Scene random_scene(dmq::Random& random) {
  const auto below = [&](int limit) { return static_cast<int>(random.uniform() * limit); };
  Scene scene{.fifo = below(3) > 0,
              .time = std::chrono::milliseconds(below(2) == 0 ? 1'000'000 : below(800)),
              .reserve = std::chrono::milliseconds(below(100))};
  const int groups = 1 + below(4);
  const int one_in = 1 + below(10);
  for (int size = below(14), i = 0; i < size; ++i) {
    const bool again = below(20) == 0;  // The queue may give a message twice.
    Step step{
        .record = {.id = "m" + std::to_string(again ? below(i + 1) : i), .group = "g" + std::to_string(below(groups))},
        .damaged = below(15) == 0,
        .fails = below(one_in) == 0,
        .takes = std::chrono::milliseconds(below(120))};
    if (below(10) == 0) step.record.group.clear();
    if (step.damaged) step.record.md5 = "0123";
    scene.steps.push_back(step);
  }
  return scene;
}

/// A message is handled when there is time, and on a FIFO queue nothing of its group went wrong before; it is reported
/// when it was not done.
Outcome specified(const Scene& scene) {
  Outcome outcome;
  std::vector<bool> done;
  std::chrono::milliseconds now{0};
  for (std::size_t i = 0; i < scene.steps.size(); ++i) {
    const Step& step = scene.steps[i];
    bool held_back = scene.time - now < scene.reserve;
    for (std::size_t j = 0; j < i; ++j)
      held_back = held_back || (scene.fifo && !done[j] && scene.steps[j].record.group == step.record.group);
    if (!held_back && !step.damaged) {
      outcome.handled.push_back(step.record.id);
      now += step.takes;
    }
    done.push_back(!held_back && !step.damaged && !step.fails);
    Ids& reported = outcome.reported;
    if (!done.back() && std::find(reported.begin(), reported.end(), step.record.id) == reported.end())
      reported.push_back(step.record.id);
  }
  return outcome;
}

Outcome real(const Scene& scene) {
  std::vector<support::EventRecord> records;
  for (const Step& step : scene.steps) records.push_back(step.record);
  const std::string event = support::sqs_event(records, scene.fifo ? support::fifo_arn : support::standard_arn);
  dmq::testing::ManualClock clock;
  Outcome outcome;
  // Ids may repeat, so the step that a call is for is the next one that fits.
  std::size_t at = 0;
  const auto handler = [&](const dmq::Delivery& delivery) {
    while (scene.steps[at].damaged || scene.steps[at].record.id != delivery.message_id ||
           scene.steps[at].record.group != delivery.group)
      ++at;
    const Step& step = scene.steps[at++];
    outcome.handled.push_back(delivery.message_id);
    clock.advance(step.takes);
    if (step.fails) throw std::runtime_error("as the scene says");
  };
  const auto answer = dmq::lambda::handle_batch(
      event, support::parse, handler, {.deadline = clock.ticks() + scene.time, .reserve = scene.reserve}, clock);
  outcome.reported = support::failed_ids(answer.value());
  return outcome;
}

}  // namespace

TEST_CASE("random batches are handled and reported as specified") {
  dmq::Random random(20'26);
  std::size_t reported = 0;
  std::size_t handled = 0;
  for (int i = 0; i < 5'000; ++i) {
    const Scene scene = random_scene(random);
    const Outcome expected = specified(scene);
    const Outcome got = real(scene);
    CAPTURE(i);
    REQUIRE(got.handled == expected.handled);
    REQUIRE(got.reported == expected.reported);
    reported += got.reported.size();
    handled += got.handled.size();
  }
  CHECK(reported > 5'000);
  CHECK(handled > 5'000);
}
