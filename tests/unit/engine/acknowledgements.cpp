#include <doctest/doctest.h>

#include <string>

#include <dmq/engine/acknowledgements.hpp>

using dmq::engine::Acknowledgements;

TEST_CASE("finished messages are remembered until their delete is confirmed") {
  Acknowledgements memory;
  CHECK_FALSE(memory.contains("a"));
  CHECK_FALSE(memory.insert("a"));
  CHECK_FALSE(memory.insert("a"));
  CHECK(memory.contains("a"));
  CHECK(memory.size() == 1);
  memory.erase("b");
  memory.erase("a");
  CHECK_FALSE(memory.contains("a"));
  CHECK(memory.size() == 0);
}

TEST_CASE("when too many are remembered the oldest is forgotten, and told") {
  Acknowledgements memory(3);
  for (const char* id : {"a", "b", "c"}) CHECK_FALSE(memory.insert(id));
  memory.erase("b");
  CHECK_FALSE(memory.insert("d"));
  CHECK(memory.insert("e") == "a");
  CHECK(memory.insert("f") == "c");
  CHECK(memory.size() == 3);
  for (const char* id : {"d", "e", "f"}) CHECK(memory.contains(id));
}

TEST_CASE("ten thousand finished messages are remembered") {
  Acknowledgements memory;
  for (int i = 0; i < 10'000; ++i) REQUIRE_FALSE(memory.insert(std::to_string(i)));
  CHECK(memory.insert("one more") == "0");
  CHECK(memory.size() == 10'000);
}
