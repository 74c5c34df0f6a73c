#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <dmq/core/observer.hpp>
#include <dmq/engine/claim.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Who a request is about, also when we do not hold the message any more.
struct Subject {
  std::string message_id{};
  std::string group{};
  int receive_count = 0;
};

inline Subject subject_of(const Held& held) {
  return {held.delivery->message_id, held.delivery->group, held.receive_count};
}

/// One message that is to be deleted.
struct DeleteOrder {
  std::uint64_t held = 0;
  std::string receipt_handle{};
};

/// One message whose visibility is to be changed.
struct ChangeOrder {
  std::uint64_t held = 0;  ///< 0: not ours any more.
  bool extends = false;    ///< Otherwise it is to be visible at a time.
  Subject subject{};
  std::string receipt_handle{};
  Ticks visible_at{};
  Ticks lease_until{};  ///< After that there is nothing to change.
  std::chrono::seconds visibility{};
};

/// An event of a run, for its observer.
struct Notice {
  EventKind kind{};
  Level level = Level::debug;
  Subject subject{};
  Duration duration{};
  std::size_t count = 0;
  std::optional<Error> error{};
};

}  // namespace dmq::inline DMQ_ABI::engine
