// What models each concept and, for each rule of it, one that misses only this rule.

#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/core/observer.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/http/transport.hpp>

namespace {

using dmq::Duration;
using dmq::Event;
using dmq::Result;
using dmq::Ticks;
using dmq::WallTime;
using dmq::http::HttpTransport;
using dmq::http::Request;
using dmq::http::Response;

// HttpTransport

struct Transport {
  Result<Response> send(const Request&, std::stop_token);
};
struct MoveOnlyTransport : Transport {
  std::unique_ptr<int> handle;
};
struct ByReferenceTransport {
  Result<Response> send(const Request&, const std::stop_token&) const;
};
static_assert(HttpTransport<Transport>);
static_assert(HttpTransport<MoveOnlyTransport>);
static_assert(HttpTransport<ByReferenceTransport>);
static_assert(HttpTransport<dmq::http::SharedTransport<Transport>>);

struct ThrowingTransport {
  Response send(const Request&, std::stop_token);
};
struct DeafTransport {
  Result<Response> send(const Request&);
};
struct SpoilingTransport {
  Result<Response> send(Request&, std::stop_token);
};
struct ConsumingTransport {
  Result<Response> send(Request&&, std::stop_token);
};
struct PinnedTransport : Transport {
  std::mutex mutex;
};
class PrivateTransport {
  Result<Response> send(const Request&, std::stop_token);
};
struct OwnErrorTransport {
  struct OwnError : dmq::Error {};
  Result<Response, OwnError> send(const Request&, std::stop_token);
};
static_assert(!HttpTransport<ThrowingTransport>);
static_assert(!HttpTransport<DeafTransport>);
static_assert(!HttpTransport<SpoilingTransport>);
static_assert(!HttpTransport<ConsumingTransport>);
static_assert(!HttpTransport<PinnedTransport>);
static_assert(!HttpTransport<PrivateTransport>);
static_assert(!HttpTransport<OwnErrorTransport>);
static_assert(!HttpTransport<std::shared_ptr<Transport>>, "SharedTransport is for that");

// AsyncHttpTransport, OpensAsync

using Completions = std::vector<dmq::http::Completion>;

struct AsyncTransport {
  AsyncTransport() = default;
  AsyncTransport(const AsyncTransport&) = delete;
  void start(std::uint64_t id, Request&& request);
  void poll(Completions& out, Duration at_most);
  void cancel(std::uint64_t id);
  void wake() noexcept;
};
static_assert(dmq::http::AsyncHttpTransport<AsyncTransport>);

struct FailingStart : AsyncTransport {
  Result<void> start(std::uint64_t id, Request&& request);
};
struct SpoilingStart : AsyncTransport {
  void start(std::uint64_t id, Request& request);
};
struct OwnCompletions : AsyncTransport {
  struct Done {};
  void poll(std::vector<Done>& out, Duration at_most);
};
struct ReturningPoll : AsyncTransport {
  Completions poll(Completions& out, Duration at_most);
};
struct CountingCancel : AsyncTransport {
  bool cancel(std::uint64_t id);
};
struct ThrowingWake : AsyncTransport {
  void wake();
};
static_assert(!dmq::http::AsyncHttpTransport<FailingStart>, "failures come as completions");
static_assert(!dmq::http::AsyncHttpTransport<SpoilingStart>);
static_assert(!dmq::http::AsyncHttpTransport<OwnCompletions>);
static_assert(!dmq::http::AsyncHttpTransport<ReturningPoll>);
static_assert(!dmq::http::AsyncHttpTransport<CountingCancel>);
static_assert(!dmq::http::AsyncHttpTransport<ThrowingWake>);
static_assert(!dmq::http::AsyncHttpTransport<Transport>);

struct TwoSidedTransport : Transport {
  AsyncTransport open_async();
};
struct HalfOpeningTransport : Transport {
  ThrowingWake open_async();
};
struct OnlyOpening {
  AsyncTransport open_async();
};
static_assert(dmq::http::OpensAsync<TwoSidedTransport>);
static_assert(dmq::http::OpensAsync<dmq::http::SharedTransport<TwoSidedTransport>>);
static_assert(!dmq::http::OpensAsync<Transport>);
static_assert(!dmq::http::OpensAsync<dmq::http::SharedTransport<Transport>>);
static_assert(!dmq::http::OpensAsync<HalfOpeningTransport>);
static_assert(!dmq::http::OpensAsync<OnlyOpening>);

// Clock

struct CoarseClock {
  std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds> now() const;
  std::chrono::time_point<dmq::BootTime, std::chrono::milliseconds> ticks() const;
  bool sleep_for(Duration, const std::stop_token&) const;
};
static_assert(dmq::Clock<dmq::SystemClock>);
static_assert(dmq::Clock<CoarseClock>);

struct SteadyTicksClock : CoarseClock {
  std::chrono::steady_clock::time_point ticks() const;
};
struct CountingClock : CoarseClock {
  std::int64_t now() const;
};
struct UnstoppableClock : CoarseClock {
  bool sleep_for(Duration) const;
};
struct SilentClock : CoarseClock {
  void sleep_for(Duration, std::stop_token) const;
};
struct MutableClock : CoarseClock {
  bool sleep_for(Duration, std::stop_token);
};
static_assert(!dmq::Clock<SteadyTicksClock>, "the steady clock stands still while the machine sleeps");
static_assert(!dmq::Clock<CountingClock>);
static_assert(!dmq::Clock<UnstoppableClock>);
static_assert(!dmq::Clock<SilentClock>);
static_assert(!dmq::Clock<MutableClock>);
static_assert(!dmq::Clock<std::chrono::system_clock>);

// Observer

struct CountingObserver {
  int operator()(const Event&) const noexcept;
};
using FunctionObserver = void (*)(const Event&) noexcept;
static_assert(dmq::Observer<dmq::NoObserver>);
static_assert(dmq::Observer<CountingObserver>);
static_assert(dmq::Observer<FunctionObserver>);

struct ThrowingObserver {
  void operator()(const Event&) const;
};
struct ChangingObserver {
  void operator()(const Event&) noexcept;
};
struct SpoilingObserver {
  void operator()(Event&) const noexcept;
};
struct PinnedObserver {
  void operator()(const Event&) const noexcept;
  std::mutex mutex;
};
static_assert(!dmq::Observer<ThrowingObserver>);
static_assert(!dmq::Observer<ChangingObserver>);
static_assert(!dmq::Observer<SpoilingObserver>);
static_assert(!dmq::Observer<PinnedObserver>);
static_assert(!dmq::Observer<void (*)(const Event&)>, "say noexcept");

}  // namespace
