#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>

#include <dmq/metrics_observer.hpp>
#include <support/counting_new.hpp>

using dmq::EventKind;

TEST_CASE("an event of a kind that has come before is counted without an allocation") {
  const dmq::MetricsObserver observer("orders.fifo");
  const dmq::Error error{.kind = dmq::ErrorKind::throttled};
  const auto tell_all = [&] {
    for (const char* operation : {"publish", "ReceiveMessage", "ChangeMessageVisibilityBatch", "token"})
      for (int kind = 0; kind <= static_cast<int>(EventKind::forgotten); ++kind)
        for (const dmq::Error* how : {static_cast<const dmq::Error*>(nullptr), &error})
          observer({.kind = static_cast<EventKind>(kind),
                    .operation = operation,
                    .duration = std::chrono::milliseconds(kind),
                    .error = how,
                    .count = 3});
  };
  tell_all();
  const std::size_t before = support::allocations;
  tell_all();
  CHECK(support::allocations == before);
  CHECK(before > 0);
  CHECK(observer.snapshot().sent_messages > 0);
}
