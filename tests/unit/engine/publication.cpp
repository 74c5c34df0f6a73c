#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <dmq/engine/publication.hpp>

using dmq::DeliveryState;
using dmq::Error;
using dmq::ErrorKind;
using dmq::Receipt;
using dmq::Result;
using dmq::engine::Publication;
using Fate = Publication::Fate;

namespace {

const Error throttled{.kind = ErrorKind::throttled, .delivery = DeliveryState::rejected, .message = "slow down"};
const Error internal{.kind = ErrorKind::unavailable, .delivery = DeliveryState::unknown, .message = "theirs"};
const Error refused{.kind = ErrorKind::rejected, .delivery = DeliveryState::rejected, .message = "no"};
const Receipt accepted{.message_id = "m"};

struct Batch {
  explicit Batch(const std::vector<std::string>& groups) : publications(groups.size()) {
    for (std::size_t i = 0; i < groups.size(); ++i) publications[i].entry.message.group = groups[i];
    for (Publication& publication : publications) pointers.push_back(&publication);
  }
  void apply(std::vector<Result<Receipt>> results) { dmq::engine::apply_results(pointers, std::move(results)); }
  std::vector<Fate> fates() const {
    std::vector<Fate> all;
    for (const Publication& publication : publications) all.push_back(publication.fate);
    return all;
  }

  std::vector<Publication> publications;
  std::vector<Publication*> pointers{};
};

}  // namespace

TEST_CASE("accepted entries end, what can be retried stays open, what can't fails") {
  Batch batch({"a", "b", "c"});
  batch.apply({accepted, throttled, refused});
  CHECK(batch.fates() == std::vector{Fate::accepted, Fate::open, Fate::failed});
  CHECK(batch.publications[2].error.kind == ErrorKind::rejected);
}

TEST_CASE("a failed entry behind which its group went on is never sent again") {
  Batch batch({"a", "b", "a"});
  batch.apply({throttled, throttled, accepted});
  CHECK(batch.fates() == std::vector{Fate::failed, Fate::open, Fate::accepted});
  CHECK(batch.publications[0].error.kind == ErrorKind::throttled);
}

TEST_CASE("the failed end of a run is sent again in order") {
  Batch batch({"a", "a", "a"});
  batch.apply({accepted, throttled, throttled});
  CHECK(batch.fates() == std::vector{Fate::accepted, Fate::open, Fate::open});
}

TEST_CASE("behind an entry that ended, the rest of its run is held back") {
  Batch batch({"a", "a", "a", "b"});
  batch.apply({accepted, refused, throttled, accepted});
  CHECK(batch.fates() == std::vector{Fate::accepted, Fate::failed, Fate::failed, Fate::accepted});
  CHECK(batch.publications[1].error.kind == ErrorKind::rejected);
  CHECK(batch.publications[2].error.kind == ErrorKind::corked);
  CHECK(batch.publications[2].error.delivery == DeliveryState::rejected);
}

TEST_CASE("entries that were refused in one breath are each sent alone") {
  Batch batch({"a", "b"});
  batch.apply({refused, refused});
  CHECK(batch.fates() == std::vector{Fate::open, Fate::open});
  CHECK(batch.publications[0].alone);
  CHECK(batch.publications[1].alone);
}

TEST_CASE("an entry refused by itself has failed, as has one of a request with one entry") {
  Batch single({"a"});
  single.apply({refused});
  CHECK(single.fates() == std::vector{Fate::failed});
}

TEST_CASE("an entry whose fate was unknown stays unknown when it is refused later") {
  Batch batch({"a", "b"});
  batch.apply({internal, accepted});
  CHECK(batch.fates() == std::vector{Fate::open, Fate::accepted});
  Publication* again[] = {&batch.publications[0]};
  dmq::engine::apply_results(again, {refused});
  CHECK(batch.publications[0].fate == Fate::failed);
  CHECK(batch.publications[0].error.kind == ErrorKind::rejected);
  CHECK(batch.publications[0].error.delivery == DeliveryState::unknown);
}

TEST_CASE("entries without a group have no order to keep") {
  Batch batch({"", "", ""});
  batch.apply({throttled, refused, accepted});
  CHECK(batch.fates() == std::vector{Fate::open, Fate::failed, Fate::accepted});
}

TEST_CASE("a run whose sequence numbers do not rise fails with integrity") {
  for (const auto& [first, second, fate] :
       {std::tuple{"9", "10", Fate::accepted}, {"10", "9", Fate::failed}, {"9", "9", Fate::failed}}) {
    Batch batch({"a", "a"});
    batch.apply({Receipt{.message_id = "m1", .sequence_number = first},
                 Receipt{.message_id = "m2", .sequence_number = second}});
    dmq::engine::check_order(batch.pointers);
    CHECK(batch.publications[0].fate == Fate::accepted);
    CHECK(batch.publications[1].fate == fate);
    if (fate == Fate::failed) CHECK(batch.publications[1].error.kind == ErrorKind::integrity);
  }
}
