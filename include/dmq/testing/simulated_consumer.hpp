#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include <dmq/runtime/consume_loop.hpp>
#include <dmq/testing/simulated_network.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// A consumer's run in a simulation: the loop and the machine that ship, on virtual time, with workers that take
/// virtual time for a message. Destroying it is a crash: what it had sent is still under way, its handlers stop where
/// they are, and nothing is given back.
template <class Authority, Observer ObserverType = NoObserver>
class SimulatedConsumer final : public SimulatedPart {
 public:
  /// What a handler does with a message, and how long it takes for it.
  struct Work {
    Duration takes{};
    engine::Handled handled{};
  };
  /// `begin(claim)` is called when a handler begins; `end(claim)`, unless a crash comes before, when it returns.
  struct Handling {
    std::function<Work(const engine::Claim&)> begin;
    std::function<void(const engine::Claim&, const engine::Handled&)> end;
  };

  SimulatedConsumer(Simulation& world, SimulatedNetwork& network, sqs::Wire wire, Authority authority,
                    ConsumeSettings settings, Handling handling, ObserverType observer = {})
      : world_(world),
        link_(network),
        channel_(Fetcher{&link_}, std::move(authority), world.clock(), std::move(observer), world.random().next()),
        wire_(std::move(wire)),
        handling_(std::move(handling)),
        state_(
            std::move(settings), [clock = world.clock()] { return instant(clock); }, world.random().next(), true),
        loop_(state_, channel_, wire_, link_, [](const std::function<void()>& fetch) { fetch(); }) {
    world_.add(*this);
  }
  ~SimulatedConsumer() override { world_.remove(*this); }

  /// The whole process stands still for a while: nothing is sent, taken or handled.
  void freeze(Duration duration) { frozen_until_ = std::max(frozen_until_, world_.now().ticks + duration); }
  bool is_frozen() const noexcept { return world_.now().ticks < frozen_until_; }
  /// For a while it can't reach anything.
  void part(Duration duration) { link_.part(duration); }

  void set_paused(bool paused) { state_.machine.set_paused(paused); }
  void stop() { state_.machine.stop(world_.now()); }
  bool is_finished() const { return state_.machine.is_finished(); }
  const engine::ConsumeMachine& machine() const noexcept { return state_.machine; }

  void turn() override {
    if (is_frozen()) return;
    do {
      if (state_.machine.is_finished()) loop_.abort();
      loop_.turn(Duration::zero());
      begin_work();
    } while (link_.is_ready());
  }
  Ticks next_deadline() override {
    if (is_frozen()) return frozen_until_;
    return state_.machine.is_finished() && loop_.idle() ? Ticks::max() : loop_.next_deadline();
  }

 private:
  struct Fetcher {
    SimulatedNetwork::Link* link = nullptr;
    Result<http::Response> send(const http::Request& request, std::stop_token stop) {
      return link->send(request, std::move(stop));
    }
  };
  using Channel = runtime::Channel<Fetcher, Authority, SimulatedClock, ObserverType>;

  void begin_work() {
    while (busy_ < state_.settings.run.workers) {
      std::optional<engine::Claim> claim = state_.machine.take_work(world_.now());
      if (!claim) return;
      ++busy_;
      Work work = handling_.begin(*claim);
      end_after(work.takes, std::make_shared<engine::Claim>(*std::move(claim)), std::move(work.handled),
                world_.now().ticks);
    }
  }

  void end_after(Duration takes, std::shared_ptr<engine::Claim> claim, engine::Handled handled, Ticks began) {
    world_.after(takes,
                 [this, alive = std::weak_ptr(alive_), claim = std::move(claim), handled = std::move(handled), began] {
                   if (alive.expired()) return;
                   if (is_frozen()) return end_after(frozen_until_ - world_.now().ticks, claim, handled, began);
                   --busy_;
                   handling_.end(*claim, handled);
                   state_.machine.on_handled(claim->id, handled, world_.now().ticks - began, world_.now());
                 });
  }

  Simulation& world_;
  SimulatedNetwork::Link link_;
  Channel channel_;
  sqs::Wire wire_;
  Handling handling_;
  runtime::ConsumeState state_;
  runtime::ConsumeLoop<Channel, SimulatedNetwork::Link> loop_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Ticks frozen_until_ = Ticks::min();
  std::size_t busy_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::testing
