#pragma once

#include <optional>
#include <string>
#include <string_view>
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
  const auto check = [&](const char* what, const std::optional<std::string>& ours,
                         std::string_view theirs) -> Result<void> {
    if (!ours || encoding::equal_ignoring_case(*ours, theirs)) return {};
    return Error{.kind = ErrorKind::integrity,
                 .delivery = DeliveryState::unknown,
                 .message = std::string("the queue took message ") + std::string(*id) + ", but the MD5 of its " + what +
                            " is not that of what was sent: something on the way changes messages",
                 .http_status = response.status,
                 .request_id = std::string(response.headers.get("x-amzn-RequestId"))};
  };
  if (Result<void> ok = check("body", body_md5(entry.message.body), *md5); !ok) return std::move(ok).error();
  if (!entry.message.attributes.empty())
    if (Result<void> ok = check("attributes", attributes_md5(entry.message.attributes),
                                result["MD5OfMessageAttributes"].string().value_or(""));
        !ok)
      return std::move(ok).error();
  return Receipt{.message_id = std::string(*id),
                 .sequence_number = std::string(result["SequenceNumber"].string().value_or("")),
                 .deduplication_id = entry.deduplication_id};
}

/// A failed entry of a batch: {"Id", "SenderFault", "Code", "Message"}.
inline Error read_failed_entry(json::Value failed) {
  return to_error({.code = failed["Code"].string().value_or(""),
                   .text = failed["Message"].string().value_or(""),
                   .senders = failed["SenderFault"].boolean().value_or(true)});
}

/// The place that an entry's Id stands for.
inline std::optional<std::size_t> entry_index(json::Value entry, std::size_t count) {
  const auto index = encoding::parse_number<std::size_t>(entry["Id"].string().value_or(""));
  return index && *index < count ? index : std::nullopt;
}

/// One result for each entry of a batch: an entry that the answer does not name, or names twice, is unknown.
inline std::vector<Result<Receipt>> read_receipts(const http::Response& response, json::Value root, EntryBatch batch) {
  const Error unnamed = unusable_answer(response, "it does not say what became of this entry");
  std::vector<Result<Receipt>> results(batch.size(), unnamed);
  std::vector<bool> named(batch.size());
  const auto settle = [&](std::size_t index, Result<Receipt> result) {
    results[index] = named[index] ? Result<Receipt>(unnamed) : std::move(result);
    named[index] = true;
  };
  for (const json::Value entry : root["Successful"])
    if (const auto index = entry_index(entry, batch.size()))
      settle(*index, read_receipt(response, entry, *batch[*index]));
  for (const json::Value entry : root["Failed"])
    if (const auto index = entry_index(entry, batch.size())) {
      Error error = read_failed_entry(entry);
      error.http_status = response.status;
      error.request_id = response.headers.get("x-amzn-RequestId");
      settle(*index, std::move(error));
    }
  return results;
}

}  // namespace dmq::inline DMQ_ABI::sqs
