#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dmq/core/result.hpp>
#include <dmq/http/async_transport.hpp>
#include <dmq/http/curl.hpp>
#include <dmq/http/curl_flight.hpp>
#include <dmq/http/curl_options.hpp>
#include <dmq/http/curl_poll_loop.hpp>
#ifdef __linux__
#include <dmq/http/curl_epoll_loop.hpp>
#endif

namespace dmq::inline DMQ_ABI::http {

namespace detail {
#ifdef __linux__
using CurlLoop = CurlEpollLoop;
#else
using CurlLoop = CurlPollLoop;
#endif
}  // namespace detail

/// The AsyncHttpTransport over libcurl; CurlAsync is the one to use. Hundreds of exchanges share one thread and at most
/// `max_connections` connections, HTTP/2 streams of one connection where a server offers them. What finds no
/// room waits inside, under its own time limit.
///
/// Errors besides those of HttpTransport: protocol (the answer is not HTTP, or its header is over 64 KiB),
/// configuration (libcurl does not take the options). Without file descriptors left for its own use, every exchange
/// completes with network, not_sent. On machines with libcurl 7.87, ignore SIGPIPE: its TLS writes raise it.
template <class Loop>
class BasicCurlAsync {
 public:
  explicit BasicCurlAsync(CurlOptions options = {});
  BasicCurlAsync(const BasicCurlAsync&) = delete;
  BasicCurlAsync& operator=(const BasicCurlAsync&) = delete;
  ~BasicCurlAsync();

  void start(std::uint64_t id, Request&& request);
  void poll(std::vector<Completion>& out, Duration at_most);
  void cancel(std::uint64_t id);
  void wake() noexcept { loop_.wake(); }

 private:
  using Flight = detail::CurlFlight;
  using Clock = Flight::Clock;
  // Map nodes go around between what flies, what has landed and what is idle: no exchange allocates one.
  using Flights = std::unordered_map<std::uint64_t, Flight>;
  using Node = typename Flights::node_type;

  Node take_idle();
  Result<void> launch(Flight& flight);
  void land(typename Flights::iterator position);
  void turn(Duration at_most, bool& woken);
  void collect();
  void expire(Clock::time_point now);
  void hand_over(std::vector<Completion>& out);

