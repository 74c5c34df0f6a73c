#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include <dmq/engine/publish_call.hpp>

using dmq::DeliveryState;
using dmq::EntryBatch;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Receipt;
using dmq::Result;
using dmq::engine::Publication;
using dmq::engine::PublishCall;
using Fate = Publication::Fate;
namespace http = dmq::http;

namespace {

/// Its requests are the bodies of the batch; its answers a letter for each: accepted, throttled, refused, lost.
struct Route {
  std::string_view name() const { return "publish"; }
  std::size_t max_batch() const { return 10; }
  Result<void> check(const dmq::Entry&) const { return {}; }
  Result<http::Request> build(EntryBatch batch) const {
    http::Request request;
    for (const dmq::Entry* entry : batch) request.body += entry->message.body;
    return request;
  }
  std::vector<Result<Receipt>> parse(const http::Response& response, EntryBatch batch) const {
    std::vector<Result<Receipt>> results;
    for (std::size_t i = 0; i < batch.size(); ++i) results.push_back(result(response.body[i]));
    return results;
  }
  static Result<Receipt> result(char letter) {
    switch (letter) {
      case 'a': return Receipt{.message_id = "m"};
      case 't': return Error{.kind = ErrorKind::throttled, .delivery = DeliveryState::rejected, .message = "t"};
      case 'r': return Error{.kind = ErrorKind::rejected, .delivery = DeliveryState::rejected, .message = "r"};
      default: return Error{.kind = ErrorKind::unavailable, .delivery = DeliveryState::unknown, .message = "l"};
    }
  }
};

struct Bench {
  explicit Bench(const std::string& bodies) : publications(bodies.size()) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      publications[i].entry.message = {.body = std::string(1, bodies[i]), .group = std::string(1, bodies[i])};
      pointers.push_back(&publications[i]);
    }
    call.emplace(route, pointers, http::Resend::allowed);
  }
  std::string build() { return call->build()->body; }
  Result<void> parse(std::string letters) { return call->parse({.status = 200, .body = std::move(letters)}); }

  Route route{};
  std::vector<Publication> publications;
  std::vector<Publication*> pointers{};
  std::optional<PublishCall<Route>> call{};
};

}  // namespace

TEST_CASE("each attempt carries what is still open, and the call succeeds when nothing is") {
  Bench bench("xyz");
  CHECK(bench.build() == "xyz");
  const Result<void> first = bench.parse("atl");
  REQUIRE_FALSE(first);
  CHECK(first.error().kind == ErrorKind::throttled);
  CHECK(first.error().delivery == DeliveryState::unknown);
  CHECK(bench.build() == "yz");
  CHECK(bench.parse("ra"));
  CHECK(bench.publications[0].fate == Fate::accepted);
  CHECK(bench.publications[1].fate == Fate::failed);
  CHECK(bench.publications[2].fate == Fate::accepted);
}

TEST_CASE("what was refused together is left to be sent alone by another call") {
  Bench bench("xy");
  bench.build();
  CHECK(bench.parse("rr"));
  CHECK(bench.publications[0].fate == Fate::open);
  CHECK(bench.publications[0].alone);
  CHECK(bench.publications[1].alone);
}

TEST_CASE("one that is sent alone is tried again by its own call, after the pause that its failure asks for") {
  for (const char* answer : {"t", "l"}) {
    Bench bench("x");
    bench.publications[0].alone = true;
    bench.build();
    const Result<void> first = bench.parse(answer);
    REQUIRE_FALSE(first);
    CHECK(bench.publications[0].fate == Fate::open);
    CHECK(bench.build() == "x");
    CHECK(bench.parse("a"));
    CHECK(bench.publications[0].fate == Fate::accepted);
  }
}

TEST_CASE("a failure without an answer is noted of all that are open, a second sending of those that were sent") {
  Bench bench("xy");
  bench.build();
  REQUIRE_FALSE(bench.parse("at"));
  bench.call->on_failure({.kind = ErrorKind::network, .delivery = DeliveryState::not_sent, .message = "no connection"});
  CHECK(bench.publications[0].error.message.empty());
  CHECK(bench.publications[1].error.kind == ErrorKind::network);
  CHECK(bench.publications[1].worst == DeliveryState::rejected);
  bench.build();
  bench.call->on_resend();
  CHECK(bench.publications[0].worst == DeliveryState::not_sent);
  CHECK(bench.publications[1].worst == DeliveryState::unknown);
}

TEST_CASE("of a run that may have landed only the first is sent again, and the others leave with the next answer") {
  Bench bench("aab");
  CHECK(bench.build() == "aab");
  bench.call->on_failure({.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "lost"});
  CHECK(bench.build() == "ab");
  CHECK(bench.parse("ta").error().kind == ErrorKind::throttled);
  CHECK(bench.build() == "a");
  CHECK(bench.parse("a"));
  CHECK(bench.publications[0].fate == Fate::accepted);
  CHECK(bench.publications[1].fate == Fate::open);
  CHECK(bench.publications[2].fate == Fate::accepted);
}

TEST_CASE("a run that was refused is sent again as it was") {
  Bench bench("aa");
  bench.build();
  CHECK_FALSE(bench.parse("tt"));
  CHECK(bench.build() == "aa");
}
