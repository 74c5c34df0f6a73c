#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/engine/publish_call.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/runtime/operation.hpp>
#include <dmq/runtime/reporter.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// Carries what was submitted: takes batches out of the machine, runs their exchanges side by side over an asynchronous
/// transport, and reports. Everything happens inside turn(), on one thread; wake() may come from any. It waits nowhere
/// but in the transport's poll(), so that a simulated transport and clock make it a simulation.
template <Route RouteType, class ChannelType, http::AsyncHttpTransport Async>
class PublishLoop {
 public:
  /// Runs a function that blocks, somewhere else or at once.
  using Aside = std::function<void(std::function<void()>)>;

  PublishLoop(PublishState& state, ChannelType& channel, const RouteType& route, const PublishSettings& settings,
              Async& transport, Aside aside)
      : state_(state),
        channel_(channel),
        route_(route),
        settings_(settings),
        transport_(transport),
        aside_(std::move(aside)),
        reporter_(state, [this](const Error& error) { observe_throw(error); }) {
    state_.wake_loop = [this] { transport_.wake(); };
    channel_.on_told(state_.wake_loop);
  }
  ~PublishLoop() { channel_.on_told({}); }
  PublishLoop(const PublishLoop&) = delete;
  PublishLoop& operator=(const PublishLoop&) = delete;

