#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <dmq/core/observer.hpp>

/// Counts events, by their kind and that of their error. Copies share the counts.
class Tally {
 public:
  void operator()(const dmq::Event& event) const noexcept {
    std::string name(event.operation);
    name.append(" ").append(dmq::to_string(event.kind));
    if (event.error != nullptr) name.append(" ").append(dmq::to_string(event.error->kind));
    const std::lock_guard lock(shared_->mutex);
    ++shared_->counts[name];
  }

  /// Of all events whose name ends so.
  std::uint64_t count(std::string_view end) const {
    std::uint64_t sum = 0;
    for (const auto& [name, count] : shared_->counts)
      if (name.ends_with(end)) sum += count;
    return sum;
  }
  void print() const {
    for (const auto& [name, count] : shared_->counts)
      std::printf("  %s: %llu\n", name.c_str(), static_cast<unsigned long long>(count));
  }

 private:
  struct Shared {
    std::mutex mutex;
    std::map<std::string, std::uint64_t> counts;
  };
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};
