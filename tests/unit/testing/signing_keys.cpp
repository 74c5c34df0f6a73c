#include <dmq/testing/signing_keys.hpp>

#include <doctest/doctest.h>

#include <string>

#include <support/cloud.hpp>

using dmq::testing::SigningKeys;

TEST_CASE("a key has the same id everywhere, of 43 characters of Base64") {
  const std::string id = dmq::testing::key_id(support::signing_key());
  CHECK(id.size() == 43);
  CHECK(id == dmq::testing::key_id(support::signing_key()));
  CHECK(SigningKeys(support::signing_key()).current().id == id);
}

TEST_CASE("a key is made when it is needed, and a copy of what holds it has the same") {
  SigningKeys keys(std::nullopt);
  CHECK(keys.find("") == nullptr);
  const std::string id = keys.current().id;
  SigningKeys copy = keys;
  CHECK(copy.current().id == id);
  CHECK(copy.jwks() == keys.jwks());
}

TEST_CASE("rotating to a key that is there moves it to the front of the use, once") {
  SigningKeys keys(support::signing_key());
  const std::string first = keys.current().id;
  const std::string second = keys.rotate(dmq::testing::RsaKey::generate());
  CHECK(keys.current().id == second);
  CHECK(keys.rotate(support::signing_key()) == first);
  CHECK(keys.current().id == first);
  CHECK(support::Json(keys.jwks())["keys"].size() == 2);
  CHECK(keys.retire(second));
  CHECK_FALSE(keys.retire(second));
  CHECK(support::Json(keys.jwks())["keys"].size() == 1);
}
