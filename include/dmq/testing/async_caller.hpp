#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <dmq/http/async_transport.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Sends over an AsyncHttpTransport and waits for single completions, so that tests read from top to bottom. Gives the
/// ids, from 1 on, and keeps what completes meanwhile. Used by the thread that uses the transport.
template <http::AsyncHttpTransport T>
class AsyncCaller {
 public:
  /// The transport has to outlive it. `patience`: how long await() waits at most, from the last start on.
  explicit AsyncCaller(T& transport, Duration patience = std::chrono::seconds(20))
      : transport_(transport), patience_(patience) {}

  std::uint64_t start(http::Request request) {
    last_start_ = Clock::now();
    expected_.push_back(next_id_);
    transport_.start(next_id_, std::move(request));
    return next_id_++;
  }

  /// Nothing when it does not come in time.
  std::optional<http::Completion> await(std::uint64_t id) {
    const auto is_it = [id](const http::Completion& completion) { return completion.id == id; };
    for (;;) {
      const auto found = std::find_if(done_.begin(), done_.end(), is_it);
      if (found != done_.end()) {
        std::optional<http::Completion> completion = std::move(*found);
        done_.erase(found);
        return completion;
      }
      if (!is_patient()) return std::nullopt;
      take(std::chrono::seconds(1));
    }
  }

  std::optional<http::Completion> send(http::Request request) { return await(start(std::move(request))); }

  /// One poll(); what completed is kept for await().
  void take(Duration at_most) {
    std::vector<http::Completion> out;
    transport_.poll(out, at_most);
    for (http::Completion& completion : out) {
      if (std::erase(expected_, completion.id) == 0) ++strays_;
      done_.push_back(std::move(completion));
    }
  }

  bool is_patient() const { return Clock::now() - last_start_ < patience_; }
  /// How many completions came that no start was waiting for.
  std::size_t strays() const noexcept { return strays_; }
  /// How many starts have no completion yet.
  std::size_t in_flight() const noexcept { return expected_.size(); }

 private:
  using Clock = std::chrono::steady_clock;

  T& transport_;
  Duration patience_;
  Clock::time_point last_start_{};
  std::uint64_t next_id_ = 1;
  std::vector<std::uint64_t> expected_;
  std::vector<http::Completion> done_;
  std::size_t strays_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::testing
