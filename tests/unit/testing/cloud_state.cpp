#include <dmq/testing/cloud_state.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/core/random.hpp>
#include <dmq/crypto/digest.hpp>
#include <dmq/encoding/hex.hpp>
#include <support/cloud.hpp>

using namespace std::chrono_literals;
using dmq::testing::CloudState;
using dmq::testing::LocalCloudOptions;
using dmq::testing::QueueAttributes;
using support::Cloud;
using support::Json;

namespace {

LocalCloudOptions three_queues() {
  LocalCloudOptions options = support::unsigned_options();
  const std::string redrive = R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo",)"
                              R"("maxReceiveCount":2})";
  options.queues = {{"dead.fifo", {{"FifoQueue", "true"}}},
                    {"dmq.fifo",
                     {{"FifoQueue", "true"},
                      {"VisibilityTimeout", "5"},
                      {"MessageRetentionPeriod", "90"},
                      {"RedrivePolicy", redrive}}},
                    {"plain", {{"DelaySeconds", "2"}, {"VisibilityTimeout", "7"}}}};
  return options;
}

/// Another world that goes on from what was saved of this one, on a machine that was started `later` than that.
Cloud restarted(const Cloud& cloud, dmq::Duration later = 0s) {
  LocalCloudOptions options = support::unsigned_options();
  options.queues.clear();
  options.seed = 99;
  Cloud fresh(std::move(options));
  // Other ticks: each boot counts its own.
  fresh.now = {cloud.now.wall + later, dmq::Ticks(5s)};
  const auto loaded = CloudState::load(fresh.model, CloudState::save(cloud.model, cloud.now), fresh.now);
  if (!loaded) FAIL(loaded.error().message);
  return fresh;
}

std::string received(Cloud& cloud, std::string_view members, std::string_view queue) {
  std::string all = R"("MessageSystemAttributeNames":["All"],"MessageAttributeNames":["All"])";
  return cloud.call("ReceiveMessage", all + std::string(members), queue).body;
}

/// A state with something changed, and the checksum that fits it.
std::string forged(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
  const std::string sum = dmq::encoding::hex(dmq::crypto::sha256(text.substr(text.find('\n') + 1)));
  text.replace(text.find("\"sha256\":\"") + 10, sum.size(), sum);
  return text;
}

/// The same operation on both worlds, whose answers must be equal but for the ids of new messages.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int round = 0; round < 4; ++round) {
      for (int i = 0; i < 15; ++i) {
        step();
        pass(random_.below(6) * 1s);
      }
      const dmq::Duration later = random_.below(10) * 1s;
      second_ = restarted(first_, later);
      first_.now = first_.now + later;
      CHECK(CloudState::save(first_.model, first_.now) == CloudState::save(second_.model, second_.now));
    }
  }

 private:
  void step() {
    const std::string_view queue = queues[random_.below(3)];
    switch (random_.below(5)) {
      case 0:
      case 1: return send(queue);
      case 2: return receive(queue);
      case 3: return settle("DeleteMessage", "");
      default: return settle("ChangeMessageVisibility", R"(,"VisibilityTimeout":)" + number(3 * random_.below(4)));
    }
  }

  void pass(dmq::Duration time) {
    first_.now = first_.now + time;
    second_.now = second_.now + time;
  }

  void send(std::string_view queue) {
    std::string members = R"("MessageBody":"m)" + number(++sent_) + "\"";
    if (queue != "plain")
      members += R"(,"MessageGroupId":"g)" + number(random_.below(3)) + R"(","MessageDeduplicationId":"d)" +
                 number(random_.below(12)) + "\"";
    if (random_.chance(0.2)) members += R"(,"MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"/wA="}})";
    const auto first = first_.call("SendMessage", members, queue);
    const auto second = second_.call("SendMessage", members, queue);
    CHECK(first.status == second.status);
    CHECK(Json(first.body)["SequenceNumber"].string() == Json(second.body)["SequenceNumber"].string());
  }

  void receive(std::string_view queue) {
    const std::string members = R"(,"MaxNumberOfMessages":)" + number(1 + random_.below(4));
    const Json first(received(first_, members, queue));
    const Json second(received(second_, members, queue));
    REQUIRE(first["Messages"].size() == second["Messages"].size());
    auto other = second["Messages"].begin();
    for (const auto message : first["Messages"]) {
      for (const char* member : {"Body", "ReceiptHandle", "MD5OfMessageAttributes"})
        CHECK(message[member].string() == (*other)[member].string());
      for (const auto attribute : message["Attributes"])
        CHECK(attribute.string() == (*other)["Attributes"][attribute.name()].string());
      handles_.emplace_back(queue, message["ReceiptHandle"].string().value());
      ++other;
    }
  }

  /// Of a handle that was given out some time, perhaps before a restart.
  void settle(std::string_view operation, const std::string& members) {
    if (handles_.empty()) return;
    const auto& [queue, handle] = handles_[random_.below(handles_.size())];
    const std::string all = R"("ReceiptHandle":")" + handle + "\"" + members;
    const auto first = first_.call(operation, all, queue);
    const auto second = second_.call(operation, all, queue);
    CHECK(first.status == second.status);
    CHECK(first.body == second.body);
  }

  static std::string number(std::uint64_t value) { return std::to_string(value); }

  static constexpr std::string_view queues[] = {"dmq.fifo", "dead.fifo", "plain"};

  dmq::Random random_;
  Cloud first_{three_queues()};
  Cloud second_{three_queues()};
  std::uint64_t sent_ = 0;
  std::vector<std::pair<std::string, std::string>> handles_;
};

}  // namespace

