#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <dmq/log_observer.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Event;
using dmq::EventKind;
using dmq::Level;
using dmq::LogObserver;

namespace {

Event event() {
  return {.kind = EventKind::attempt,
          .level = Level::info,
          .at = dmq::WallTime{std::chrono::milliseconds(1'767'225'600'123)},
          .operation = "publish"};
}

}  // namespace

TEST_CASE("a line has time, level, operation and what happened") {
  CHECK(LogObserver::format(event()) == "2026-01-01T00:00:00.123Z info publish attempt");
}

TEST_CASE("what an event knows more stands behind, in order") {
  Event e = event();
  e.kind = EventKind::attempt_failed;
  e.level = Level::warning;
  e.attempt = 2;
  e.duration = std::chrono::microseconds(12'340);
  e.http_status = 503;
  e.request_id = "abc";
  e.bytes_out = 10;
  e.bytes_in = 20;
  const Error error{.kind = ErrorKind::unavailable,
                    .delivery = dmq::DeliveryState::unknown,
                    .message = "down",
                    .http_status = 503,
                    .service_code = "Down",
                    .request_id = "abc",
                    .attempts = 2};
  e.error = &error;
  CHECK(LogObserver::format(e) ==
        "2026-01-01T00:00:00.123Z warning publish attempt_failed attempt=2 ms=12.3 status=503 request=abc out=10 in=20 "
        "unavailable (unknown): down [Down]");
}

TEST_CASE("the message that an event is about, and how many it tells of, stand before the error") {
  Event e = event();
  e.kind = EventKind::lease_lost;
  e.operation = "run";
  e.bytes_in = 1;
  e.group = "order\n7";
  e.message_id = "m-1\x1B";
  e.receive_count = 3;
  e.count = 2;
  const Error error{.kind = ErrorKind::lease_lost, .message = "gone"};
  e.error = &error;
  CHECK(LogObserver::format(e) ==
        "2026-01-01T00:00:00.123Z info run lease_lost in=1 group=order?7 id=m-1? received=3 count=2 "
        "lease_lost (not_sent): gone");
}

TEST_CASE("a poll that brought nothing says so") {
  Event e = event();
  e.kind = EventKind::received;
  CHECK(LogObserver::format(e).ends_with(" publish received count=0"));
}

TEST_CASE("durations are rounded to a tenth of a millisecond") {
  Event e = event();
  const auto ms = [&](std::chrono::nanoseconds duration) {
    e.duration = duration;
    const std::string line = LogObserver::format(e);
    return line.substr(line.find("ms=") + 3);
  };
  CHECK(ms(std::chrono::microseconds(60)) == "0.1");
  CHECK(ms(std::chrono::microseconds(49)) == "0.0");
  CHECK(ms(std::chrono::seconds(20)) == "20000.0");
  CHECK(ms(std::chrono::microseconds(-300)) == "0.0");
}

TEST_CASE("colour wraps the level and nothing else") {
  Event e = event();
  const auto line = [&](Level level) {
    e.level = level;
    return LogObserver::format(e, LogObserver::Colour::on).substr(24);
  };
  CHECK(line(Level::debug) == " \033[2mdebug\033[0m publish attempt");
  CHECK(line(Level::info) == " \033[36minfo\033[0m publish attempt");
  CHECK(line(Level::warning) == " \033[33mwarning\033[0m publish attempt");
  CHECK(line(Level::error) == " \033[31merror\033[0m publish attempt");
}

TEST_CASE("nothing a service sends breaks a line or steers the terminal") {
  Event e = event();
  const std::string hostile(
      "a\r\n\0\x1B[2J\x7F\xC2\x9B"
      "31m\xC2\x85\x9B\xFF\xC3\xA4",
      20);
  e.request_id = hostile;
  const Error error{.message = hostile, .service_code = hostile, .request_id = hostile};
  e.error = &error;
  const std::string line = LogObserver::format(e);
  CHECK(line.find("request=a????[2J??31m???\xC3\xA4 ") != std::string::npos);
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto c = static_cast<unsigned char>(line[i]);
    CHECK(c >= 0x20);
    CHECK(c != 0x7F);
    if (c == 0xC2) CHECK(static_cast<unsigned char>(line[i + 1]) >= 0xA0);
  }
}

TEST_CASE("events below the least level are not written") {
  std::vector<std::string> lines;
  const LogObserver observer([&](std::string_view line) { lines.emplace_back(line); }, Level::warning);
  Event e = event();
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    e.level = level;
    observer(e);
  }
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].find(" warning ") != std::string::npos);
  CHECK(lines[1].find(" error ") != std::string::npos);
}

TEST_CASE("copies share the sink") {
  int calls = 0;
  const LogObserver first([&calls](std::string_view) { ++calls; });
  const LogObserver second = first;
  first(event());
  second(event());
  CHECK(calls == 2);
}

TEST_CASE("what a sink throws is swallowed, and the next line is written") {
  int calls = 0;
  const LogObserver observer([&calls](std::string_view) {
    if (++calls == 1) throw std::runtime_error("disk full");
  });
  observer(event());
  observer(event());
  CHECK(calls == 2);
  const LogObserver without_sink{LogObserver::Sink()};
  without_sink(event());
}

TEST_CASE("a stream gets whole lines, without colour when it is no terminal") {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  const LogObserver observer(file);
  observer(event());
  observer(event());
  std::rewind(file);
  char text[256] = {};
  const std::size_t size = std::fread(text, 1, sizeof text - 1, file);
  std::fclose(file);
  const std::string line = "2026-01-01T00:00:00.123Z info publish attempt\n";
  CHECK(std::string(text, size) == line + line);
}
