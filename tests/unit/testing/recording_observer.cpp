#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <dmq/testing/recording_observer.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Event;
using dmq::EventKind;
using dmq::Level;
using dmq::testing::ObservedEvent;
using dmq::testing::RecordingObserver;
using std::chrono::milliseconds;

TEST_CASE("a recorded event has all that the event had, and owns it") {
  const RecordingObserver observer;
  {
    const std::string operation = "publish", request_id = "r-1", group = "order-7", message_id = "m-1";
    const Error error{.kind = ErrorKind::throttled, .message = "slow down"};
    observer({.kind = EventKind::attempt_failed,
              .level = Level::warning,
              .at = dmq::WallTime(milliseconds(1)),
              .operation = operation,
              .attempt = 2,
              .duration = milliseconds(3),
              .request_id = request_id,
              .bytes_out = 4,
              .bytes_in = 5,
              .http_status = 429,
              .error = &error,
              .group = group,
              .message_id = message_id,
              .receive_count = 6,
              .count = 7});
  }
  REQUIRE(observer.events().size() == 1);
  const ObservedEvent event = observer.events().front();
  CHECK(event.kind == EventKind::attempt_failed);
  CHECK(event.level == Level::warning);
  CHECK(event.at == dmq::WallTime(milliseconds(1)));
  CHECK(event.operation == "publish");
  CHECK(event.attempt == 2);
  CHECK(event.duration == milliseconds(3));
  CHECK(event.request_id == "r-1");
  CHECK(event.bytes_out == 4);
  CHECK(event.bytes_in == 5);
  CHECK(event.http_status == 429);
  REQUIRE(event.error);
  CHECK(event.error->kind == ErrorKind::throttled);
  CHECK(event.error->message == "slow down");
  CHECK(event.group == "order-7");
  CHECK(event.message_id == "m-1");
  CHECK(event.receive_count == 6);
  CHECK(event.count == 7);
}

TEST_CASE("events are counted and given by kind, in order, until they are cleared") {
  const RecordingObserver observer;
  observer({.kind = EventKind::received, .count = 1});
  observer({.kind = EventKind::handled});
  observer({.kind = EventKind::received, .count = 2});
  CHECK(observer.count(EventKind::received) == 2);
  CHECK(observer.count(EventKind::handled) == 1);
  CHECK(observer.count(EventKind::released) == 0);
  const auto received = observer.events(EventKind::received);
  REQUIRE(received.size() == 2);
  CHECK(received[0].count == 1);
  CHECK(received[1].count == 2);
  CHECK_FALSE(received[0].error);
  observer.clear();
  CHECK(observer.events().empty());
  CHECK(observer.count(EventKind::received) == 0);
}

TEST_CASE("a wait ends with the event, long before its limit") {
  const RecordingObserver there, back;
  std::jthread echo([&] {
    for (std::size_t i = 1; i <= 100; ++i) {
      there.wait_for(EventKind::handled, i, std::chrono::hours(1));
      back({.kind = EventKind::acknowledged});
    }
  });
  for (std::size_t i = 1; i <= 100; ++i) {
    there({.kind = EventKind::handled});
    REQUIRE(back.wait_for(EventKind::acknowledged, i, std::chrono::hours(1)));
  }
}

TEST_CASE("copies share the record, whichever thread they are called on") {
  const RecordingObserver observer;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([copy = observer] {
      for (int k = 0; k < 100; ++k) copy({.kind = EventKind::acknowledged});
      copy({.kind = EventKind::extended});
    });
  CHECK(observer.wait_for(EventKind::extended, 4));
  CHECK(observer.count(EventKind::acknowledged) == 400);
  CHECK(observer.wait_for(EventKind::acknowledged, 400, milliseconds(0)));
}

TEST_CASE("a wait for what does not happen ends at its limit") {
  const RecordingObserver observer;
  observer({.kind = EventKind::retry});
  CHECK_FALSE(observer.wait_for(EventKind::retry, 2, milliseconds(1)));
  CHECK_FALSE(observer.wait_for(EventKind::failed, 1, milliseconds(0)));
  CHECK(observer.wait_for(EventKind::failed, 0, milliseconds(0)));
}
