#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <dmq/runtime/handler.hpp>

namespace dmq::inline DMQ_ABI {

/// Messages of a standard queue that one call handles. A range of `const Delivery&`; valid during that call.
class Batch {
 public:
  class Iterator {
   public:
    using value_type = Delivery;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    explicit Iterator(const engine::Claim* claim) noexcept : claim_(claim) {}
    const Delivery& operator*() const noexcept { return *claim_->delivery; }
    const Delivery* operator->() const noexcept { return claim_->delivery.get(); }
    Iterator& operator++() noexcept { return ++claim_, *this; }
    Iterator operator++(int) noexcept { return Iterator(claim_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const engine::Claim* claim_ = nullptr;
  };

  explicit Batch(std::span<const engine::Claim> claims) noexcept : claims_(claims) {}

  std::size_t size() const noexcept { return claims_.size(); }
  const Delivery& operator[](std::size_t i) const noexcept { return *claims_[i].delivery; }
  /// Of the message at `i`.
  Lease lease(std::size_t i) const { return claims_[i].lease; }

  Iterator begin() const noexcept { return Iterator(claims_.data()); }
  Iterator end() const noexcept { return Iterator(claims_.data() + claims_.size()); }

 private:
  std::span<const engine::Claim> claims_;
};

static_assert(std::forward_iterator<Batch::Iterator>);

namespace detail {
template <class R>
inline constexpr bool is_batch_answer =
    std::is_void_v<R> || std::same_as<R, std::vector<Disposition>> || std::same_as<R, Result<void>>;
}  // namespace detail

/// What handles several messages in one call: a callable that takes a `const Batch&`, and returns nothing (all are
/// done), a std::vector<Disposition> with one for each message, in order, or a Result<void> (an error is a failure of
/// all). An exception is a failure of all, too. It is called from several threads at once.
template <class H>
concept BatchHandler =
    std::invocable<H&, const Batch&> && detail::is_batch_answer<std::invoke_result_t<H&, const Batch&>>;

namespace runtime {
inline void answer_each(const std::vector<Disposition>& dispositions, std::span<engine::Handled> handled) {
  if (dispositions.size() != handled.size())
    throw Exception({.kind = ErrorKind::handler,
                     .message = "the handler gave " + std::to_string(dispositions.size()) + " dispositions for " +
                                std::to_string(handled.size()) + " messages"});
  for (std::size_t i = 0; i < handled.size(); ++i) handled[i].disposition = dispositions[i];
}

/// Calls a handler of batches; whatever it throws is a failure of all the messages.
template <BatchHandler H>
void handle_batch(H& handler, std::span<const engine::Claim> claims, std::span<engine::Handled> handled) {
  try {
    const Batch batch(claims);
    using Answer = std::invoke_result_t<H&, const Batch&>;
    if constexpr (std::is_void_v<Answer>) {
      handler(batch);
    } else if constexpr (std::same_as<Answer, Result<void>>) {
      if (const Result<void> answer = handler(batch); !answer) throw Exception(answer.error());
    } else {
      answer_each(handler(batch), handled);
    }
  } catch (...) {
    std::fill(handled.begin(), handled.end(), failed_by_exception());
  }
}
}  // namespace runtime

}  // namespace dmq::inline DMQ_ABI
