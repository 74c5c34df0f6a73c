// LocalCloud and a naive model of its queues, driven with the same random operations and steps of time, give the same
// answers. Message ids and receipt handles are free to be anything, as long as they are the same ones each time.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/core/random.hpp>
#include <support/cloud.hpp>
#include <support/naive_queue.hpp>

using dmq::testing::Answered;
using dmq::testing::PollId;
using std::chrono::seconds;
using support::Cloud;
using support::Json;
using support::NaiveQueue;

namespace {

enum class Kind { send, send_batch, receive, remove, change, purge, count, wait };

/// One step: what it does, and numbers from which it takes what it needs.
struct Step {
  Kind kind = Kind::wait;
  std::size_t queue = 0;  ///< 1: the dead-letter queue.
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
};

struct Scenario {
  NaiveQueue::Settings settings{};
  bool content_based = false;
};

struct Disagreement : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void expect(bool holds, const std::string& what) {
  if (!holds) throw Disagreement(what);
}

template <class T>
const T& pick(const std::vector<T>& values, std::uint64_t number) {
  return values[number % values.size()];
}

std::string member(std::string_view name, std::string_view text) {
  return "\"" + std::string(name) + "\":\"" + std::string(text) + "\"";
}
std::string member(std::string_view name, std::int64_t number) {
  return "\"" + std::string(name) + "\":" + std::to_string(number);
}

/// Both models, and what is known of the real one's ids and handles.
class Worlds {
 public:
  explicit Worlds(const Scenario& scenario)
      : fifo_(scenario.settings.fifo),
        content_based_(scenario.content_based),
        cloud_(options(scenario)),
        naive_{NaiveQueue(scenario.settings), NaiveQueue(dead_letters(scenario.settings))} {}

  void run(const Step& step) {
    switch (step.kind) {
      case Kind::send: send(step); break;
      case Kind::send_batch: send_batch(step); break;
      case Kind::receive: receive(step); break;
      case Kind::remove:
      case Kind::change: use_handle(step); break;
      case Kind::purge: purge(step); break;
      case Kind::count: count(step); break;
      case Kind::wait: wait(step); break;
    }
    advance();
  }

  std::string trace{};

 private:
  struct Handle {
    std::size_t queue = 0;
    int number = 0;
    int receives = 0;
    std::string text{};
  };
  struct Poll {
    PollId id = 0;
    std::size_t queue = 0;
    NaiveQueue::Order order{};
    dmq::Ticks until{};
  };

  static NaiveQueue::Settings dead_letters(NaiveQueue::Settings settings) {
    settings.max_receives = 0;
    settings.delay = seconds(0);
    return settings;
  }

