#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/encoding/json_writer.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/testing/json_copy.hpp>
#include <dmq/testing/local_cloud.hpp>
#include <dmq/testing/network_fault.hpp>
#include <dmq/testing/simulation.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// The way between simulated clients and a cloud. Requests are numbered as they go out; `faults` says which of them
/// meet what. A long poll waits in the cloud; when its client goes away, the cloud may notice that or not.
class SimulatedNetwork final : public SimulatedPart {
 public:
  SimulatedNetwork(Simulation& world, LocalCloud& cloud, json::Parser parser,
                   std::map<std::uint64_t, NetworkFault> faults)
      : world_(world), cloud_(cloud), parse_(parser), faults_(std::move(faults)) {
    world_.add(*this);
  }
  ~SimulatedNetwork() override { world_.remove(*this); }

  /// For a while nothing goes through.
  void part(Duration duration) { parted_until_ = std::max(parted_until_, world_.now().ticks + duration); }
  /// The service restarts: what is under way to it is lost, and its connections break.
  void restart();

  /// Answers the long polls that have something to wait for no more.
  void turn() override;
  Ticks next_deadline() override { return cloud_.next_deadline().value_or(Ticks::max()); }

  /// Requests that went out so far.
  std::uint64_t requests() const noexcept { return requests_; }
  /// How often each fault struck, by NetworkFault.
  const std::array<std::uint64_t, network_faults.size()>& struck() const noexcept { return struck_; }

  class Link;

 private:
  static constexpr Duration longest_way = std::chrono::seconds(30);

  struct Exchange {
    std::weak_ptr<Link*> link{};            ///< Gone when the client is.
    std::shared_ptr<Ticks> parted_until{};  ///< The client from the rest of the world.
    std::uint64_t id = 0;
    http::Request request{};
  };
  using Shared = std::shared_ptr<Exchange>;
  using Then = std::function<void(http::Response)>;

  void send(Shared exchange);
  void strike(const Shared& exchange, NetworkFault fault, Duration there);
  void arrive(const Shared& exchange, Duration there, Then then);
  void hang_up(const Shared& exchange);
  bool is_parted(const Exchange& exchange) const {
    return world_.now().ticks < std::max(parted_until_, *exchange.parted_until);
  }
  void answer(const Shared& exchange, Duration after, Result<http::Response> result);
  std::optional<http::Response> carry_out(const http::Request& request);
  http::Response carry_out_but_one(const http::Request& request);
  static Error broken(DeliveryState delivery, std::string message) {
    return {.kind = ErrorKind::network, .delivery = delivery, .message = std::move(message)};
  }
  Duration way() { return world_.between(std::chrono::milliseconds(1), std::chrono::milliseconds(60)); }

  Simulation& world_;
  LocalCloud& cloud_;
  json::Parser parse_;
  std::map<std::uint64_t, NetworkFault> faults_;
  std::array<std::uint64_t, network_faults.size()> struck_{};
  std::uint64_t requests_ = 0;
  std::uint64_t incarnation_ = 0;
  Ticks parted_until_ = Ticks::min();
  std::map<PollId, std::pair<Shared, Then>> polls_;  ///< That wait in the cloud.
};

/// A client's side of the network: an AsyncHttpTransport in virtual time. Its blocking side is for token requests: it
/// takes no time, and meets partitions alone. When it is destroyed, what it had sent is still under way.
class SimulatedNetwork::Link {
 public:
  explicit Link(SimulatedNetwork& network) : network_(&network), self_(std::make_shared<Link*>(this)) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    for (const auto& [id, exchange] : out_) network_->hang_up(exchange);
  }

  /// For a while nothing of this client goes through.
  void part(Duration duration) { *parted_until_ = std::max(*parted_until_, network_->world_.now().ticks + duration); }

  void start(std::uint64_t id, http::Request&& request) {
    auto exchange = std::make_shared<Exchange>();
    exchange->link = self_;
    exchange->parted_until = parted_until_;
    exchange->id = id;
    exchange->request = std::move(request);
    out_[id] = exchange;
    network_->send(std::move(exchange));
  }
  void poll(std::vector<http::Completion>& out, Duration) {
    std::move(completed_.begin(), completed_.end(), std::back_inserter(out));
    completed_.clear();
    woken_ = false;
  }
  void cancel(std::uint64_t id) {
    const auto found = out_.find(id);
    if (found == out_.end()) return;
    const Shared exchange = found->second;
    network_->hang_up(exchange);
    complete(exchange, Error{.kind = ErrorKind::cancelled, .delivery = DeliveryState::unknown, .message = "cancelled"});
  }
  void wake() noexcept { woken_ = true; }
  /// Whether poll() would come back at once.
  bool is_ready() const noexcept { return woken_ || !completed_.empty(); }

  Result<http::Response> send(const http::Request& request, std::stop_token) {
    if (network_->world_.now().ticks < std::max(network_->parted_until_, *parted_until_))
      return broken(DeliveryState::not_sent, "no connection");
    if (auto response = network_->carry_out(request)) return *std::move(response);
    return Error{.kind = ErrorKind::timeout, .delivery = DeliveryState::unknown, .message = "no answer in time"};
  }

 private:
  friend class SimulatedNetwork;

  void complete(Shared exchange, Result<http::Response> result) {
    if (out_.erase(exchange->id) == 0) return;
    completed_.push_back({.id = exchange->id, .result = std::move(result), .request = exchange->request});
  }

  SimulatedNetwork* network_;
  std::shared_ptr<Link*> self_;
  std::shared_ptr<Ticks> parted_until_ = std::make_shared<Ticks>(Ticks::min());
  std::map<std::uint64_t, std::shared_ptr<Exchange>> out_;
  std::vector<http::Completion> completed_;
  bool woken_ = false;
};

