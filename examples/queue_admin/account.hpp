#pragma once

#include <dmq/dmq.hpp>

#include <chrono>
#include <string>
#include <utility>

using Sqs = dmq::QueueClient<>;

inline std::string url_of(Sqs& sqs, const std::string& name) {
  dmq::Result<std::string> url = sqs.get_queue_url(name);
  if (!url && dmq::sqs::is_missing_queue(url.error()))
    throw dmq::Exception(dmq::configuration_error("there is no queue " + name + " in this account and region"));
  return std::move(url).value();
}

/// A queue can be asked for a second after it was made; `patience` is how many of them to wait.
inline dmq::sqs::QueueDescription describe(Sqs& sqs, const std::string& url, int patience = 0) {
  for (;; --patience) {
    auto queue = sqs.get_queue_attributes(url);
    if (queue || patience == 0 || !dmq::sqs::is_missing_queue(queue.error())) return std::move(queue).value();
    dmq::SystemClock().sleep_for(std::chrono::seconds(1), {});
  }
}
