#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI {

/// Why a message was not accepted, and the message.
struct PublishError : Error {
  Message returned{};
};

using PublishResult = Result<Receipt, PublishError>;

/// What became of one message that close() found unreported.
struct LedgerEntry {
  std::string group{};
  std::string deduplication_id{};
  std::string message_id{};          ///< When it was accepted.
  std::optional<ErrorKind> error{};  ///< When it was not.
  DeliveryState delivery = DeliveryState::not_sent;
};

/// What became of all messages that a producer took in. Those that publish or submit refused at the door do not count.
struct Ledger {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t unknown = 0;
  std::uint64_t not_sent = 0;
  std::vector<LedgerEntry> unreported{};  ///< Those for which close() had to wait, or could not; in order of their end.

  using Count = std::uint64_t Ledger::*;

  std::uint64_t total() const noexcept { return accepted + rejected + unknown + not_sent; }
};

}  // namespace dmq::inline DMQ_ABI
