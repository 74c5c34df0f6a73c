#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <dmq/engine/prepare.hpp>

using dmq::Deduplication;
using dmq::DeliveryState;
using dmq::EntryBatch;
using dmq::ErrorKind;
using dmq::Instant;
using dmq::Message;
using dmq::Receipt;
using dmq::Result;
using dmq::Ticks;
using dmq::WallTime;
using dmq::engine::Publication;
using Fate = Publication::Fate;
namespace http = dmq::http;
using std::chrono::seconds;

namespace {

constexpr Instant first_sent{WallTime(seconds(1'000'000)), Ticks(seconds(5'000))};

/// Carries no trace headers.
struct Route {
  std::string_view name() const { return "publish"; }
  std::size_t max_batch() const { return 10; }
  Result<void> check(const dmq::Entry& entry) const {
    if (!entry.message.trace_header.empty()) return dmq::invalid_argument("no trace header");
    return {};
  }
  Result<http::Request> build(EntryBatch) const { return http::Request{}; }
  std::vector<Result<Receipt>> parse(const http::Response&, EntryBatch) const { return {}; }
};

struct Outcome {
  Publication publication{};
  int ids = 0;  ///< That were made.
};

Outcome prepare(Message message, Deduplication deduplication = Deduplication::id,
                const Result<std::string>& id = std::string("new")) {
  Outcome outcome;
  outcome.publication.entry.message = std::move(message);
  dmq::PublishSettings settings;
  settings.deduplication = deduplication;
  dmq::engine::prepare(outcome.publication, Route(), settings, [&] {
    ++outcome.ids;
    return id;
  });
  return outcome;
}

}  // namespace

TEST_CASE("a message gets a deduplication id once, or keeps its own") {
  const Outcome made = prepare({.body = "b", .group = "g"});
  CHECK(made.publication.fate == Fate::open);
  CHECK(made.publication.entry.deduplication_id == "new");
  CHECK(made.publication.entry.message.deduplication_id.empty());
  CHECK(made.ids == 1);
  const Outcome own = prepare({.body = "b", .group = "g", .deduplication_id = "own"});
  CHECK(own.publication.entry.deduplication_id == "own");
  CHECK(own.ids == 0);
}

TEST_CASE("when no id can be made the message has failed, not sent") {
  const Outcome outcome =
      prepare({.body = "b", .group = "g"}, Deduplication::id, dmq::configuration_error("no randomness"));
  CHECK(outcome.publication.fate == Fate::failed);
  CHECK(outcome.publication.error.kind == ErrorKind::configuration);
  CHECK(outcome.publication.error.delivery == DeliveryState::not_sent);
}

TEST_CASE("where no id is sent none is made, and a message that has one is refused") {
  for (const auto& [deduplication, group] :
       {std::pair{Deduplication::content, "g"}, std::pair{Deduplication::none, ""}}) {
    const Outcome outcome = prepare({.body = "b", .group = group}, deduplication);
    CHECK(outcome.publication.fate == Fate::open);
    CHECK(outcome.publication.entry.deduplication_id.empty());
    CHECK(outcome.ids == 0);
  }
  const Outcome refused = prepare({.body = "b", .group = "g", .deduplication_id = "own"}, Deduplication::content);
  CHECK(refused.publication.error.kind == ErrorKind::invalid_argument);
}

TEST_CASE("what the queue or the route can't carry has failed before anything is sent") {
  const Outcome empty = prepare({.body = "", .group = "g"});
  CHECK(empty.publication.error.kind == ErrorKind::invalid_argument);
  CHECK(empty.publication.error.delivery == DeliveryState::not_sent);
  CHECK(empty.ids == 0);
  CHECK(prepare({.body = "b", .group = ""}).publication.fate == Fate::failed);
  const Outcome traced = prepare({.body = "b", .group = "g", .trace_header = "Root=1"});
  CHECK(traced.publication.fate == Fate::failed);
  CHECK(traced.publication.error.message == "no trace header");
}

TEST_CASE("a message that came back as unknown is as unknown as it was, and is sent alone in its old window") {
  const Outcome again = prepare({.body = "b", .group = "g", .deduplication_id = "own", .first_sent = first_sent});
  CHECK(again.publication.fate == Fate::open);
  CHECK(again.publication.first_byte == first_sent);
  CHECK(again.publication.worst == DeliveryState::unknown);
  CHECK(again.publication.alone);
  CHECK(prepare({.body = "b", .group = "g", .first_sent = first_sent}, Deduplication::content).publication.first_byte ==
        first_sent);
}

TEST_CASE("without the id it was sent with, or without deduplication, it is a message of its own right") {
  for (const Outcome& outcome : {prepare({.body = "b", .group = "g", .first_sent = first_sent}),
                                 prepare({.body = "b", .first_sent = first_sent}, Deduplication::none)}) {
    CHECK(outcome.publication.fate == Fate::open);
    CHECK_FALSE(outcome.publication.first_byte);
    CHECK(outcome.publication.worst == DeliveryState::not_sent);
    CHECK_FALSE(outcome.publication.alone);
  }
}
