#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/engine/publish_call.hpp>
#include <dmq/runtime/flights.hpp>
#include <dmq/runtime/reporter.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Carries what was submitted: takes batches out of the machine, runs their exchanges side by side over an asynchronous
/// transport, and reports. Everything happens inside turn(), on one thread; wake() may come from any. It waits nowhere
/// but in the transport's poll(), so that a simulated transport and clock make it a simulation.
template <Route RouteType, class ChannelType, http::AsyncHttpTransport Async>
class PublishLoop {
 public:
  using Aside = typename Flights<ChannelType, Async>::Aside;

  PublishLoop(PublishState& state, ChannelType& channel, const RouteType& route, const PublishSettings& settings,
              Async& transport, Aside aside)
      : state_(state),
        channel_(channel),
        route_(route),
        settings_(settings),
        transport_(transport),
        flights_(channel, transport, std::move(aside), settings.submit.max_in_flight),
        reporter_(state, [this](const Error& error) { observe_throw(error); }) {
    state_.wake_loop = [this] { transport_.wake(); };
  }

  /// One round: sends what can be sent, waits for at most `at_most` for something to happen, reports what has ended.
  void turn(Duration at_most) {
    advance();
    wait(at_most);
    advance();
  }

  /// When turn() has something to do, should nothing else happen.
  Ticks next_deadline() {
    const std::lock_guard lock(state_.mutex);
    return deadline();
  }

  /// From any thread; after bringing work.
  void wake() noexcept { transport_.wake(); }

  /// Ends everything soon: what is in flight is cancelled, what waits is broken off. From within turn()'s thread.
  void abort() { flights_.abort(); }

  /// Whether no exchange is under way.
  bool idle() const noexcept { return flights_.empty(); }

 private:
  /// One batch, from its leaving the machine to its end.
  class Carriage final : public Errand {
   public:
    Carriage(PublishLoop& loop, std::vector<engine::Publication*> batch)
        : loop_(loop), batch_(std::move(batch)), call_(loop.route_, batch_, engine::resend_of(loop.settings_)) {}

    std::string_view name() const override { return call_.name(); }
    Result<http::Request> build() override { return call_.build(); }
    Result<void> parse(const http::Response& response) override { return call_.parse(response); }
    void on_failure(const Error& error) override { call_.on_failure(error); }
    void on_resend() override { call_.on_resend(); }
    std::size_t accepted() const override { return call_.accepted(); }
    void end(const Result<void>& outcome, const engine::Exchange& exchange) override {
      loop_.settle(batch_, outcome, exchange);
    }

   private:
    PublishLoop& loop_;
    std::vector<engine::Publication*> batch_;
    engine::PublishCall<RouteType> call_;
  };

  void advance() {
    flights_.advance();
    begin();
    flights_.authorize();
    reporter_.report();
  }

  void begin() {
    const Instant now = channel_.now();
    const std::lock_guard lock(state_.mutex);
    state_.machine.on_timer(now);
    while (flights_.has_slot()) {
      std::vector<engine::Publication*> batch = state_.machine.take_batch(now);
      if (batch.empty()) break;
      Ticks deadline = Ticks::max();
      for (const engine::Publication* p : batch)
        deadline = std::min(deadline, static_cast<const engine::Submission*>(p)->deadline);
      engine::Terms terms = engine::publish_terms(settings_, batch, deadline, engine::Patience::deadline);
      flights_.begin(std::make_unique<Carriage>(*this, std::move(batch)), std::move(terms));
    }
  }

  void settle(const std::vector<engine::Publication*>& batch, const Result<void>& outcome,
              const engine::Exchange& exchange) {
    {
      const std::lock_guard lock(state_.mutex);
      state_.machine.settle(batch, outcome, exchange, channel_.now());
    }
    state_.changed.notify_all();
  }

  /// Under the lock.
  Ticks deadline() const {
    return std::min(flights_.next_deadline(),
                    flights_.has_slot() ? state_.machine.next_deadline() : state_.machine.next_sweep());
  }

  void wait(Duration at_most) {
    const Ticks now = channel_.clock().ticks();
    {
      const std::lock_guard lock(state_.mutex);
      const Ticks next = deadline();
      at_most = next <= now ? Duration::zero() : std::min(at_most, next - now);
      if (state_.machine.has_ended() || (flights_.has_slot() && state_.machine.has_ready())) at_most = Duration::zero();
      state_.loop_sleeps = at_most > Duration::zero();
      // Without a slot it is told of the first only, whose deadline it has to keep.
      state_.loop_takes_more = flights_.has_slot() || state_.machine.next_sweep() == Ticks::max();
    }
    flights_.land(at_most);
    const std::lock_guard lock(state_.mutex);
    state_.loop_sleeps = false;
  }

  void observe_throw(const Error& error) const noexcept {
    channel_.observe(
        {.kind = EventKind::callback_threw, .level = Level::error, .operation = route_.name(), .error = &error});
  }

  PublishState& state_;
  ChannelType& channel_;
  const RouteType& route_;
  const PublishSettings& settings_;
  Async& transport_;
  Flights<ChannelType, Async> flights_;
  Reporter reporter_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
