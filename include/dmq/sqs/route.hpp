#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/http/message.hpp>
#include <dmq/message.hpp>

namespace dmq::inline DMQ_ABI {

/// A message on its way, and the deduplication id it keeps over every retry (empty: none is sent).
struct Entry {
  Message message{};
  std::string deduplication_id{};
};

/// Entries of one request, in order.
using EntryBatch = std::span<const Entry* const>;

/// Where messages are published to. To write one, give a type
/// - `name()`: for logs, "publish";
/// - `max_batch()`: how many entries one request carries, at least 1;
/// - `check(entry)`: invalid_argument when this route can't carry the entry at all;
/// - `build(batch)`: the request; the caller adds authorisation and the time limit;
/// - `parse(response, batch)`: one result for each entry, in order. Only a message id together with the right MD5 of
///   the body is acceptance.
/// All are pure and called concurrently.
template <class R>
concept Route = std::move_constructible<R> &&
                requires(const R& route, const Entry& entry, EntryBatch batch, const http::Response& response) {
                  { route.name() } -> std::convertible_to<std::string_view>;
                  { route.max_batch() } -> std::convertible_to<std::size_t>;
                  { route.check(entry) } -> std::same_as<Result<void>>;
                  { route.build(batch) } -> std::same_as<Result<http::Request>>;
                  { route.parse(response, batch) } -> std::same_as<std::vector<Result<Receipt>>>;
                };

}  // namespace dmq::inline DMQ_ABI
