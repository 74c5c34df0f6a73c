#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <dmq/core/result.hpp>
#include <dmq/message.hpp>
#include <dmq/retry/policy.hpp>

namespace dmq::inline DMQ_ABI {

/// What submit() does when the producer holds as much as it may.
enum class WhenFull {
  wait,  ///< Until there is room, for at most the deadline; inside a callback, where nothing would make room, it fails.
  fail,  ///< At once, with kind full.
};

/// Of submit() alone.
struct SubmitSettings {
  std::size_t max_in_flight = 16;                   ///< Requests at once, at least 1.
  Duration linger{};                                ///< How long a batch that is not full may wait for more.
  std::size_t max_messages = 100'000;               ///< Held at once, reported or not yet.
  std::size_t max_bytes = std::size_t{256} << 20U;  ///< Their bodies and attributes.
  WhenFull when_full = WhenFull::wait;
};

/// How a producer publishes.
struct PublishSettings {
  Deduplication deduplication = Deduplication::id;
  retry::Policy retry{};
  Duration request_timeout = std::chrono::seconds(30);  ///< Of one attempt; the gateway itself takes up to 29 s.
  Duration deadline = std::chrono::seconds(120);        ///< Of one call or submitted message: no attempt starts later.
  std::size_t in_group_batch = 1;                       ///< 1 to 10 messages of one group in one request.
  std::function<std::string()> new_id{};                ///< Makes deduplication ids; see crypto/random_ids.hpp.
  SubmitSettings submit{};
};

/// invalid_argument when settings contradict each other or what the queue guarantees.
inline Result<void> check(const PublishSettings& settings) {
  using std::chrono::seconds;
  if (settings.in_group_batch < 1 || settings.in_group_batch > 10)
    return invalid_argument("in_group_batch must be 1 to 10");
  if (settings.retry.max_attempts < 1) return invalid_argument("max_attempts must be at least 1");
  if (settings.request_timeout <= Duration::zero() || settings.deadline <= Duration::zero())
    return invalid_argument("time limits must be above zero");
  if (settings.deadline > std::chrono::hours(24 * 365)) return invalid_argument("the deadline must be a year at most");
  if (std::min({settings.retry.base, settings.retry.throttled_base, settings.retry.cap}) < Duration::zero())
    return invalid_argument("the waits of the retry policy must not be negative");
  if (settings.submit.max_in_flight < 1 || settings.submit.max_messages < 1 || settings.submit.max_bytes < 1)
    return invalid_argument("max_in_flight, max_messages and max_bytes must be at least 1");
  if (settings.submit.linger < Duration::zero() || settings.submit.linger >= settings.deadline)
    return invalid_argument("linger must be at least 0 and below the deadline");
  if (settings.request_timeout > seconds(250))
    return invalid_argument(
        "a request_timeout above 250 s leaves no time to repeat within the deduplication window "
        "of 300 s");
  if (settings.deduplication == Deduplication::id && !settings.new_id)
    return invalid_argument("new_id is missing: it makes the deduplication ids");
  return {};
}

}  // namespace dmq::inline DMQ_ABI