inline void SimulatedNetwork::send(Shared exchange) {
  const std::uint64_t number = requests_++;
  const Duration there = way();
  world_.tell([&] { return "request " + std::to_string(number) + " " + exchange->request.url; });
  answer(exchange, exchange->request.timeout,
         Error{.kind = ErrorKind::timeout, .delivery = DeliveryState::unknown, .message = "no answer in time"});
  if (is_parted(*exchange)) return answer(exchange, there, broken(DeliveryState::not_sent, "no connection"));
  if (const auto fault = faults_.find(number); fault != faults_.end()) {
    world_.tell([&] { return "  meets " + std::string(to_string(fault->second)); });
    return strike(exchange, fault->second, there);
  }
  arrive(exchange, there, [this, exchange](http::Response response) { answer(exchange, way(), std::move(response)); });
}

inline void SimulatedNetwork::strike(const Shared& exchange, NetworkFault fault, Duration there) {
  const auto lost = [&](Duration after) {
    answer(exchange, after, broken(DeliveryState::unknown, "the connection broke"));
  };
  const auto reply = [&](int status, std::string body) {
    http::Response response{.status = status, .body = std::move(body)};
    response.headers.add("Content-Type", "application/json");
    answer(exchange, there + way(), std::move(response));
  };
  const auto throttled = [&](bool resent) {
    if (exchange->request.url.find("/v1/") != std::string::npos)
      return http::Response{.status = 429, .body = R"({"message":"Too Many Requests"})", .resent = resent};
    return http::Response{.status = 403,
                          .body = R"({"__type":"com.amazonaws.sqs#RequestThrottled","message":"Rate exceeded"})",
                          .resent = resent};
  };
  ++struck_[static_cast<std::size_t>(fault)];
  switch (fault) {
    case NetworkFault::refuse: return answer(exchange, there, broken(DeliveryState::not_sent, "connection refused"));
    case NetworkFault::lose_request: return lost(there);
    case NetworkFault::lose_reply:
      return arrive(exchange, there, [this, exchange](const http::Response&) {
        answer(exchange, way(), broken(DeliveryState::unknown, "the connection broke"));
      });
    case NetworkFault::half_close:
      lost(there);
      return arrive(exchange, world_.between(there, longest_way), [](const http::Response&) {});
    case NetworkFault::stall: return arrive(exchange, there, [](const http::Response&) {});
    case NetworkFault::delay:
      return arrive(exchange, world_.between(there, longest_way),
                    [this, exchange](http::Response response) { answer(exchange, way(), std::move(response)); });
    case NetworkFault::resend:
      if (exchange->request.resend == http::Resend::forbidden) {
        lost(there + way());
        return arrive(exchange, there, [](const http::Response&) {});
      }
      arrive(exchange, world_.between(there, longest_way), [](const http::Response&) {});
      if (world_.random().chance(0.5)) return answer(exchange, there + way(), throttled(true));
      return arrive(exchange, there + way(), [this, exchange](http::Response response) {
        response.resent = true;
        answer(exchange, way(), std::move(response));
      });
    case NetworkFault::throttle: return answer(exchange, there + way(), throttled(false));
    case NetworkFault::fail_before: return reply(503, R"({"message":"Service Unavailable"})");
    case NetworkFault::fail_after:
      return arrive(exchange, there, [this, exchange](const http::Response&) {
        answer(exchange, way(), http::Response{.status = 500, .body = R"({"message":"Internal server error"})"});
      });
    case NetworkFault::error_in_200:
      return reply(200, R"({"Error":{"Code":"ServiceUnavailable","Message":"try again","Type":"Receiver"}})");
    case NetworkFault::corrupt_hash:
      return arrive(exchange, there, [this, exchange](http::Response response) {
        // The hash of what was sent, or the first letter of what was received.
        for (const std::string_view name : {"\"MD5OfMessageBody\":\"", "\"Body\":\""})
          if (const std::size_t at = response.body.find(name); at != std::string::npos) {
            char& letter = response.body[at + name.size()];
            letter = letter == '0' ? '1' : '0';
          }
        answer(exchange, way(), std::move(response));
      });
    case NetworkFault::partial_batch:
      return world_.after(there, [this, exchange] { answer(exchange, way(), carry_out_but_one(exchange->request)); });
  }
}

