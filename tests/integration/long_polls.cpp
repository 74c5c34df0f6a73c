#include <doctest/doctest.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/http/curl_transport.hpp>
#include <support/cloud.hpp>
#include <support/local_cloud_program.hpp>
#include <support/raw_client.hpp>

using support::Json;
using support::LocalCloudProgram;
using support::RawClient;
namespace http = dmq::http;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

// A sanitizer takes a megabyte for each thread.
constexpr std::size_t poll_count = sanitized ? 200 : 2000;
constexpr std::size_t batch_size = 10;

/// Room for the connections of this process; the program inherits it.
bool allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return true;
  limit.rlim_cur = wanted;
  return limit.rlim_max >= wanted && setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/// Sends and deletes in batches of ten, over one connection.
class Batches {
 public:
  explicit Batches(const LocalCloudProgram& program) : program_(program) {}

  /// One message to each of ten groups that had none.
  void send() {
    std::string entries;
    for (std::size_t i = 0; i < batch_size; ++i) {
      const std::string number = std::to_string(sent_++);
      begin_entry(entries, i);
      entries.append(R"(,"MessageBody":")").append(number).append(R"(","MessageGroupId":"g)").append(number);
      entries.append(R"(","MessageDeduplicationId":"d)").append(number).append("\"}");
    }
    call("SendMessageBatch", entries);
  }

  void erase(const std::vector<std::string>& handles) {
    std::string entries;
    for (std::size_t i = 0; i < handles.size(); ++i) {
      begin_entry(entries, i);
      entries.append(R"(,"ReceiptHandle":")").append(handles[i]).append("\"}");
    }
    call("DeleteMessageBatch", entries);
  }

 private:
  static void begin_entry(std::string& entries, std::size_t index) {
    entries.append(index == 0 ? "" : ",").append(R"({"Id":")").append(std::to_string(index)).append("\"");
  }

  void call(std::string_view operation, const std::string& entries) {
    const auto answer = transport_.send(program_.call(operation, "\"Entries\":[" + entries + "]"));
    REQUIRE(answer.value().status == 200);
    CHECK(Json(answer->body)["Failed"].size() == 0);
  }

  const LocalCloudProgram& program_;
  http::CurlTransport transport_;
  std::size_t sent_ = 0;
};

/// Clients with a long poll each, that the program has in hand.
class Polls {
 public:
  Polls(const LocalCloudProgram& program, std::size_t count) : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    const std::string first = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    poll_ = support::wire_text(program.call("ReceiveMessage", R"("WaitTimeSeconds":20,"MaxNumberOfMessages":1)"));
    for (std::size_t i = 0; i < count; ++i) {
      clients_.push_back(std::make_unique<RawClient>(program.port()));
      clients_.back()->write(first + poll_);
      epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
      epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back()->handle(), &event);
    }
    // Who has answered the first request comes to the second one next.
    for (const auto& client : clients_) CHECK(client->read_answer().starts_with("HTTP/1.1 200 "));
  }
  Polls(const Polls&) = delete;
  Polls& operator=(const Polls&) = delete;
  ~Polls() { close(epoll_); }

  /// The bodies of answers that have come; waits for one. A poll that ends empty, on a slow machine, is sent again.
  std::vector<std::string> next_answers() {
    std::array<epoll_event, batch_size> events{};
    const int ready = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 30'000);
    REQUIRE(ready > 0);
    std::vector<std::string> bodies;
    for (std::size_t i = 0; i < static_cast<std::size_t>(ready); ++i) {
      RawClient& client = *clients_[events[i].data.u64];
      const std::string answer = client.read_answer();
      CHECK(answer.starts_with("HTTP/1.1 200 "));
      std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
      if (body == "{}") {
        client.write(poll_);
        continue;
      }
      bodies.push_back(std::move(body));
      epoll_ctl(epoll_, EPOLL_CTL_DEL, client.handle(), nullptr);
    }
    return bodies;
  }

 private:
  int epoll_;
  std::string poll_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

void report(const LocalCloudProgram& program, std::string_view when) {
  MESSAGE(std::string(when) << ": " << program.status("Threads") << " threads, " << program.status("VmRSS") / 1024
                            << " MB resident");
}

}  // namespace

TEST_CASE("2000 long polls wait at once, and each gets one message, while sends and deletes go on") {
  if (!allow_descriptors(poll_count + 200)) {
    MESSAGE("skipped: the limit of open files is too low");
    return;
  }
  LocalCloudProgram program({});
  report(program, "before");
  const long resident_before_kb = program.status("VmRSS");
  Polls polls(program, poll_count);
  report(program, std::to_string(poll_count) + " polls wait");
  // A thread a connection, and no more than eight besides.
  CHECK(program.status("Threads") <= static_cast<long>(poll_count) + 8);
  if (!sanitized) CHECK(program.status("VmRSS") - resident_before_kb < static_cast<long>(poll_count) * 64);

  Batches batches(program);
  std::set<std::string> bodies;
  std::vector<std::string> handles;
  for (std::size_t sent = 0; bodies.size() < poll_count;) {
    // One batch ahead of what has been received.
    for (; sent < std::min(poll_count, bodies.size() + 2 * batch_size); sent += batch_size) batches.send();
    for (const std::string& body : polls.next_answers()) {
      const Json json(body);
      REQUIRE(json["Messages"].size() == 1);
      const auto message = *json["Messages"].begin();
      CHECK(bodies.emplace(message["Body"].string().value()).second);
      handles.emplace_back(message["ReceiptHandle"].string().value());
      if (handles.size() == batch_size) batches.erase(std::exchange(handles, {}));
    }
  }
  report(program, "all answered");
  http::CurlTransport transport;
  const auto rest = transport.send(program.call("GetQueueAttributes", R"("AttributeNames":["All"])")).value();
  const Json attributes(rest.body);
  CHECK(attributes["Attributes"]["ApproximateNumberOfMessages"].string() == "0");
  CHECK(attributes["Attributes"]["ApproximateNumberOfMessagesNotVisible"].string() == "0");
  CHECK(program.stop() == 0);
  CHECK(program.errors() == "");
}
