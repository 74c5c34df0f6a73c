#pragma once

#include <concepts>
#include <string>
#include <utility>

#include <dmq/engine/publication.hpp>
#include <dmq/message_rules.hpp>
#include <dmq/publish_settings.hpp>

namespace dmq::inline DMQ_ABI::engine {

namespace detail {
inline bool is_sent_again(const Message& message, Deduplication deduplication) {
  if (!message.first_sent || deduplication == Deduplication::none) return false;
  return deduplication == Deduplication::content || !message.deduplication_id.empty();
}
}  // namespace detail

/// Readies a publication for its lane: checks its message, by the rules of the queue and of the route, and fixes its
/// deduplication id, which `new_id` makes when the message has none. What can't be sent has failed afterwards,
/// not_sent.
template <Route R, std::invocable NewId>
void prepare(Publication& p, const R& route, const PublishSettings& settings, NewId new_id) {
  const QueueType type = settings.deduplication == Deduplication::none ? QueueType::standard : QueueType::fifo;
  if (Result<void> ok = validate(p.entry.message, type); !ok) return p.fail(std::move(ok).error());
  if (settings.deduplication == Deduplication::id) {
    p.entry.deduplication_id = p.entry.message.deduplication_id;
    if (p.entry.deduplication_id.empty()) {
      Result<std::string> id = new_id();
      if (!id) return p.fail(std::move(id).error());
      p.entry.deduplication_id = *std::move(id);
    }
  } else if (!p.entry.message.deduplication_id.empty()) {
    return p.fail(invalid_argument("the message has a deduplication id, which this producer is set not to send"));
  }
  if (Result<void> ok = route.check(p.entry); !ok) return p.fail(std::move(ok).error());
  if (!detail::is_sent_again(p.entry.message, settings.deduplication)) return;
  p.first_byte = p.entry.message.first_sent;
  p.worst = DeliveryState::unknown;
  p.alone = true;
}

}  // namespace dmq::inline DMQ_ABI::engine