/// Carried out `there` later, unless the service has restarted by then, or the network is parted.
inline void SimulatedNetwork::arrive(const Shared& exchange, Duration there, Then then) {
  world_.after(there, [this, exchange, incarnation = incarnation_, then = std::move(then)] {
    if (incarnation != incarnation_ || is_parted(*exchange))
      return answer(exchange, Duration::zero(), broken(DeliveryState::unknown, "the connection broke"));
    Handled handled = cloud_.handle(exchange->request, world_.now());
    if (auto* const response = std::get_if<http::Response>(&handled))
      then(std::move(*response));
    else
      polls_.emplace(std::get<PollId>(handled), std::pair(exchange, then));
  });
}

inline void SimulatedNetwork::turn() {
  for (Answered& answered : cloud_.advance(world_.now())) {
    const auto found = polls_.find(answered.id);
    if (found == polls_.end()) continue;
    const auto [exchange, then] = std::move(polls_.extract(found).mapped());
    if (is_parted(*exchange))
      answer(exchange, Duration::zero(), broken(DeliveryState::unknown, "the connection broke"));
    else
      then(std::move(answered.response));
  }
}

inline void SimulatedNetwork::restart() {
  ++incarnation_;
  for (const auto& [id, poll] : std::exchange(polls_, {})) {
    cloud_.cancel(id);
    answer(poll.first, Duration::zero(), broken(DeliveryState::unknown, "the connection broke"));
  }
}

/// The client of an exchange has gone away. If the cloud does not notice, a long poll takes messages for nobody.
inline void SimulatedNetwork::hang_up(const Shared& exchange) {
  const auto found =
      std::find_if(polls_.begin(), polls_.end(), [&](const auto& poll) { return poll.second.first == exchange; });
  if (found == polls_.end() || world_.random().chance(0.5)) return;
  cloud_.cancel(found->first);
  polls_.erase(found);
}

inline void SimulatedNetwork::answer(const Shared& exchange, Duration after, Result<http::Response> result) {
  world_.after(after, [exchange, result = std::move(result)]() mutable {
    const std::shared_ptr<Link*> link = exchange->link.lock();
    if (link != nullptr) (*link)->complete(exchange, std::move(result));
  });
}

inline std::optional<http::Response> SimulatedNetwork::carry_out(const http::Request& request) {
  Handled handled = cloud_.handle(request, world_.now());
  auto* const response = std::get_if<http::Response>(&handled);
  return response == nullptr ? std::nullopt : std::optional(std::move(*response));
}

/// Without one entry, which the answer names as failed. A request that is no batch fails as a whole.
inline http::Response SimulatedNetwork::carry_out_but_one(const http::Request& request) {
  http::Response failure{.status = 500, .body = R"({"message":"Internal server error"})"};
  json::Document document;
  if (!parse_(request.body, document, {})) return failure;
  const json::Value entries = document.root()["Entries"];
  if (entries.size() < 2) return failure;
  const std::uint64_t failed = world_.random().below(entries.size());
  std::string failed_id;
  http::Request rest = request;
  rest.body.clear();
  encoding::JsonWriter json(rest.body);
  json.begin_object();
  for (const json::Value member : document.root())
    if (member.name() != "Entries") copy_json(json.key(member.name()), member);
  json.key("Entries").begin_array();
  std::uint64_t index = 0;
  for (const json::Value entry : entries) {
    if (index++ == failed)
      failed_id = entry["Id"].string().value_or("");
    else
      copy_json(json, entry);
  }
  json.end_array().end_object();
  http::Response response = carry_out(rest).value_or(failure);
  if (response.status != 200 || !response.body.ends_with('}')) return failure;
  response.body.back() = ',';
  response.body += R"("Failed":[{"Id":")" + failed_id +
                   R"(","SenderFault":false,"Code":"InternalError","Message":"an internal error"}]})";
  return response;
}

}  // namespace dmq::inline DMQ_ABI::testing
