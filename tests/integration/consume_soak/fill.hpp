#pragma once

#include <chrono>
#include <cstdio>

#include <dmq/dmq.hpp>

#include "../soak/load.hpp"

/// Sends all messages of a load to the queue of the environment, each group's in order. Whether all are accepted.
inline bool fill(const Load& load) {
  auto options = dmq::QueueOptions::from_env().value();
  options.publish.request_timeout = std::chrono::seconds(2);
  auto producer = dmq::make_producer(options).value();
  for (Name name; name.number < load.size_of(0); ++name.number)
    for (name.group = 0; name.group < load.groups; ++name.group) {
      if (name.number >= load.size_of(name.group)) continue;
      const auto taken =
          producer.submit({.body = name.body(), .group = name.group_id()}, [](const dmq::PublishResult& result) {
            if (!result) std::fprintf(stderr, "not sent: %s\n", result.error().describe().c_str());
          });
      if (!taken) std::fprintf(stderr, "not sent: %s\n", taken.error().describe().c_str());
      if (!taken) return false;
    }
  return producer.close(std::chrono::minutes(10)).accepted == static_cast<std::uint64_t>(load.messages);
}
