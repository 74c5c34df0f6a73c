#pragma once

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <dmq/json/simdjson.hpp>
#include <support/local_cloud_program.hpp>

#include "../soak/load.hpp"

/// Takes everything out of the queue of a cloud, over several connections. The faults of the cloud strike here too;
/// each call is repeated until it succeeds, and receives give the same messages again for their attempt id.
class ReadBack {
 public:
  ReadBack(const support::LocalCloudProgram& cloud, const Load& load) : cloud_(cloud), load_(load) {
    numbers_.resize(static_cast<std::size_t>(load.groups));
  }

  void run() {
    std::vector<std::jthread> readers;
    for (int i = 0; i < reader_count; ++i) readers.emplace_back([this, i] { read(std::to_string(i)); });
    readers.clear();
    const dmq::json::Document left = ask("GetQueueAttributes", R"("AttributeNames":["All"])");
    for (const std::string_view name : {"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"})
      if (left.root()["Attributes"][name].string() != "0") damage_.append("the queue did not become empty\n");
  }

  /// The numbers of each group's messages, in the order of the queue.
  const std::vector<std::vector<int>>& numbers() const noexcept { return numbers_; }
  /// What should not have been there, a line each.
  const std::string& damage() const noexcept { return damage_; }

 private:
  static constexpr int reader_count = 8;
  static constexpr std::chrono::milliseconds time_limit{500};

  /// Until there is nothing that no other reader holds; the last one empties the queue.
  void read(const std::string& reader) {
    for (int i = 0;; ++i) {
      const dmq::json::Document received =
          ask("ReceiveMessage", R"("MaxNumberOfMessages":10,"VisibilityTimeout":3600,"ReceiveRequestAttemptId":")" +
                                    reader + "-" + std::to_string(i) + "\"");
      const auto messages = received.root()["Messages"];
      if (messages.size() == 0) return;
      // Noted before its group opens for the next reader.
      for (const auto message : messages) note(message["Body"].string().value_or(""));
      erase(messages);
    }
  }

  void note(std::string_view body) {
    const std::lock_guard lock(mutex_);
    if (const auto name = Name::parse(body, load_))
      numbers_[static_cast<std::size_t>(name->group)].push_back(name->number);
    else
      damage_.append("the queue held \"").append(body).append("\"\n");
  }

  void erase(dmq::json::Value messages) const {
    std::string entries;
    int id = 0;
    for (const auto message : messages) {
      entries.append(entries.empty() ? "" : ",").append("{\"Id\":\"").append(std::to_string(id++));
      entries.append("\",\"ReceiptHandle\":\"").append(message["ReceiptHandle"].string().value()).append("\"}");
    }
    const dmq::json::Document deleted = ask("DeleteMessageBatch", "\"Entries\":[" + entries + "]");
    if (deleted.root()["Failed"].size() != 0) std::abort();
  }

  dmq::json::Document ask(std::string_view operation, const std::string& members) const {
    for (int tries = 0; tries < 1000; ++tries) {
      dmq::http::Request request = cloud_.call(operation, members);
      request.timeout = time_limit;
      const auto answer = transport_.send(request);
      dmq::json::Document document;
      if (answer && answer->status == 200 && dmq::json::simdjson_parse(answer->body, document, {})) return document;
    }
    std::abort();
  }

  const support::LocalCloudProgram& cloud_;
  const Load& load_;
  mutable dmq::http::CurlTransport transport_;
  std::mutex mutex_;
  std::vector<std::vector<int>> numbers_;
  std::string damage_;
};
