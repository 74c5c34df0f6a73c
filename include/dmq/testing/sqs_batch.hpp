#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/json/document.hpp>
#include <dmq/testing/sqs_error.hpp>
#include <dmq/testing/sqs_parameters.hpp>

namespace dmq::inline DMQ_ABI::testing {

struct BatchEntry {
  std::string id{};
  json::Value value{};
};

/// The entries of a batch, which is refused as a whole when there are none or too many, or the ids are not right.
/// `entry_type` is SQS's name for one, as it stands in the message.
inline SqsResult<std::vector<BatchEntry>> read_batch(json::Value list, std::string_view entry_type) {
  std::vector<BatchEntry> entries;
  for (const json::Value value : list) {
    SqsParameters parameters(value);
    auto id = parameters.finish(parameters.text("Id"));
    if (!id) return std::move(id).error();
    entries.push_back({*std::move(id), value});
  }
  if (entries.empty())
    return simple_queue_error("EmptyBatchRequest",
                              "There should be at least one " + std::string(entry_type) + " in the request.");
  if (entries.size() > 10)
    return simple_queue_error(
        "TooManyEntriesInBatchRequest",
        "Maximum number of entries per request are 10. You have sent " + std::to_string(entries.size()) + ".");
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string& id = entries[i].id;
    if (id.empty() || id.size() > 80 || id.find_first_not_of(allowed) != std::string::npos)
      return simple_queue_error("InvalidBatchEntryId",
                                "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
                                "It can be at most 80 letters long.");
    if (std::any_of(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const BatchEntry& earlier) { return earlier.id == id; }))
      return simple_queue_error("BatchEntryIdsNotDistinct", "Id " + id + " repeated.");
  }
  return entries;
}

/// Gathers what became of the entries. An empty list is left out of the answer.
class BatchAnswer {
 public:
  BatchAnswer() = default;
  BatchAnswer(const BatchAnswer&) = delete;
  BatchAnswer& operator=(const BatchAnswer&) = delete;

  /// `write` adds what the operation has to say besides the Id.
  template <class Write>
  void succeeded(std::string_view id, Write write) {
    successful_.begin_object().key("Id").value(id);
    write(successful_);
    successful_.end_object();
  }
  void succeeded(std::string_view id) {
    succeeded(id, [](encoding::JsonWriter&) {});
  }

  void failed(std::string_view id, const SqsError& error) {
    failed_.begin_object().key("Id").value(id).key("SenderFault").value(error.http_status < 500);
    failed_.key("Code").value(error.service_code).key("Message").value(error.message).end_object();
  }

  std::string body() const {
    std::string body = "{";
    if (!successful_text_.empty()) body += "\"Successful\":[" + successful_text_ + "]";
    if (!successful_text_.empty() && !failed_text_.empty()) body += ',';
    if (!failed_text_.empty()) body += "\"Failed\":[" + failed_text_ + "]";
    return body + '}';
  }

 private:
  std::string successful_text_;
  std::string failed_text_;
  encoding::JsonWriter successful_{successful_text_};
  encoding::JsonWriter failed_{failed_text_};
};

}  // namespace dmq::inline DMQ_ABI::testing
