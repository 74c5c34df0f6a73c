#include <doctest/doctest.h>

#include <ostream>
#include <string>

#include <dmq/core/secret.hpp>

using dmq::Secret;

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Printable<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>, "becoming a secret is said aloud");
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);

TEST_CASE("a secret reveals the text it was made of, a NUL in it too") {
  const std::string text("se\0cret", 7);
  CHECK(Secret(text).reveal() == text);
  CHECK_FALSE(Secret(text).empty());
}

TEST_CASE("a secret of nothing is empty") {
  CHECK(Secret().empty());
  CHECK(Secret().reveal().empty());
  CHECK(Secret("").empty());
  CHECK(Secret(std::string_view()).empty());
  CHECK(Secret(Secret()).empty());
}

TEST_CASE("a copy is its own memory") {
  const Secret first("password");
  const Secret second = first;
  CHECK(second.reveal() == "password");
  CHECK(second.reveal().data() != first.reveal().data());
}

TEST_CASE("a moved-from secret is empty") {
  Secret first("password");
  Secret second = std::move(first);
  CHECK(first.empty());
  CHECK(first.reveal().empty());
  CHECK(second.reveal() == "password");
  first = std::move(second);
  CHECK(second.empty());
  CHECK(first.reveal() == "password");
}

TEST_CASE("a secret survives assignment to itself") {
  Secret secret("password");
  Secret& same = secret;
  secret = same;
  CHECK(secret.reveal() == "password");
  secret = std::move(same);
  CHECK(secret.reveal() == "password");
}

TEST_CASE("wiping overwrites every byte and no other") {
  std::string memory = "password!";
  Secret::wipe(memory.data(), 8);
  CHECK(memory == std::string(8, '\0') + "!");
  Secret::wipe(nullptr, 0);
}

TEST_CASE("secrets are equal when every byte is") {
  CHECK(Secret("same") == Secret("same"));
  CHECK(Secret() == Secret(""));
  CHECK(Secret("same") != Secret("samf"));
  CHECK(Secret("same") != Secret("Same"));
  CHECK(Secret("same") != Secret("sam"));
  CHECK(Secret("\xff") != Secret("\x7f"));
}
