#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <dmq/http/async_transport.hpp>
#include <dmq/runtime/errand.hpp>
#include <dmq/runtime/operation.hpp>

namespace dmq::inline DMQ_ABI::runtime {

/// The exchanges that a loop carries side by side over an asynchronous transport, each from its authorisation to its
/// end. It waits nowhere but in land(). All is called on the loop's thread, but for what the transport's wake() allows.
template <class ChannelType, http::AsyncHttpTransport Async>
class Flights {
 public:
  /// Runs a function that blocks, somewhere else or at once.
  using Aside = std::function<void(std::function<void()>)>;

  /// At most `slots` requests are out at a time, so far as has_slot() is asked before begin().
  Flights(ChannelType& channel, Async& transport, Aside aside,
          std::size_t slots = std::numeric_limits<std::size_t>::max())
      : channel_(channel),
        transport_(transport),
        aside_(std::move(aside)),
        slots_(slots),
        listening_since_(channel.now().ticks) {
    channel_.on_told([this] { transport_.wake(); });
  }
  ~Flights() { channel_.on_told({}); }
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  bool has_slot() const noexcept { return out_.size() + acquiring_.size() < slots_; }
  /// Whether no exchange is under way.
  bool empty() const noexcept { return flights_.empty(); }

  /// Goes out with the next authorize().
  void begin(std::unique_ptr<Errand> errand, engine::Terms terms) {
    Flight& flight = flights_.emplace_back(channel_, std::move(errand), std::move(terms));
    flight.self = std::prev(flights_.end());
    acquiring_.push_back(&flight);
  }

  /// Ends an errand soon: cancelled, unless its answer is already there.
  void cancel(const Errand& errand) {
    for (const auto& [id, flight] : out_)
      if (flight->errand.get() == &errand) {
        if (!flight->cancelled) cancel(*flight, channel_.clock().ticks());
        return;
      }
    break_off([&](const Flight& flight) { return flight.errand.get() == &errand; });
  }

  /// Ends everything soon: what is in flight is cancelled, what waits is broken off.
  void abort() {
    aborted_ = true;
    fetch_stop_.request_stop();
  }

  /// Goes on with what has waited long enough.
  void advance() {
    if (aborted_) {
      for (const auto& [id, flight] : out_)
        if (!flight->cancelled) cancel(*flight, channel_.clock().ticks());
      break_off([](const Flight&) { return true; });
    }
    watch();
    wake_due();
  }

  /// Sends what has, or gets, a token or credentials.
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
      if (!failure && channel_.clock().ticks() >= flight->deadline)
        failure = Error{.kind = ErrorKind::timeout, .message = "no token arrived within the time limit"};
      if (!failure) {
        acquiring_.push_back(flight);
        continue;
      }
      flight->operation.fail(*std::move(failure));
      proceed(*flight);
    }
  }

  /// When advance() has something to do, should nothing else happen.
  Ticks next_deadline() const noexcept {
    Ticks next = Ticks::max();
    if (has_slot() && !timers_.empty()) next = timers_.begin()->first;
    if (!out_.empty()) next = std::min(next, next_watch_);
    for (const Flight* flight : acquiring_) next = std::min(next, flight->deadline);
    return next;
  }

  /// Of the answers that land() takes none had arrived before that.
  Ticks listening_since() const noexcept { return listening_since_; }

  /// Waits for at most `at_most` for answers, or for a wake-up, and takes them.
  void land(Duration at_most) {
    const Ticks began = channel_.clock().ticks();
    poll(at_most);
    for (http::Completion& completion : completions_) {
      const auto it = out_.find(completion.id);
      if (it == out_.end()) {
        channel_.observe({.kind = EventKind::stray_answer, .level = Level::warning, .operation = "transport"});
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
    listening_since_ = began;
  }

 private:
  using Step = engine::Exchange::Step;
  using Use = typename ChannelType::Use;

  struct Flight {
    Flight(ChannelType& channel, std::unique_ptr<Errand> what, engine::Terms terms)
        : errand(std::move(what)), deadline(terms.deadline), operation(channel, *errand, std::move(terms)) {}

    std::unique_ptr<Errand> errand;
    Ticks deadline;  ///< For waiting for a token.
    Operation<ChannelType, Errand> operation;
    std::uint64_t id = 0;  ///< Of the request that is out.
    Ticks limit = Ticks::max();
    bool cancelled = false;
    typename std::list<Flight>::iterator self{};
  };

  /// A transport keeps time limits by itself; this much later it is taken not to.
  static constexpr Duration overdue = std::chrono::seconds(5);
  static constexpr Duration cancel_limit = std::chrono::seconds(1);
  static constexpr Duration sweep_interval = std::chrono::seconds(1);

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
        flight.limit = channel_.clock().ticks() + request->timeout + overdue;
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
      case Step::done: break;
    }
    flight.errand->end(flight.operation.finish(), flight.operation.exchange());
    flights_.erase(flight.self);
  }

  void wake_due() {
    const Ticks now = channel_.clock().ticks();
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
    const Ticks now = channel_.clock().ticks();
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

  /// Of those that wait, for a token or their next attempt, the ones that are `meant`.
  template <class Meant>
  void break_off(Meant meant) {
    std::vector<Flight*> waiting;
    std::erase_if(acquiring_, [&](Flight* flight) { return meant(*flight) && (waiting.push_back(flight), true); });
    std::erase_if(timers_,
                  [&](const auto& timer) { return meant(*timer.second) && (waiting.push_back(timer.second), true); });
    for (Flight* flight : waiting) {
      flight->operation.stop();
      proceed(*flight);
    }
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

  ChannelType& channel_;
  Async& transport_;
  Aside aside_;
  std::size_t slots_;
  Ticks listening_since_;
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
