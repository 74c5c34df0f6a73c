#include <doctest/doctest.h>

#include <barrier>
#include <chrono>
#include <cstdint>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <dmq/metrics/series_table.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::metrics::Series;
using dmq::metrics::SeriesTable;
using std::chrono::milliseconds;

TEST_CASE("each operation has a series for its successes and one for each kind of error") {
  SeriesTable table;
  const Error timeout{.kind = ErrorKind::timeout}, other_timeout{.kind = ErrorKind::timeout, .message = "again"};
  table.add("publish", &timeout, milliseconds(1), 0);
  table.add("publish", nullptr, milliseconds(2), 10);
  table.add("ReceiveMessage", nullptr, milliseconds(4), 3);
  table.add("publish", nullptr, milliseconds(8), 1);
  table.add("publish", &other_timeout, milliseconds(16), 2);
  const std::vector<Series> all = table.read();
  REQUIRE(all.size() == 3);
  CHECK(all[0].operation == "ReceiveMessage");
  CHECK_FALSE(all[0].error);
  CHECK(all[0].messages == 3);
  CHECK(all[0].duration.sum == milliseconds(4));
  CHECK(all[1].operation == "publish");
  CHECK_FALSE(all[1].error);
  CHECK(all[1].messages == 11);
  CHECK(all[1].duration.count() == 2);
  CHECK(all[1].duration.sum == milliseconds(10));
  CHECK(all[2].operation == "publish");
  CHECK(all[2].error == ErrorKind::timeout);
  CHECK(all[2].messages == 2);
  CHECK(all[2].duration.sum == milliseconds(17));
}

TEST_CASE("names beyond the bound share a series, and those that came before go on") {
  SeriesTable table;
  const Error error{.kind = ErrorKind::network};
  for (std::size_t i = 0; i < SeriesTable::most + 100; ++i) table.add(std::to_string(i), nullptr, milliseconds(1), 1);
  table.add("0", nullptr, milliseconds(1), 1);
  table.add("0", &error, milliseconds(1), 1);
  table.add("1000", &error, milliseconds(1), 1);
  const std::vector<Series> all = table.read();
  CHECK(all.size() == SeriesTable::most + 2);
  std::uint64_t messages = 0;
  for (const Series& series : all) {
    messages += series.messages;
    if (series.operation == "0") CHECK(series.messages == 2);
    if (series.operation == SeriesTable::other) CHECK(series.messages == (series.error ? 2 : 100));
  }
  CHECK(messages == SeriesTable::most + 103);
}

TEST_CASE("threads that make the same series at once make it once") {
  constexpr int threads = 4, tables = 200;
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) names.push_back(std::to_string(i));
  std::vector<SeriesTable> all(tables);
  std::barrier together(threads);
  {
    std::vector<std::jthread> adding;
    for (int t = 0; t < threads; ++t)
      adding.emplace_back([&] {
        for (SeriesTable& table : all) {
          together.arrive_and_wait();
          for (const std::string& name : names) table.add(name, nullptr, milliseconds(1), 1);
        }
      });
  }
  for (const SeriesTable& table : all) {
    const std::vector<Series> series = table.read();
    REQUIRE(series.size() == names.size());
    for (const Series& one : series) REQUIRE(one.messages == threads);
  }
}

TEST_CASE("no addition is lost, and what is read meanwhile only grows") {
  SeriesTable table;
  constexpr int threads = 4, rounds = 20'000;
  const Error error{.kind = ErrorKind::throttled};
  std::latch together(threads + 1);
  {
    std::vector<std::jthread> adding;
    for (int t = 0; t < threads; ++t)
      adding.emplace_back([&] {
        together.arrive_and_wait();
        for (int i = 0; i < rounds; ++i) table.add("a", i % 2 == 0 ? nullptr : &error, milliseconds(1), 1);
      });
    together.arrive_and_wait();
    std::uint64_t before = 0;
    for (int i = 0; i < 50; ++i) {
      std::uint64_t now = 0;
      for (const Series& series : table.read()) now += series.messages;
      CHECK(now >= before);
      before = now;
    }
  }
  for (const Series& series : table.read()) {
    CHECK(series.messages == threads * rounds / 2);
    CHECK(series.duration.count() == threads * rounds / 2);
    CHECK(series.duration.sum == threads * rounds / 2 * milliseconds(1));
  }
}