  const CurlOptions options_;
  Loop loop_;  ///< Outlives the handles in it.
  bool usable_;
  Flights flying_;
  std::vector<Node> landed_;
  std::vector<Node> idle_;  ///< The last one in is the first one out.
  std::size_t made_ = 0;
  Clock::time_point next_expiry_ = Clock::time_point::max();  ///< No exchange has a deadline before.
};

using CurlAsync = BasicCurlAsync<detail::CurlLoop>;

static_assert(AsyncHttpTransport<CurlAsync>);

template <class Loop>
BasicCurlAsync<Loop>::BasicCurlAsync(CurlOptions options) : options_(std::move(options)), usable_(loop_.is_usable()) {
  if (!usable_) return;
  const long connections = static_cast<long>(std::clamp<std::size_t>(options_.max_connections, 1, 100'000));
  curl_multi_setopt(loop_.multi(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(loop_.multi(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  // The server's own limit is the one that counts.
  curl_multi_setopt(loop_.multi(), CURLMOPT_MAX_CONCURRENT_STREAMS, 1000L);
  // As many may stay open; by default libcurl closes them when few exchanges are left.
  curl_multi_setopt(loop_.multi(), CURLMOPT_MAXCONNECTS, connections);
}

template <class Loop>
BasicCurlAsync<Loop>::~BasicCurlAsync() {
  for (auto& [id, flight] : flying_) curl_multi_remove_handle(loop_.multi(), flight.exchange.handle());
}

template <class Loop>
void BasicCurlAsync<Loop>::start(std::uint64_t id, Request&& request) {
  Node node = take_idle();
  Flight& flight = node.mapped();
  node.key() = id;
  // What is told should there be no memory to tell more.
  flight.completion.result =
      Error{.kind = ErrorKind::network, .delivery = DeliveryState::unknown, .message = "out of memory"};
  flight.completion.id = id;
  flight.completion.request = std::move(request);
  Result<void> launched;
  try {
    launched = launch(flight);
  } catch (...) {
    request = std::move(flight.completion.request);
    idle_.push_back(std::move(node));
    throw;
  }
  if (launched) {
    next_expiry_ = std::min(next_expiry_, flight.deadline);
    flying_.insert(std::move(node));
  } else {
    flight.completion.result = std::move(launched).error();
    landed_.push_back(std::move(node));
  }
}

/// Afterwards there is room for all nodes wherever they go, without an allocation.
template <class Loop>
auto BasicCurlAsync<Loop>::take_idle() -> Node {
  if (idle_.empty()) {
    if (made_ >= idle_.capacity() || made_ >= landed_.capacity()) {
      flying_.reserve(2 * made_ + 16);
      landed_.reserve(2 * made_ + 16);
      idle_.reserve(2 * made_ + 16);
    }
    Flights maker;
    loop_.attend(maker.try_emplace(0, options_).first->second.exchange.handle());
    ++made_;
    return maker.extract(maker.begin());
  }
  Node node = std::move(idle_.back());
  idle_.pop_back();
  return node;
}

template <class Loop>
Result<void> BasicCurlAsync<Loop>::launch(Flight& flight) {
  if (flying_.contains(flight.completion.id)) return invalid_argument("the id of the exchange is that of another");
  if (Result<void> prepared = flight.prepare(); !prepared) return prepared;
  if (usable_ && curl_multi_add_handle(loop_.multi(), flight.exchange.handle()) == CURLM_OK) return {};
  return Error{
      .kind = ErrorKind::network,
      .message = "no memory or no file descriptors are left for the exchange; raise the limits of the process"};
}

template <class Loop>
void BasicCurlAsync<Loop>::cancel(std::uint64_t id) {
  const auto position = flying_.find(id);
  if (position == flying_.end()) return;
  Flight& flight = position->second;
  flight.completion.result = flight.exchange.cancelled();
  land(position);
}

template <class Loop>
void BasicCurlAsync<Loop>::land(typename Flights::iterator position) {
  curl_multi_remove_handle(loop_.multi(), position->second.exchange.handle());
  landed_.push_back(flying_.extract(position));
}

template <class Loop>
void BasicCurlAsync<Loop>::poll(std::vector<Completion>& out, Duration at_most) {
  constexpr Duration longest = std::chrono::hours(1);
  Clock::time_point now = Clock::now();
  const Clock::time_point end = now + std::clamp(at_most, Duration::zero(), longest);
  bool woken = false;
  do {
    turn(landed_.empty() ? std::min(end, next_expiry_) - now : Duration::zero(), woken);
    collect();
    now = Clock::now();
    if (now >= next_expiry_) expire(now);
  } while (landed_.empty() && !woken && now < end);
  hand_over(out);
}

template <class Loop>
void BasicCurlAsync<Loop>::turn(Duration at_most, bool& woken) {
  if (usable_) {
    woken = loop_.turn(at_most);
  } else {
    // Nothing can wake this one, so it comes back soon.
    std::this_thread::sleep_for(std::min<Duration>(at_most, std::chrono::milliseconds(10)));
    woken = true;
  }
}

template <class Loop>
void BasicCurlAsync<Loop>::collect() {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(loop_.multi(), &left)) {
    const CURLcode code = message->data.result;
    Completion* completion = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &completion);
    const auto position = flying_.find(completion->id);
    Flight& flight = position->second;
    land(position);
    completion->result = flight.exchange.finish(code);
  }
}

/// libcurl does not look at the time limit of what waits for a connection. The earliest deadline is only known when it
/// is over: most exchanges end long before, and need not be kept in order of their deadlines.
template <class Loop>
void BasicCurlAsync<Loop>::expire(Clock::time_point now) {
  next_expiry_ = Clock::time_point::max();
  for (auto next = flying_.begin(); next != flying_.end();) {
    const auto position = next++;
    Flight& flight = position->second;
    if (flight.deadline > now) {
      next_expiry_ = std::min(next_expiry_, flight.deadline);
    } else {
      land(position);
      flight.completion.result = flight.exchange.finish(CURLE_OPERATION_TIMEDOUT);
    }
  }
}

template <class Loop>
void BasicCurlAsync<Loop>::hand_over(std::vector<Completion>& out) {
  std::size_t next = out.size();
  out.resize(next + landed_.size());
  for (Node& node : landed_) {
    out[next++] = std::move(node.mapped().completion);
    idle_.push_back(std::move(node));
  }
  landed_.clear();
}

}  // namespace dmq::inline DMQ_ABI::http