  static dmq::testing::LocalCloudOptions options(const Scenario& scenario) {
    const NaiveQueue::Settings& settings = scenario.settings;
    const auto text = [](seconds time) { return std::to_string(time.count()); };
    dmq::testing::QueueAttributes attributes{{"VisibilityTimeout", text(settings.visibility_timeout)},
                                             {"MessageRetentionPeriod", text(settings.retention)}};
    if (settings.fifo) attributes["FifoQueue"] = "true";
    if (settings.by_group) attributes["DeduplicationScope"] = "messageGroup";
    if (scenario.content_based) attributes["ContentBasedDeduplication"] = "true";
    auto options = support::unsigned_options();
    options.started = dmq::testing::ManualClock::default_start;
    options.queues = {{name(settings.fifo, 1), attributes}};
    attributes["DelaySeconds"] = text(settings.delay);
    if (settings.max_receives > 0)
      attributes["RedrivePolicy"] = R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:)" +
                                    name(settings.fifo, 1) + R"(","maxReceiveCount":)" +
                                    std::to_string(settings.max_receives) + "}";
    options.queues.emplace(name(settings.fifo, 0), attributes);
    return options;
  }

  static std::string name(bool fifo, std::size_t queue) {
    return std::string(queue == 0 ? "source" : "dead") + (fifo ? ".fifo" : "");
  }
  dmq::testing::Handled call(std::string_view operation, std::size_t queue, const std::string& members) {
    trace.append("  ").append(operation).append(queue == 0 ? " " : " (dead letters) ").append(members) += '\n';
    return cloud_.handle(Cloud::queue_request(operation, members, name(fifo_, queue)));
  }
  dmq::http::Response answer(std::string_view operation, std::size_t queue, const std::string& members) {
    const auto handled = call(operation, queue, members);
    expect(std::holds_alternative<dmq::http::Response>(handled), "the call waits");
    return std::get<dmq::http::Response>(handled);
  }

  NaiveQueue::Message random_message(std::uint64_t number) {
    NaiveQueue::Message message{.number = ++last_number_};
    message.body = "body " + std::to_string(number % 7);
    message.group = std::string(1, static_cast<char>('a' + (number >> 8) % 4));
    if (fifo_) message.deduplication_id = "id-" + std::to_string((number >> 16) % 12);
    return message;
  }
  std::string members_of(NaiveQueue::Message& message, bool by_content) {
    std::string members = member("MessageBody", message.body) + "," + member("MessageGroupId", message.group);
    if (fifo_ && !by_content) members += "," + member("MessageDeduplicationId", message.deduplication_id);
    // The two spaces of ids do not meet; what the hash is has a test of its own.
    if (fifo_ && by_content) message.deduplication_id = "hash of " + message.body;
    return members;
  }
  void expect_sent(std::size_t queue, const NaiveQueue::Message& message, std::optional<seconds> delay,
                   dmq::json::Value sent) {
    const int number = naive_[queue].send(message, delay, cloud_.now);
    const std::string id(sent["MessageId"].string().value_or(""));
    const std::string sequence(sent["SequenceNumber"].string().value_or(""));
    if (number == message.number) {
      expect(std::none_of(ids_.begin(), ids_.end(), [&](const auto& known) { return known.second == id; }),
             "a new message has a known id");
      ids_[number] = id;
      if (fifo_) expect(sequence > last_sequence_[queue], "sequence numbers do not rise");
      last_sequence_[queue] = sequences_[number] = sequence;
    }
    expect(ids_[number] == id, "another message id than expected");
    expect(sequences_[number] == sequence, "another sequence number than expected");
  }

  void send(const Step& step) {
    NaiveQueue::Message message = random_message(step.a);
    std::string members = members_of(message, content_based_ && step.c % 2 == 0);
    std::optional<seconds> delay;
    if (!fifo_ && step.b % 4 == 0) {
      delay = seconds(step.b % 9);
      members += "," + member("DelaySeconds", delay->count());
    }
    const auto sent = answer("SendMessage", step.queue, members);
    expect(sent.status == 200, "the message is refused");
    expect_sent(step.queue, message, delay, Json(sent.body).root());
  }

  void send_batch(const Step& step) {
    std::vector<NaiveQueue::Message> messages;
    std::string entries;
    for (std::uint64_t i = 0; i < 2 + step.b % 3; ++i) {
      messages.push_back(random_message(step.a * (i + 1) + step.c * i));
      entries +=
          (i == 0 ? "{" : ",{") + member("Id", std::to_string(i)) + "," + members_of(messages.back(), false) + "}";
    }
    const auto sent = answer("SendMessageBatch", step.queue, "\"Entries\":[" + entries + "]");
    expect(sent.status == 200, "the batch is refused");
    const Json json(sent.body);
    expect(json["Successful"].size() == messages.size(), "an entry of the batch fails");
    std::size_t i = 0;
    for (const dmq::json::Value entry : json["Successful"]) expect_sent(step.queue, messages[i++], {}, entry);
  }

  void receive(const Step& step) {
    NaiveQueue::Order order{.max = 1 + step.a % 4};
    std::string members = member("MaxNumberOfMessages", static_cast<std::int64_t>(order.max)) +
                          R"(,"MessageSystemAttributeNames":["All"])";
    if (step.b % 4 != 0) {
      order.timeout = seconds(pick<int>({0, 0, 3, 10, 30, 400, 43'200}, step.b / 4));
      members += "," + member("VisibilityTimeout", order.timeout->count());
    }
    if (fifo_ && step.c % 3 == 0) {
      order.attempt = "attempt-" + std::to_string(step.c % 5);
      members += "," + member("ReceiveRequestAttemptId", order.attempt);
    }
    const seconds patience(step.d % 3 == 0 ? step.d % 20 : 0);
    if (patience.count() > 0) members += "," + member("WaitTimeSeconds", patience.count());
    const auto handled = call("ReceiveMessage", step.queue, members);
    const NaiveQueue::Outcome outcome = naive_receive(step.queue, order);
    if (outcome.messages.empty() && !outcome.attempt_not_valid && patience.count() > 0) {
      expect(std::holds_alternative<PollId>(handled), "a poll is answered at once");
      polls_.push_back({std::get<PollId>(handled), step.queue, order, cloud_.now.ticks + patience});
    } else {
      expect(std::holds_alternative<dmq::http::Response>(handled), "a receive waits");
      expect_received(step.queue, outcome, std::get<dmq::http::Response>(handled));
    }
  }

  NaiveQueue::Outcome naive_receive(std::size_t queue, const NaiveQueue::Order& order) {
    NaiveQueue::Outcome outcome = naive_[queue].receive(order, cloud_.now);
    for (const NaiveQueue::Message& dead : outcome.dead) {
      naive_[1].adopt(dead, cloud_.now);
      ++moved_;
    }
    return outcome;
  }

  void expect_received(std::size_t queue, const NaiveQueue::Outcome& outcome, const dmq::http::Response& response) {
    if (outcome.attempt_not_valid) {
      expect(response.status == 400, "an attempt is repeated that is not valid");
      return;
    }
    expect(response.status == 200, "the receive is refused");
    const Json json(response.body);
    expect(json["Messages"].size() == outcome.messages.size(), std::to_string(json["Messages"].size()) +
                                                                   " messages are received instead of " +
                                                                   std::to_string(outcome.messages.size()));
    std::size_t i = 0;
    for (const dmq::json::Value received : json["Messages"]) expect_message(queue, outcome.messages[i++], received);
  }

  void expect_message(std::size_t queue, const NaiveQueue::Message& message, dmq::json::Value received) {
    const auto attribute = [&](std::string_view name) { return received["Attributes"][name].string().value_or(""); };
    const auto milliseconds = [](dmq::Instant at) {
      return std::to_string(std::chrono::floor<std::chrono::milliseconds>(at.wall.time_since_epoch()).count());
    };
    expect(received["MessageId"].string() == ids_.at(message.number), "another message is received than expected");
    expect(received["Body"].string() == message.body, "another body than expected");
    expect(attribute("MessageGroupId") == message.group, "another group than expected");
    expect(attribute("ApproximateReceiveCount") == std::to_string(message.receives), "another receive count");
    expect(attribute("SentTimestamp") == milliseconds(message.sent), "another time of sending");
    expect(attribute("ApproximateFirstReceiveTimestamp") == milliseconds(message.first_received),
           "another time of the first receive");
    expect(attribute("DeadLetterQueueSourceArn").empty() != message.is_dead_letter, "another source of dead letters");
    if (!message.is_dead_letter)
      expect(attribute("SequenceNumber") == sequences_.at(message.number), "another sequence number");
    expect_handle(
        {queue, message.number, message.receives, std::string(received["ReceiptHandle"].string().value_or(""))});
  }

  /// A handle is new with each receive, and the same when a receive is repeated.
  void expect_handle(const Handle& handle) {
    for (const Handle& known : handles_) {
      const bool same =
          known.queue == handle.queue && known.number == handle.number && known.receives == handle.receives;
      expect(same == (known.text == handle.text), "another receipt handle than expected");
      if (same) return;
    }
    handles_.push_back(handle);
  }

  void use_handle(const Step& step) {
    if (handles_.empty()) return;
    // Mostly one of the latest.
    const std::size_t back = step.a % (step.b % 4 == 0 ? handles_.size() : std::min<std::size_t>(handles_.size(), 4));
    const Handle handle = handles_[handles_.size() - 1 - back];
    NaiveQueue& naive = naive_[handle.queue];
    if (step.kind == Kind::remove) {
      const int status = answer("DeleteMessage", handle.queue, member("ReceiptHandle", handle.text)).status;
      const bool refused = naive.remove(handle.number, handle.receives, cloud_.now) == NaiveQueue::Verdict::expired;
      expect(status == (refused ? 400 : 200), "a delete is answered with " + std::to_string(status));
      return;
    }
    const seconds timeout(pick<int>({0, 0, 5, 20, 600, 43'200}, step.c));
    const int status = answer("ChangeMessageVisibility", handle.queue,
                              member("ReceiptHandle", handle.text) + "," + member("VisibilityTimeout", timeout.count()))
                           .status;
    const bool done = naive.change(handle.number, handle.receives, timeout, cloud_.now) == NaiveQueue::Verdict::done;
    expect(status == (done ? 200 : 400), "a change of visibility is answered with " + std::to_string(status));
  }

  void purge(const Step& step) {
    const int status = answer("PurgeQueue", step.queue, "").status;
    std::optional<dmq::Ticks>& last = purged_[step.queue];
    const bool too_early = last && cloud_.now.ticks < *last + seconds(60);
    expect(status == (too_early ? 403 : 200), "a purge is answered with " + std::to_string(status));
    if (too_early) return;
    last = cloud_.now.ticks;
    naive_[step.queue].purge();
  }

  void count(const Step& step) {
    const Json json(answer("GetQueueAttributes", step.queue, R"("AttributeNames":["All"])").body);
    const std::vector<std::size_t> counts = naive_[step.queue].counts(cloud_.now);
    const auto attribute = [&](const char* name) { return json["Attributes"][name].string(); };
    expect(attribute("ApproximateNumberOfMessages") == std::to_string(counts[0]), "another count of visible messages");
    expect(attribute("ApproximateNumberOfMessagesNotVisible") == std::to_string(counts[1]), "another count in flight");
    expect(attribute("ApproximateNumberOfMessagesDelayed") == std::to_string(counts[2]), "another count of delayed");
  }

  /// Time passes, with a stop wherever something may happen to a poll.
  void wait(const Step& step) {
    const seconds time(pick<int>({0, 1, 2, 5, 10, 29, 30, 60, 250, 300, 3'600}, step.a));
    const dmq::Instant end = cloud_.now + time;
    trace += "  " + std::to_string(time.count()) + " s pass\n";
    for (auto next = next_change(end.ticks); next; next = next_change(end.ticks)) {
      const auto deadline = cloud_.model.next_deadline();
      cloud_.now = cloud_.now + (*next - cloud_.now.ticks);
      if (advance()) expect(deadline == *next, "another next deadline");
    }
    cloud_.now = end;
  }
  std::optional<dmq::Ticks> next_change(dmq::Ticks end) const {
    if (polls_.empty()) return std::nullopt;
    std::vector<dmq::Ticks> times;
    for (const Poll& poll : polls_) times.push_back(poll.until);
    for (const NaiveQueue& queue : naive_)
      for (const dmq::Ticks time : queue.changes()) times.push_back(time);
    std::optional<dmq::Ticks> next;
    for (const dmq::Ticks time : times)
      if (time > cloud_.now.ticks && time <= end && (!next || time < *next)) next = time;
    return next;
  }

  /// Answers the polls, oldest first, queue by queue; what moves to the dead-letter queue may answer others. True when
  /// there was one to answer.
  bool advance() {
    const std::vector<Answered> answered = cloud_.model.advance(cloud_.now);
    std::vector<std::pair<Poll, NaiveQueue::Outcome>> expected;
    std::size_t moved_before = 0;
    do {
      moved_before = moved_;
      for (const std::size_t queue : {std::size_t{1}, std::size_t{0}}) answer_polls(queue, expected);
    } while (moved_ != moved_before);
    for (const Poll& poll : std::vector<Poll>(polls_))
      if (poll.until <= cloud_.now.ticks) take_poll(poll, {}, expected);
    expect(answered.size() == expected.size(),
           std::to_string(answered.size()) + " polls are answered instead of " + std::to_string(expected.size()));
    for (const auto& [poll, outcome] : expected) {
      const auto found = std::find_if(answered.begin(), answered.end(),
                                      [id = poll.id](const Answered& answer) { return answer.id == id; });
      expect(found != answered.end(), "another poll is answered");
      expect_received(poll.queue, outcome, found->response);
    }
    expect(cloud_.model.next_deadline().has_value() == !polls_.empty(), "another next deadline");
    expect(polls_.empty() || cloud_.model.next_deadline() > cloud_.now.ticks, "a deadline that has passed");
    return !expected.empty();
  }

  void answer_polls(std::size_t queue, std::vector<std::pair<Poll, NaiveQueue::Outcome>>& expected) {
    for (const Poll& poll : std::vector<Poll>(polls_)) {
      if (poll.queue != queue) continue;
      NaiveQueue::Outcome outcome = naive_receive(queue, poll.order);
      if (!outcome.messages.empty() || outcome.attempt_not_valid) take_poll(poll, std::move(outcome), expected);
    }
  }
  void take_poll(const Poll& poll, NaiveQueue::Outcome outcome,
                 std::vector<std::pair<Poll, NaiveQueue::Outcome>>& expected) {
    expected.emplace_back(poll, std::move(outcome));
    std::erase_if(polls_, [&](const Poll& other) { return other.id == expected.back().first.id; });
  }

  bool fifo_;
  bool content_based_;
  Cloud cloud_;
  NaiveQueue naive_[2];
  std::map<int, std::string> ids_;
  std::map<int, std::string> sequences_;
  std::string last_sequence_[2];
  std::vector<Handle> handles_;
  std::vector<Poll> polls_;
  std::size_t moved_ = 0;  ///< To the dead-letter queue, so far.
  std::optional<dmq::Ticks> purged_[2];
  int last_number_ = 0;
};

/// What they disagree on, and how it came to that; nothing when they agree.
std::optional<std::string> disagreement(const Scenario& scenario, const std::vector<Step>& steps) {
  Worlds worlds(scenario);
  try {
    for (const Step& step : steps) worlds.run(step);
  } catch (const Disagreement& found) {
    return worlds.trace + "  " + found.what();
  }
  return std::nullopt;
}

/// Leaves out steps as long as they go on to disagree.
std::string shortest(const Scenario& scenario, std::vector<Step> steps) {
  std::string trace = disagreement(scenario, steps).value();
  for (bool shorter = true; shorter;) {
    shorter = false;
    for (std::size_t i = steps.size(); i-- > 0;) {
      std::vector<Step> fewer = steps;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (auto still = disagreement(scenario, fewer)) {
        steps = std::move(fewer);
        trace = *std::move(still);
        shorter = true;
      }
    }
  }
  return trace;
}

Step random_step(dmq::Random& random, bool dead_letters) {
  constexpr Kind kinds[] = {Kind::send,    Kind::send,    Kind::send,   Kind::send_batch, Kind::receive,
                            Kind::receive, Kind::receive, Kind::remove, Kind::remove,     Kind::change,
                            Kind::count,   Kind::wait,    Kind::wait,   Kind::wait};
  Step step{.kind = random.chance(0.01) ? Kind::purge : kinds[random.below(std::size(kinds))]};
  step.queue = dead_letters && random.chance(step.kind == Kind::send ? 0.05 : 0.3) ? 1 : 0;
  step.a = random.next() >> 8;
  step.b = random.next() >> 8;
  step.c = random.next() >> 8;
  step.d = random.next() >> 8;
  return step;
}

void compare(bool fifo, bool redrive, std::uint64_t first_seed) {
  for (std::uint64_t seed = first_seed; seed < first_seed + 2'500; ++seed) {
    dmq::Random random(seed);
    Scenario scenario{.content_based = fifo && random.chance(0.3)};
    scenario.settings = {.fifo = fifo,
                         .by_group = fifo && random.chance(0.3),
                         .visibility_timeout = seconds(random.chance(0.2) ? 0 : 10),
                         .delay = seconds(random.chance(0.2) ? 5 : 0),
                         .retention = seconds(random.chance(0.4) ? 60 : 345'600),
                         .max_receives = redrive ? static_cast<int>(1 + random.below(3)) : 0};
    std::vector<Step> steps;
    for (int i = 0; i < 40; ++i) steps.push_back(random_step(random, redrive));
    if (disagreement(scenario, steps)) {
      const auto text = [](auto number) { return std::to_string(number); };
      const std::string found =
          "seed " + text(seed) + (fifo ? ", FIFO" : ", standard") + ", delay " + text(scenario.settings.delay.count()) +
          ", retention " + text(scenario.settings.retention.count()) + ", at most " +
          text(scenario.settings.max_receives) + " receives" +
          (scenario.settings.by_group ? ", deduplication by group" : "") + ":\n" + shortest(scenario, steps);
      FAIL(found);
    }
  }
}

}  // namespace

TEST_CASE("LocalCloud agrees with a naive model: FIFO") {
  compare(true, false, 0);
}
TEST_CASE("LocalCloud agrees with a naive model: FIFO with dead letters") {
  compare(true, true, 10'000);
}
TEST_CASE("LocalCloud agrees with a naive model: standard") {
  compare(false, false, 20'000);
}
TEST_CASE("LocalCloud agrees with a naive model: standard with dead letters") {
  compare(false, true, 30'000);
}
