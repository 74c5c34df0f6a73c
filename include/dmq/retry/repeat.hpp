#pragma once

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::retry {

/// Whether an operation may be sent again after an attempt of which nobody knows what it did.
enum class Repeat {
  never,                        ///< A repeat could do it twice.
  always,                       ///< Doing it twice is doing it once.
  within_deduplication_window,  ///< The queue recognises a repeat, for a while: see DeduplicationClock.
};

}  // namespace dmq::inline DMQ_ABI::retry
