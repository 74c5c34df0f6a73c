#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include <dmq/core/clock.hpp>
#include <dmq/testing/cloud_state.hpp>

#include "cloud_service.hpp"
#include "files.hpp"

/// False after an explanation on standard error. Where there is no file yet, nothing is loaded.
inline bool load_state(Host& host, const std::string& path) {
  const std::optional<std::string> text = read_file(path);
  if (!text && errno == ENOENT) return true;
  if (!text) {
    std::fprintf(stderr, "cannot read the state file %s: %s\n", path.c_str(), std::strerror(errno));
    return false;
  }
  const dmq::Instant now = dmq::instant(dmq::SystemClock());
  const auto loaded =
      host.with([&](dmq::testing::LocalCloud& cloud) { return dmq::testing::CloudState::load(cloud, *text, now); });
  if (!loaded) std::fprintf(stderr, "cannot use the state file %s: %s\n", path.c_str(), loaded.error().message.c_str());
  return loaded.has_value();
}

/// Keeps the queues of a cloud in a file: every two seconds when there were requests, and when asked to.
class StateFile {
 public:
  StateFile(Host& host, const CloudService& service, std::string path)
      : host_(host), service_(service), path_(std::move(path)), saver_([this](const std::stop_token& stop) {
          while (dmq::SystemClock().sleep_for(std::chrono::seconds(2), stop)) save_changes();
        }) {}

  /// False after an explanation on standard error: what the file held before is there still.
  bool save() {
    const std::lock_guard lock(mutex_);
    const std::uint64_t handled = service_.handled();
    const dmq::Instant now = dmq::instant(dmq::SystemClock());
    const std::string text =
        host_.with([&](const dmq::testing::LocalCloud& cloud) { return dmq::testing::CloudState::save(cloud, now); });
    if (text.size() > dmq::testing::CloudState::limit_bytes) {
      std::fprintf(stderr, "the queues are too large for the state file %s\n", path_.c_str());
      return false;
    }
    if (!replace_file(path_, text)) return false;
    handled_ = handled;
    return true;
  }

 private:
  void save_changes() {
    if (service_.handled() != handled_) save();
  }

  Host& host_;
  const CloudService& service_;
  const std::string path_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> handled_ = 0;  ///< Requests before the last save.
  std::jthread saver_;
};
