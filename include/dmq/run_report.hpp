#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <dmq/core/error.hpp>
#include <dmq/delivery.hpp>

namespace dmq::inline DMQ_ABI {

/// A message that Consumer::run was not done with when it came back.
struct Unfinished {
  std::string message_id{};
  std::string group{};
  Fence fence{};
};

/// What Consumer::run has done.
struct [[nodiscard]] RunReport {
  std::optional<Error> error{};  ///< What ended it, when that was not its stop token.
  std::uint64_t received = 0;
  std::uint64_t handled = 0;    ///< Done, and deleted.
  std::uint64_t discarded = 0;  ///< Deleted by a handler's wish.
  std::uint64_t retried = 0;    ///< Given back, to come again.
  std::uint64_t lost = 0;       ///< Leases that ended before the message was done.

  std::vector<Unfinished> released{};     ///< Given back at the end, unhandled: visible to others at once, or if
                                          ///< that could not be asked for, when their leases are over.
  std::vector<Unfinished> unconfirmed{};  ///< Handled, and their delete went unanswered: they may come again.
  std::vector<Unfinished> abandoned{};    ///< Their handlers had not returned by the stop deadline.
};

}  // namespace dmq::inline DMQ_ABI