TEST_CASE("a cloud that was saved and loaded, again and again, behaves as one that went on") {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CAPTURE(seed);
    Pair(seed).run();
  }
}

TEST_CASE("attributes, tags and odd texts come back") {
  Cloud cloud(three_queues());
  const QueueAttributes policy{{"Policy", R"({"Statement":[]})"}};
  cloud.model.create_queue("other", policy, cloud.now).value();
  CHECK(cloud.call("TagQueue", R"("Tags":{"team":"\u00e9","empty":""})", "other").status == 200);
  cloud.call("SendMessage", R"("MessageBody":"tab\tand \"quotes\" \u20ac","MessageGroupId":"g")", "other");
  Cloud other = restarted(cloud);
  for (const char* operation : {"GetQueueAttributes", "ListQueueTags"})
    CHECK(other.call(operation, R"("AttributeNames":["All"])", "other").body ==
          cloud.call(operation, R"("AttributeNames":["All"])", "other").body);
  const Json json(received(other, "", "other"));
  const auto message = *json["Messages"].begin();
  CHECK(message["Body"].string() == "tab\tand \"quotes\" \xE2\x82\xAC");
  CHECK(message["Attributes"]["MessageGroupId"].string() == "g");
}

TEST_CASE("deadlines are kept in wall time") {
  Cloud cloud(three_queues());
  cloud.call("SendMessage", R"("MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"1")");
  CHECK(Json(received(cloud, "", "dmq.fifo"))["Messages"].size() == 1);
  Cloud early = restarted(cloud, 4s);
  CHECK(Json(received(early, "", "dmq.fifo"))["Messages"].size() == 0);
  Cloud late = restarted(cloud, 5s);
  CHECK(Json(received(late, "", "dmq.fifo"))["Messages"].size() == 1);
  Cloud expired = restarted(cloud, 90s);
  CHECK(Json(received(expired, "", "dmq.fifo"))["Messages"].size() == 0);
}

TEST_CASE("new messages get ids that the earlier run did not give out") {
  Cloud cloud(three_queues());
  const std::string members = R"("MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":)";
  Cloud other = restarted(cloud);
  const Json first(cloud.call("SendMessage", members + "\"1\"").body);
  const Json second(other.call("SendMessage", members + "\"1\"").body);
  CHECK(first["MessageId"].string() != second["MessageId"].string());
}

TEST_CASE("what is not the state of a cloud is refused, and nothing changes") {
  Cloud cloud(three_queues());
  cloud.call("SendMessage", R"("MessageBody":"hello","MessageGroupId":"g","MessageDeduplicationId":"1")");
  received(cloud, "", "dmq.fifo");
  const std::string saved = CloudState::save(cloud.model, cloud.now);
  CHECK(CloudState::load(cloud.model, saved, cloud.now));

  const auto refused = [&](const std::string& text, std::string_view says) {
    const auto loaded = CloudState::load(cloud.model, text, cloud.now);
    REQUIRE_FALSE(loaded);
    CAPTURE(loaded.error().message);
    CHECK(loaded.error().message.find(says) != std::string::npos);
    CHECK(CloudState::save(cloud.model, cloud.now) == saved);
  };
  refused("", "not JSON");
  refused(saved.substr(0, saved.size() / 2), "not JSON");
  refused("{}", "not the state of a local cloud");
  refused(R"({"format":"something else","version":1})", "not the state of a local cloud");
  refused(forged(saved, "\"version\":1", "\"version\":2"), "another version");
  std::string damaged = saved;
  damaged.replace(damaged.find("hello"), 5, "jello");
  refused(damaged, "checksum");
  refused(forged(saved, "\"sequence\":1,\"id\"", "\"sequence\":0,\"id\""), "\"sequence\" is out of range");
  refused(forged(saved, "\"turn\":2", "\"turn\":\"2\""), "\"turn\" is out of range");
  refused(forged(saved, "\"body\":\"hello\"", "\"body\":[]"), "\"body\" is no text");
  refused(forged(saved, "\"VisibilityTimeout\":\"5\"", "\"VisibilityTimeout\":\"x\""), "\"attributes\" are refused");
  refused(forged(saved, "\"last_sequence\":1", "\"last_sequence\":0"), "\"last_sequence\" is too low");
  refused(forged(saved, "\"name\":\"dmq.fifo\"", "\"name\":\"a b.fifo\""), "\"name\" is no name");
  refused(forged(saved, "\"messages\":[{", "\"messages\":[7,{"), "is no object");
}
