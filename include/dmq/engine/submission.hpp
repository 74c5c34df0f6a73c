#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

#include <dmq/engine/publication.hpp>
#include <dmq/publish_result.hpp>

namespace dmq::inline DMQ_ABI::engine {

struct Submission;
using Submissions = std::list<Submission>;

/// A publication of submit(), and whom to tell of its end.
struct Submission : Publication {
  /// Where it is; each place is a list of the machine.
  enum class Place {
    behind,  ///< Others of its group are before it.
    ready,   ///< The first of its group: the next request may carry it.
    shut,    ///< The first of its group, which has to wait for a lost message.
    out,     ///< In flight.
    ended,   ///< Not yet reported.
  };

  Submission(Message message, std::function<void(PublishResult)> tell) : done(std::move(tell)) {
    entry.message = std::move(message);
    submitted = true;
  }

  std::function<void(PublishResult)> done;
  Ticks deadline{};         ///< No attempt starts later,
  Ticks not_before{};       ///< nor before this, after it has failed.
  std::size_t bytes = 0;    ///< Counted towards the bounds.
  std::uint64_t epoch = 0;  ///< Which flush() waits for it.
  Place place = Place::behind;
  Submissions::iterator self{};
};

/// What the caller hears of an ended publication.
inline PublishResult to_result(Publication publication) {
  if (publication.fate == Publication::Fate::accepted) return std::move(publication.receipt);
  return PublishError{std::move(publication.error), std::move(publication.entry.message)};
}

}  // namespace dmq::inline DMQ_ABI::engine
