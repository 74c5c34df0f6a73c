#include <doctest/doctest.h>

#include <string>

#include <dmq/engine/quarantine.hpp>

using dmq::Ticks;
using dmq::engine::Quarantine;
using std::chrono::seconds;

namespace {

constexpr Ticks now{seconds(1000)};

}  // namespace

TEST_CASE("a closed group opens 35 s after the message was last sent, and other groups never close") {
  Quarantine quarantine;
  quarantine.close("g", "id", now, now);
  CHECK(quarantine.opens_at("g", "other") == now + seconds(35));
  CHECK(quarantine.opens_at("g", "") == now + seconds(35));
  CHECK(quarantine.opens_at("h", "other") == Ticks::min());
}

TEST_CASE("the message itself passes, and opens the group when it is accepted") {
  Quarantine quarantine;
  quarantine.close("g", "id", now, now);
  CHECK(quarantine.opens_at("g", "id") == Ticks::min());
  quarantine.open("g", "other");
  CHECK(quarantine.opens_at("g", "other") > now);
  quarantine.open("g", "id");
  CHECK(quarantine.opens_at("g", "other") == Ticks::min());
}

TEST_CASE("a message without an id does not pass as itself") {
  Quarantine quarantine;
  quarantine.close("g", "", now, now);
  CHECK(quarantine.opens_at("g", "") > now);
  quarantine.open("g", "");
  CHECK(quarantine.opens_at("g", "") > now);
}

TEST_CASE("groups that have opened are forgotten as others close") {
  Quarantine quarantine;
  for (int i = 0; i < 1000; ++i) quarantine.close("g" + std::to_string(i), "id", now + seconds(i), now + seconds(i));
  CHECK(quarantine.opens_at("g0", "") == Ticks::min());
  CHECK(quarantine.opens_at("g999", "") == now + seconds(999 + 35));
}

TEST_CASE("a group that is lifted opens at once, and only it") {
  Quarantine quarantine;
  quarantine.close("g", "id", now, now);
  quarantine.close("h", "id", now, now);
  quarantine.lift("g");
  quarantine.lift("never closed");
  CHECK(quarantine.opens_at("g", "other") == Ticks::min());
  CHECK(quarantine.opens_at("h", "other") == now + seconds(35));
}
