#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// The ids of messages that were handled and whose delete is not confirmed: should one of them come again, it is
/// deleted without being handled again. When there are too many the oldest is forgotten. Not thread-safe.
class Acknowledgements {
 public:
  explicit Acknowledgements(std::size_t capacity = 10'000) : capacity_(capacity) {}

  bool contains(std::string_view id) const { return places_.contains(id); }
  std::size_t size() const noexcept { return order_.size(); }

  /// The one that had to be forgotten for it, if any.
  std::optional<std::string> insert(const std::string& id) {
    if (contains(id)) return std::nullopt;
    order_.push_back(id);
    places_.emplace(order_.back(), std::prev(order_.end()));
    if (order_.size() <= capacity_) return std::nullopt;
    std::optional<std::string> forgotten = order_.front();
    erase(*forgotten);
    return forgotten;
  }

  void erase(std::string_view id) {
    const auto found = places_.find(id);
    if (found == places_.end()) return;
    const auto place = found->second;
    places_.erase(found);
    order_.erase(place);
  }

 private:
  std::size_t capacity_;
  std::list<std::string> order_;  ///< The oldest first.
  std::unordered_map<std::string_view, std::list<std::string>::iterator> places_;
};

}  // namespace dmq::inline DMQ_ABI::engine
