#include <doctest/doctest.h>

#include <string>

#include <dmq/core/observers.hpp>

using dmq::Event;
using dmq::EventKind;

TEST_CASE("each event goes to all observers, in their order") {
  std::string told;
  const auto first = [&](const Event& event) noexcept { told += "first " + std::string(to_string(event.kind)) + ' '; };
  const auto second = [&](const Event& event) noexcept {
    told += "second " + std::string(to_string(event.kind)) + ' ';
  };
  const auto both = dmq::observers(first, dmq::NoObserver(), second);
  static_assert(dmq::Observer<decltype(both)>);
  both({.kind = EventKind::retry});
  both({.kind = EventKind::failed});
  CHECK(told == "first retry second retry first failed second failed ");
}

TEST_CASE("no observer at all is one too") {
  const auto none = dmq::observers();
  static_assert(dmq::Observer<decltype(none)>);
  none({.kind = EventKind::retry});
}
