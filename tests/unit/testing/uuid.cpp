#include <dmq/testing/uuid.hpp>

#include <doctest/doctest.h>

using dmq::testing::Uuid;

TEST_CASE("a UUID is written and read as text") {
  const Uuid uuid{0x0123'4567'89ab'4def, 0x8123'4567'89ab'cdef};
  CHECK(uuid.text() == "01234567-89ab-4def-8123-456789abcdef");
  CHECK(Uuid::parse(uuid.text()) == uuid);
}

TEST_CASE("a random UUID is of version 4") {
  dmq::Random random(1);
  const Uuid first = Uuid::random(random);
  const Uuid second = Uuid::random(random);
  CHECK_FALSE(first == second);
  for (const Uuid& uuid : {first, second}) {
    const std::string text = uuid.text();
    CHECK(text.size() == 36);
    CHECK(text[14] == '4');
    CHECK(text[19] == '8');
    CHECK(Uuid::parse(text) == uuid);
  }
}
