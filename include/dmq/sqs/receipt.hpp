#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/ascii.hpp>
#include <dmq/http/message.hpp>
#include <dmq/json/document.hpp>
#include <dmq/sqs/attribute_hash.hpp>
#include <dmq/sqs/route.hpp>
#include <dmq/sqs/service_error.hpp>

/// Proof of acceptance: what turns an answer to a send into receipts.
namespace dmq::inline DMQ_ABI::sqs {

/// Accepts only a message id together with the MD5 of what was sent; a missing one makes the fate unknown, a wrong one
/// is an integrity error, never retried.
inline Result<Receipt> read_receipt(const http::Response& response, json::Value result, const Entry& entry) {
  const auto id = result["MessageId"].string();
  const auto md5 = result["MD5OfMessageBody"].string();
  if (!id || id->empty() || !md5) return unusable_answer(response, "it holds no message id with an MD5");
  const auto check = [&](const char* what, bool differs) -> Result<void> {
    if (!differs) return {};
    return Error{.kind = ErrorKind::integrity,
                 .delivery = DeliveryState::unknown,
                 .message = std::string("the queue took message ").append(detail::excerpt(*id)) +
                            ", but the MD5 of its " + what +
                            " is not that of what was sent: something on the way changes messages",
                 .http_status = response.status,
                 .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
  };
  if (Result<void> ok = check("body", body_differs(entry.message.body, *md5)); !ok) return std::move(ok).error();
  if (!entry.message.attributes.empty())
    if (Result<void> ok =
            check("attributes",
                  attributes_differ(entry.message.attributes, result["MD5OfMessageAttributes"].string().value_or("")));
        !ok)
      return std::move(ok).error();
  return Receipt{.message_id = std::string(*id),
                 .sequence_number = std::string(result["SequenceNumber"].string().value_or("")),
                 .deduplication_id = entry.deduplication_id};
}

/// A failed entry of a batch: {"Id", "SenderFault", "Code", "Message"}.
inline Error read_failed_entry(const http::Response& response, json::Value failed) {
  Error error = to_error({.code = failed["Code"].string().value_or(""),
                          .text = failed["Message"].string().value_or(""),
                          .senders = failed["SenderFault"].boolean().value_or(true)});
  error.http_status = response.status;
  error.request_id = response.headers.get("x-amzn-RequestId");
  return error;
}

/// The place that an entry's Id stands for; nothing when it is not one that write_entries() gave.
inline std::optional<std::size_t> entry_index(json::Value entry, std::size_t count) {
  const std::string_view id = entry["Id"].string().value_or("");
  const auto index = encoding::parse_number<std::size_t>(id);
  if (!index || *index >= count || (id.size() > 1 && id.front() == '0')) return std::nullopt;
  return index;
}

/// One result for each of `count` entries of a batch, those that succeeded read by `read(entry, index)`. An entry that
/// the answer does not name, or names twice, is unknown.
template <class T, class Read>
std::vector<Result<T>> read_batch(const http::Response& response, json::Value root, std::size_t count, Read read) {
  std::vector<std::optional<Result<T>>> named(count);
  std::vector<bool> repeated(count);
  const auto settle = [&](std::size_t index, Result<T> result) {
    repeated[index] = named[index].has_value();
    named[index] = std::move(result);
  };
  for (const json::Value entry : root["Successful"])
    if (const auto index = entry_index(entry, count)) settle(*index, read(entry, *index));
  for (const json::Value entry : root["Failed"])
    if (const auto index = entry_index(entry, count)) settle(*index, read_failed_entry(response, entry));
  std::vector<Result<T>> results;
  results.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (named[i] && !repeated[i])
      results.push_back(*std::move(named[i]));
    else
      results.push_back(unusable_answer(response, "it does not say what became of this entry"));
  }
  return results;
}

inline std::vector<Result<Receipt>> read_receipts(const http::Response& response, json::Value root, EntryBatch batch) {
  return read_batch<Receipt>(response, root, batch.size(), [&](json::Value entry, std::size_t index) {
    return read_receipt(response, entry, *batch[index]);
  });
}

}  // namespace dmq::inline DMQ_ABI::sqs
