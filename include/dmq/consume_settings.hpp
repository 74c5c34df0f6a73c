#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <dmq/core/clock.hpp>
#include <dmq/core/result.hpp>
#include <dmq/message_rules.hpp>

namespace dmq::inline DMQ_ABI {

inline constexpr std::chrono::seconds max_visibility = std::chrono::hours(12);

/// How Consumer::run ends its long poll.
enum class StopPoll {
  abort,  ///< At once. What the queue had already handed out is asked for again and given back (FIFO queues).
  drain,  ///< When it is answered, which takes up to the wait.
};

/// Of Consumer::run alone.
struct RunSettings {
  std::size_t workers = 8;                  ///< Handlers at once, at least 1.
  std::size_t max_held = 0;                 ///< Messages taken and not yet done; 0: ten for each worker.
  int max_per_receive = 10;                 ///< 1 to 10. With 1 nothing is taken from behind a message that fails.
  int max_receive_count = 0;                ///< Of the queue's redrive policy, to be checked; 0: not known.
  std::chrono::seconds wait{20};            ///< Of a long poll: 1 to 20 s.
  Duration heartbeat{};                     ///< Between two extensions of a lease; 0: two fifths of the visibility.
  Duration handler_limit = max_visibility;  ///< A lease is extended for so long after its handler began.
  Duration retry_base = std::chrono::seconds(1);  ///< The back-off of a failed message doubles from here with each
  Duration retry_cap = std::chrono::minutes(5);   ///< time it was received, up to here; a random part of it is waited.
  Duration grace = std::chrono::seconds(2);  ///< What was taken behind a failed message is kept so long for its return.
  Duration stop_deadline = std::chrono::seconds(30);  ///< How long a stop waits for running handlers.
  StopPoll stop_poll = StopPoll::abort;
  bool pipelined = false;  ///< The next of a group begins before the delete of the one before is confirmed.
};

/// How a consumer takes messages.
struct ConsumeSettings {
  std::string queue_url{};
  std::chrono::seconds visibility{30};                  ///< The lease of what is received: 0 s to 12 h.
  std::function<std::string()> new_id{};                ///< Makes receive attempt ids; see crypto/random_ids.hpp.
  Duration request_timeout = std::chrono::seconds(30);  ///< Of a request of run(), above its wait.
  RunSettings run{};

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

inline Result<void> check_visibility(const char* what, std::chrono::seconds visibility) {
  if (visibility.count() >= 0 && visibility <= max_visibility) return {};
  return invalid_argument(std::string(what) + " must be 0 to 43200 s, not " + std::to_string(visibility.count()));
}

namespace detail {
inline std::string in_seconds(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (ms % 1000 == 0) return std::to_string(ms / 1000) + " s";
  return std::to_string(ms) + " ms";
}

inline Result<void> check_counts(const ConsumeSettings& settings) {
  const RunSettings& run = settings.run;
  if (run.workers < 1) return invalid_argument("workers must be at least 1");
  if (run.max_per_receive < 1 || run.max_per_receive > 10)
    return invalid_argument("max_per_receive must be 1 to 10, not " + std::to_string(run.max_per_receive));
  if (run.max_receive_count < 0 || run.max_receive_count > 1000)
    return invalid_argument("max_receive_count must be 1 to 1000, or 0 where it is not known, not " +
                            std::to_string(run.max_receive_count));
  if (run.max_receive_count == 1 && run.max_per_receive > 1 && settings.queue_type() == QueueType::fifo)
    return invalid_argument("max_receive_count is 1, and max_per_receive " + std::to_string(run.max_per_receive) +
                            ": with one message that fails, those received behind it would go to the dead-letter "
                            "queue unhandled; allow 2 receives, or set max_per_receive to 1");
  return {};
}

inline Result<void> check_times(const ConsumeSettings& settings) {
  const RunSettings& run = settings.run;
  if (run.wait.count() < 1 || run.wait.count() > 20)
    return invalid_argument("wait is " + in_seconds(run.wait) +
                            ", and must be 1 to 20 s: polls that do not wait cost a request each, without end");
  if (settings.request_timeout <= run.wait)
    return invalid_argument("request_timeout is " + in_seconds(settings.request_timeout) +
                            ", and must be above the wait of a poll, " + in_seconds(run.wait));
  if (settings.request_timeout > std::chrono::hours(1))
    return invalid_argument("request_timeout must be 1 h at most, not " + in_seconds(settings.request_timeout));
  if (run.heartbeat < Duration::zero() || (run.heartbeat > Duration::zero() && run.heartbeat >= settings.visibility))
    return invalid_argument("heartbeat is " + in_seconds(run.heartbeat) +
                            ", and must be below the visibility that it extends, " + in_seconds(settings.visibility));
  if (run.handler_limit <= Duration::zero() || run.handler_limit > max_visibility)
    return invalid_argument("handler_limit is " + in_seconds(run.handler_limit) +
                            ", and must be above 0 and at most 12 h, the longest that SQS hides a message");
  if (run.retry_base < Duration::zero() || run.retry_cap < run.retry_base || run.retry_cap > std::chrono::hours(11))
    return invalid_argument("retry_base must be at least 0, and retry_cap between it and 11 h; they are " +
                            in_seconds(run.retry_base) + " and " + in_seconds(run.retry_cap));
  if (run.grace < std::chrono::seconds(1) || run.grace > std::chrono::minutes(10))
    return invalid_argument("grace must be 1 s to 10 min, not " + in_seconds(run.grace));
  if (run.stop_deadline < Duration::zero() || run.stop_deadline > max_visibility)
    return invalid_argument("stop_deadline must be 0 to 12 h, not " + in_seconds(run.stop_deadline));
  return {};
}
}  // namespace detail

/// invalid_argument when settings are out of range or contradict each other, with the numbers.
inline Result<void> check(const ConsumeSettings& settings) {
  if (settings.queue_url.empty()) return invalid_argument("queue_url is empty");
  if (!settings.new_id) return invalid_argument("new_id is missing: it makes the receive attempt ids");
  if (Result<void> ok = detail::check_counts(settings); !ok) return ok;
  if (Result<void> ok = check_visibility("visibility", settings.visibility); !ok) return ok;
  return detail::check_times(settings);
}

/// The same for Consumer::run, which has to keep leases.
inline Result<void> check_run(const ConsumeSettings& settings) {
  if (Result<void> ok = check(settings); !ok) return ok;
  if (settings.visibility >= std::chrono::seconds(5)) return {};
  return invalid_argument("visibility is " + detail::in_seconds(settings.visibility) +
                          ", and run() needs at least 5 s to keep a lease");
}

inline Result<void> check(const ReceiveOptions& options) {
  if (options.max_messages < 1 || options.max_messages > 10)
    return invalid_argument("max_messages must be 1 to 10, not " + std::to_string(options.max_messages));
  if (options.wait.count() < 0 || options.wait.count() > 20)
    return invalid_argument("wait must be 0 to 20 s, not " + std::to_string(options.wait.count()));
  return {};
}

}  // namespace dmq::inline DMQ_ABI
