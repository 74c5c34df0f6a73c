#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <dmq/engine/exchange.hpp>
#include <dmq/engine/publication.hpp>
#include <dmq/publish_settings.hpp>
#include <dmq/sqs/route.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// Whether the transport may send a publish twice by itself: where the queue recognises the second.
inline http::Resend resend_of(const PublishSettings& settings) noexcept {
  return settings.deduplication == Deduplication::none ? http::Resend::forbidden : http::Resend::allowed;
}

/// How long and how often one request is tried that carries these.
inline Terms publish_terms(const PublishSettings& settings, std::span<Publication* const> batch, Ticks deadline,
                           Patience patience) {
  Terms terms{.retry = settings.retry,
              .repeat = settings.deduplication == Deduplication::none ? retry::Repeat::never
                                                                      : retry::Repeat::within_deduplication_window,
              .request_timeout = settings.request_timeout,
              .deadline = deadline,
              .patience = patience};
  for (const Publication* publication : batch)
    if (publication->worst == DeliveryState::unknown) terms.first_byte = publication->first_byte;
  return terms;
}

/// One request of up to ten publications, and what its answers make of them. Each attempt carries those that are still
/// open, but of a run whose fate is unknown only the first. Pure.
template <Route R>
class PublishCall {
 public:
  using result_type = void;

  PublishCall(const R& route, std::span<Publication* const> batch, http::Resend resend)
      : route_(route), batch_(batch), resend_(resend) {}

  std::string_view name() const noexcept { return route_.name(); }

  Result<http::Request> build() {
    open_count_ = 0;
    for (Publication* publication : batch_)
      if (publication->fate == Publication::Fate::open && !is_behind_lost(*publication))
        open_[open_count_++] = publication;
    if (!holds(Rule::one_id_for_all_attempts))
      for (Publication* publication : sent()) publication->entry.deduplication_id += 'x';
    Result<http::Request> request = route_.build(entries());
    if (request) request->resend = resend_;
    return request;
  }

  /// Success when nothing is left to be sent, else the error of the first that is, as unknown as any of them.
  Result<void> parse(const http::Response& response) {
    std::vector<Result<Receipt>> results = route_.parse(response, entries());
    if (!holds(Rule::acceptance_is_proven) && response.status == 200) results.assign(open_count_, Receipt{});
    apply_results(sent(), std::move(results));
    check_order(batch_);
    Result<void> left;
    for (const Publication* publication : sent()) {
      if (publication->fate != Publication::Fate::open || leaves(*publication)) continue;
      if (left) left = publication->error;
      left.error().delivery = std::max(left.error().delivery, publication->worst);
    }
    return left;
  }

  /// Of those that the last request carried, once its answer is parsed.
  std::size_t accepted() const {
    const auto sending = sent();
    const auto taken = std::count_if(sending.begin(), sending.end(), [](const Publication* publication) {
      return publication->fate == Publication::Fate::accepted;
    });
    return static_cast<std::size_t>(taken);
  }

  /// Something failed for which there is no answer to parse.
  void on_failure(const Error& error) {
    for (Publication* publication : batch_)
      if (publication->fate == Publication::Fate::open) publication->note(error);
  }

  /// The transport has sent the request twice.
  void on_resend() noexcept {
    if (!holds(Rule::resent_is_unknown)) return;
    for (Publication* publication : sent()) publication->worst = DeliveryState::unknown;
  }

 private:
  std::span<Publication* const> sent() const { return std::span(open_).first(open_count_); }

  /// Behind one of its group that may be in the queue or not: were it accepted now and that one refused, an earlier
  /// sending of that one could still land behind it. So of a run that was lost only the first is sent again, and the
  /// others leave the call with the next answer.
  bool is_behind_lost(const Publication& publication) const {
    const auto sending = sent();
    return std::any_of(sending.begin(), sending.end(), [&](const Publication* before) {
      return before->worst == DeliveryState::unknown && detail::same_lane(*before, publication);
    });
  }

  /// Was refused together with others, and is to be sent by another call.
  bool leaves(const Publication& publication) const noexcept { return publication.alone && open_count_ > 1; }

  EntryBatch entries() {
    for (std::size_t i = 0; i < open_count_; ++i) entries_[i] = &open_[i]->entry;
    return EntryBatch(entries_).first(open_count_);
  }

  const R& route_;
  std::span<Publication* const> batch_;
  http::Resend resend_;
  std::array<Publication*, 10> open_{};
  std::array<const Entry*, 10> entries_{};
  std::size_t open_count_ = 0;
};

}  // namespace dmq::inline DMQ_ABI::engine