  /// One round: sends what can be sent, waits for at most `at_most` for something to happen, reports what has ended.
  void turn(Duration at_most) {
    advance();
    wait(at_most);
    land();
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
  void abort() {
    aborted_ = true;
    fetch_stop_.request_stop();
  }

  /// Whether no exchange is under way.
  bool idle() const noexcept { return flights_.empty(); }

 private:
  using PublishCall = engine::PublishCall<RouteType>;
  using Step = engine::Exchange::Step;
  using Use = typename ChannelType::Use;

  /// One request, from its batch to its end.
  struct Flight {
    Flight(PublishLoop& loop, std::vector<engine::Publication*> sent, engine::Terms terms)
        : batch(std::move(sent)),
          deadline(terms.deadline),
          call(loop.route_, batch, engine::resend_of(loop.settings_)),
          operation(loop.channel_, call, std::move(terms)) {}

    std::vector<engine::Publication*> batch;
    Ticks deadline;  ///< For waiting for a token.
    PublishCall call;
    Operation<ChannelType, PublishCall> operation;
    std::uint64_t id = 0;  ///< Of the request that is out.
    Ticks limit = Ticks::max();
    bool cancelled = false;
    typename std::list<Flight>::iterator self{};
  };

  /// A transport keeps time limits by itself; this much later it is taken not to.
  static constexpr Duration overdue = std::chrono::seconds(5);
  static constexpr Duration cancel_limit = std::chrono::seconds(1);
  static constexpr Duration sweep_interval = std::chrono::seconds(1);

  void advance() {
    if (aborted_) break_off();
    watch();
    wake_due();
    begin();
    authorize();
    reporter_.report();
  }

  /// Requests that are out, or about to be.
  std::size_t busy() const noexcept { return out_.size() + acquiring_.size(); }
  bool has_slot() const noexcept { return busy() < settings_.submit.max_in_flight; }

  void begin() {
    const Instant now = channel_.now();
    std::unique_lock lock(state_.mutex);
    state_.machine.on_timer(now);
    while (has_slot()) {
      std::vector<engine::Publication*> batch = state_.machine.take_batch(now);
      if (batch.empty()) break;
      acquiring_.push_back(&open(std::move(batch)));
    }
  }

  Flight& open(std::vector<engine::Publication*> batch) {
    Ticks deadline = Ticks::max();
    for (const engine::Publication* p : batch)
      deadline = std::min(deadline, static_cast<const engine::Submission*>(p)->deadline);
    engine::Terms terms = engine::publish_terms(settings_, batch, deadline, engine::Patience::deadline);
    Flight& flight = flights_.emplace_back(*this, std::move(batch), std::move(terms));
    flight.self = std::prev(flights_.end());
    return flight;
  }

  void authorize() {
    for (Flight* flight : std::exchange(acquiring_, {})) {
      auto decision = channel_.try_acquire();
      if (Use* use = std::get_if<Use>(&decision)) {
        flight->operation.on_value(std::move(*use));
        launch(*flight);
        continue;
      }
      std::optional<Error> failure;
      if (Error* error = std::get_if<Error>(&decision)) failure = std::move(*error);
      if (std::holds_alternative<typename ChannelType::Cache::Lead>(decision)) failure = fetch();
      if (!failure && channel_.now().ticks >= flight->deadline)
        failure = Error{.kind = ErrorKind::timeout, .message = "no token arrived within the time limit"};
      if (!failure) {
        acquiring_.push_back(flight);
        continue;
      }
      flight->operation.fail(*std::move(failure));
      proceed(*flight);
    }
  }

  std::optional<Error> fetch() {
    try {
      aside_([this, stop = fetch_stop_.get_token()] {
        try {
          channel_.lead(stop);
        } catch (...) {
          // Without memory for what was fetched; the channel has given the lead up.
        }
      });
      return std::nullopt;
    } catch (...) {
      channel_.abandon();
      return Error{.kind = ErrorKind::network, .message = "no thread to fetch a token: " + current_exception_text()};
    }
  }

  void launch(Flight& flight) {
    try {
      if (std::optional<http::Request> request = flight.operation.prepare()) {
        flight.id = ++last_id_;
        flight.limit = channel_.now().ticks + request->timeout + overdue;
        flight.cancelled = false;
        out_.emplace(flight.id, &flight);
        return start(flight, std::move(*request));
      }
    } catch (...) {
      flight.operation.fail_by_exception();
    }
    proceed(flight);
  }

  /// What start() throws at has not begun.
  void start(Flight& flight, http::Request request) {
    try {
      return transport_.start(flight.id, std::move(request));
    } catch (...) {
      out_.erase(flight.id);
      flight.operation.take(Error{.kind = ErrorKind::network,
                                  .message = "the transport did not take the request: " + current_exception_text()});
    }
    proceed(flight);
  }

  /// After its exchange has moved on.
  void proceed(Flight& flight) {
    switch (flight.operation.exchange().step()) {
      case Step::acquire:
      case Step::send: acquiring_.push_back(&flight); return;
      case Step::wait:
        flight.operation.pause();
        timers_.emplace(flight.operation.exchange().wake_at(), &flight);
        return;
      case Step::done: return settle(flight);
    }
  }

  void settle(Flight& flight) {
    const Result<void> outcome = flight.operation.finish();
    {
      const std::lock_guard lock(state_.mutex);
      state_.machine.settle(flight.batch, outcome, flight.operation.exchange(), channel_.now());
    }
    state_.changed.notify_all();
    flights_.erase(flight.self);
  }

  void wake_due() {
    const Ticks now = channel_.now().ticks;
    while (!timers_.empty() && timers_.begin()->first <= now && has_slot()) {
      Flight& flight = *timers_.extract(timers_.begin()).mapped();
      flight.operation.wake();
      if (flight.operation.exchange().step() == Step::wait)
        timers_.emplace(flight.operation.exchange().wake_at(), &flight);
      else
        proceed(flight);
    }
  }

  /// A transport that does not complete what it has started: it is cancelled, and if that does not help, left.
  void watch() {
    const Ticks now = channel_.now().ticks;
    if (now < next_watch_ && !aborted_) return;
    next_watch_ = now + sweep_interval;
    std::vector<Flight*> late;
    for (const auto& [id, flight] : out_)
      if (flight->limit <= now) late.push_back(flight);
    for (Flight* flight : late) {
      if (!std::exchange(flight->cancelled, true)) {
        cancel(*flight, now);
        continue;
      }
      out_.erase(flight->id);
      flight->operation.take(Error{.kind = aborted_ ? ErrorKind::cancelled : ErrorKind::timeout,
                                   .delivery = DeliveryState::unknown,
                                   .message = "the transport did not complete the request within its time limit"});
      proceed(*flight);
    }
  }

  void cancel(Flight& flight, Ticks now) {
    flight.cancelled = true;
    flight.limit = now + cancel_limit;
    transport_.cancel(flight.id);
  }

  void break_off() {
    for (const auto& [id, flight] : out_)
      if (!flight->cancelled) cancel(*flight, channel_.now().ticks);
    std::vector<Flight*> waiting = std::exchange(acquiring_, {});
    for (const auto& [when, flight] : std::exchange(timers_, {})) waiting.push_back(flight);
    for (Flight* flight : waiting) {
      flight->operation.stop();
      proceed(*flight);
    }
  }

  /// Under the lock.
  Ticks deadline() const {
    Ticks next = has_slot() ? state_.machine.next_deadline() : state_.machine.next_sweep();
    if (has_slot() && !timers_.empty()) next = std::min(next, timers_.begin()->first);
    if (!out_.empty()) next = std::min(next, next_watch_);
    for (const Flight* flight : acquiring_) next = std::min(next, flight->deadline);
    return next;
  }

  void wait(Duration at_most) {
    const Ticks now = channel_.now().ticks;
    {
      const std::lock_guard lock(state_.mutex);
      const Ticks next = deadline();
      at_most = next <= now ? Duration::zero() : std::min(at_most, next - now);
      if (state_.machine.has_ended() || (has_slot() && state_.machine.has_ready())) at_most = Duration::zero();
      state_.loop_sleeps = at_most > Duration::zero();
    }
    poll(at_most);
    const std::lock_guard lock(state_.mutex);
    state_.loop_sleeps = false;
  }

  /// A transport that throws has lost what it had in flight.
  void poll(Duration at_most) {
    try {
      transport_.poll(completions_, at_most);
    } catch (...) {
      for (const auto& [id, flight] : std::exchange(out_, {})) {
        flight->operation.take(Error{.kind = ErrorKind::network,
                                     .delivery = DeliveryState::unknown,
                                     .message = "the transport threw: " + current_exception_text()});
        proceed(*flight);
      }
    }
  }

  void land() {
    for (http::Completion& completion : completions_) {
      const auto it = out_.find(completion.id);
      if (it == out_.end()) {
        channel_.observe({.kind = EventKind::stray_answer, .level = Level::warning, .operation = route_.name()});
        continue;
      }
      Flight& flight = *it->second;
      out_.erase(it);
      try {
        flight.operation.take(std::move(completion.result));
      } catch (...) {
        flight.operation.fail_by_exception();
      }
      proceed(flight);
    }
    completions_.clear();
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
  Aside aside_;
  Reporter reporter_;
  std::stop_source fetch_stop_;
  bool aborted_ = false;

  std::list<Flight> flights_;
  std::vector<Flight*> acquiring_;                  ///< They need a token or credentials.
  std::unordered_map<std::uint64_t, Flight*> out_;  ///< By the id of their request.
  std::multimap<Ticks, Flight*> timers_;            ///< They wait before they go on.
  std::uint64_t last_id_ = 0;
  Ticks next_watch_ = Ticks::min();
  std::vector<http::Completion> completions_;
};

}  // namespace dmq::inline DMQ_ABI::runtime
