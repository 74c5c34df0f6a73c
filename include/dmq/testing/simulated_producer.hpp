#pragma once

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include <dmq/engine/prepare.hpp>
#include <dmq/publish_result.hpp>
#include <dmq/runtime/publish_loop.hpp>
#include <dmq/testing/simulated_network.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A producer's submit() in a simulation: the loop and the machine that ship, on virtual time. Destroying it is a
/// crash: what it had sent is still under way, and nothing more is reported.
template <Route RouteType, class Authority, Observer ObserverType = NoObserver>
class SimulatedProducer final : public SimulatedPart {
 public:
  SimulatedProducer(Simulation& world, SimulatedNetwork& network, RouteType route, Authority authority,
                    PublishSettings settings, ObserverType observer = {})
      : world_(world),
        link_(network),
        channel_(Fetcher{&link_}, std::move(authority), world.clock(), std::move(observer), world.random().next()),
        route_(std::move(route)),
        settings_(std::move(settings)),
        state_(settings_, route_.max_batch()),
        loop_(state_, channel_, route_, settings_, link_, [](const std::function<void()>& fetch) { fetch(); }) {
    world_.add(*this);
  }
  ~SimulatedProducer() override { world_.remove(*this); }

  /// As Producer::submit, but that it never waits for room.
  Result<void, PublishError> submit(Message message, std::function<void(PublishResult)> done) {
    engine::Submissions one;
    engine::Submission& submission = one.emplace_back(std::move(message), std::move(done));
    engine::prepare(submission, route_, settings_, [this] { return Result<std::string>(settings_.new_id()); });
    const std::lock_guard lock(state_.mutex);
    if (submission.fate == engine::Publication::Fate::open)
      if (std::optional<Error> refusal = state_.machine.refusal(submission.entry.message.group))
        submission.fail(*std::move(refusal));
    if (submission.fate == engine::Publication::Fate::failed)
      return PublishError{std::move(submission.error), std::move(submission.entry.message)};
    state_.machine.submit(std::move(one), world_.now());
    return {};
  }
  void resume(const std::string& group) { state_.machine.resume(group, false); }
  void resume_all() { state_.machine.resume_all(); }

  const Ledger& ledger() const { return state_.machine.ledger(); }
  /// Whether nothing is held, in flight or unreported.
  bool idle() const { return state_.machine.idle() && loop_.idle(); }

  void turn() override {
    do {
      loop_.turn(Duration::zero());
    } while (link_.is_ready());
  }
  Ticks next_deadline() override { return loop_.next_deadline(); }

 private:
  struct Fetcher {
    SimulatedNetwork::Link* link = nullptr;
    Result<http::Response> send(const http::Request& request, std::stop_token stop) {
      return link->send(request, std::move(stop));
    }
  };
  using Channel = runtime::Channel<Fetcher, Authority, SimulatedClock, ObserverType>;

  Simulation& world_;
  SimulatedNetwork::Link link_;
  Channel channel_;
  RouteType route_;
  PublishSettings settings_;
  runtime::PublishState state_;
  runtime::PublishLoop<RouteType, Channel, SimulatedNetwork::Link> loop_;
};

}  // namespace dmq::inline DMQ_ABI::testing
