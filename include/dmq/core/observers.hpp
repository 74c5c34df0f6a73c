#pragma once

#include <tuple>
#include <utility>

#include <dmq/core/observer.hpp>

namespace dmq::inline DMQ_ABI {

/// Several observers as one: each event goes to all, in their order.
template <Observer... Each>
class Observers {
 public:
  explicit Observers(Each... each) : each_(std::move(each)...) {}

  void operator()(const Event& event) const noexcept {
    std::apply([&](const Each&... observer) { (observer(event), ...); }, each_);
  }

 private:
  std::tuple<Each...> each_;
};

template <Observer... Each>
Observers<Each...> observers(Each... each) {
  return Observers<Each...>(std::move(each)...);
}

}  // namespace dmq::inline DMQ_ABI
