#include <doctest/doctest.h>

#include <set>

#include <dmq/core/observer.hpp>

using dmq::EventKind;
using dmq::Level;

TEST_CASE("each kind of event and each level has a name of its own") {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(EventKind::forgotten); ++kind)
    names.insert(dmq::to_string(static_cast<EventKind>(kind)));
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error})
    names.insert(dmq::to_string(level));
  CHECK(names.size() == static_cast<std::size_t>(EventKind::forgotten) + 1 + 4);
  CHECK_FALSE(names.contains("unknown"));
}

TEST_CASE("an observer is called with what happened") {
  int attempts = 0;
  const auto count = [&attempts](const dmq::Event& event) noexcept { attempts += event.attempt; };
  static_assert(dmq::Observer<decltype(count)>);
  count({.kind = EventKind::retry, .operation = "publish", .attempt = 2});
  CHECK(attempts == 2);
  dmq::NoObserver()({});
}
