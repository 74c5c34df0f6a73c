#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <dmq/core/result.hpp>
#include <dmq/message_rules.hpp>

namespace dmq::inline DMQ_ABI {

/// How a consumer takes messages.
struct ConsumeSettings {
  std::string queue_url{};
  std::chrono::seconds visibility{30};    ///< The lease of what is received: 0 s to 12 h.
  std::function<std::string()> new_id{};  ///< Makes receive attempt ids; see crypto/random_ids.hpp.

  QueueType queue_type() const { return queue_url.ends_with(".fifo") ? QueueType::fifo : QueueType::standard; }
};

/// The same ids for callers on any number of threads; copies share them.
inline std::function<std::string()> share_ids(std::function<std::string()> new_id) {
  struct Shared {
    explicit Shared(std::function<std::string()> next) : new_id(std::move(next)) {}
    std::mutex mutex;
    std::function<std::string()> new_id;
  };
  return [shared = std::make_shared<Shared>(std::move(new_id))] {
    const std::lock_guard lock(shared->mutex);
    return shared->new_id();
  };
}

/// One receive.
struct ReceiveOptions {
  int max_messages = 10;          ///< 1 to 10.
  std::chrono::seconds wait{20};  ///< How long the queue may wait for a first message: 0 to 20 s.
};

inline constexpr std::chrono::seconds max_visibility = std::chrono::hours(12);

inline Result<void> check_visibility(const char* what, std::chrono::seconds visibility) {
  if (visibility.count() >= 0 && visibility <= max_visibility) return {};
  return invalid_argument(std::string(what) + " must be 0 to 43200 s, not " + std::to_string(visibility.count()));
}

/// invalid_argument when settings are out of range.
inline Result<void> check(const ConsumeSettings& settings) {
  if (settings.queue_url.empty()) return invalid_argument("queue_url is empty");
  if (!settings.new_id) return invalid_argument("new_id is missing: it makes the receive attempt ids");
  return check_visibility("visibility", settings.visibility);
}

inline Result<void> check(const ReceiveOptions& options) {
  if (options.max_messages < 1 || options.max_messages > 10)
    return invalid_argument("max_messages must be 1 to 10, not " + std::to_string(options.max_messages));
  if (options.wait.count() < 0 || options.wait.count() > 20)
    return invalid_argument("wait must be 0 to 20 s, not " + std::to_string(options.wait.count()));
  return {};
}

}  // namespace dmq::inline DMQ_ABI
