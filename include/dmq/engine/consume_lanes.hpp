#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <dmq/engine/claim.hpp>
#include <dmq/engine/rule.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// The order of one group: what is held of it. On a standard queue each message has a lane of its own.
struct ConsumeLane {
  /// A failed message that was given back, and behind which others are still held.
  struct Awaited {
    std::string message_id{};
    Fence fence{};
    Ticks back_at{};  ///< When it is visible again.
  };

  std::string key{};
  std::vector<Held*> held{};  ///< By sequence number, but nothing before one that is running.
  std::optional<Awaited> awaited{};
  bool listed = false;  ///< Among those that may have something for a worker.

  Held* find(std::string_view message_id) const {
    const auto found =
        std::find_if(held.begin(), held.end(), [&](const Held* h) { return h->delivery->message_id == message_id; });
    return found == held.end() ? nullptr : *found;
  }
};

/// All that a consumer holds, by group and by id. Not thread-safe.
class ConsumeLanes {
 public:
  explicit ConsumeLanes(bool pipelined) : pipelined_(pipelined) {}

  std::size_t size() const noexcept { return held_.size(); }
  auto begin() const noexcept { return held_.begin(); }
  auto end() const noexcept { return held_.end(); }

  ConsumeLane& lane(const std::string& key) {
    const auto [it, fresh] = lanes_.try_emplace(key);
    if (fresh) it->second.key = key;
    return it->second;
  }
  ConsumeLane* find_lane(const std::string& key) {
    const auto found = lanes_.find(key);
    return found == lanes_.end() ? nullptr : &found->second;
  }
  Held* find(std::uint64_t id) const {
    const auto found = held_.find(id);
    return found == held_.end() ? nullptr : found->second.get();
  }

  Held& add(ConsumeLane& lane, Delivery delivery, Lease lease) {
    auto held = std::make_unique<Held>(Held{.id = ++last_id_,
                                            .delivery = std::make_shared<Delivery>(std::move(delivery)),
                                            .lease = std::move(lease),
                                            .lane = &lane});
    held->receipt_handle = held->delivery->receipt_handle;
    held->receive_count = held->delivery->receive_count;
    const auto is_before = [](const Held& a, const Held& b) { return a.delivery->fence() < b.delivery->fence(); };
    auto place = std::find_if(lane.held.begin(), lane.held.end(),
                              [&](const Held* h) { return h->state == Held::State::waiting && is_before(*held, *h); });
    lane.held.insert(place, held.get());
    return *held_.emplace(held->id, std::move(held)).first->second;
  }

  /// Its lane stays, until drop_empty().
  void remove(Held& held) {
    std::erase(held.lane->held, &held);
    held_.erase(held.id);
  }
  void drop_empty(ConsumeLane& lane) {
    if (!lane.held.empty() || lane.listed) return;
    lanes_.erase(lanes_.find(lane.key));
  }

  /// The one whose turn it is, or null.
  Held* next_of(const ConsumeLane& lane) const {
    if (lane.awaited && holds(Rule::tail_waits_for_its_head)) return nullptr;
    for (Held* held : lane.held) {
      if (held->state == Held::State::waiting) return held;
      if (held->state == Held::State::running && holds(Rule::one_handler_in_a_lane)) return nullptr;
      if (held->state == Held::State::finished && !pipelined_ && holds(Rule::next_after_delete)) return nullptr;
    }
    return nullptr;
  }

  /// Has the lane looked at by take_listed() when it has something for a worker.
  void consider(ConsumeLane& lane) {
    if (lane.listed || next_of(lane) == nullptr) return;
    lane.listed = true;
    listed_.push_back(&lane);
  }
  bool has_listed() const noexcept { return !listed_.empty(); }
  /// The next lane that may have something, or null.
  ConsumeLane* take_listed() noexcept {
    if (listed_.empty()) return nullptr;
    ConsumeLane* const lane = listed_.front();
    listed_.pop_front();
    lane->listed = false;
    return lane;
  }

  /// The lane whose failed message is visible again first, or null.
  ConsumeLane* first_awaiting() {
    ConsumeLane* first = nullptr;
    for (auto& [key, lane] : lanes_)
      if (lane.awaited && !lane.held.empty() && (first == nullptr || lane.awaited->back_at < first->awaited->back_at))
        first = &lane;
    return first;
  }
  std::vector<ConsumeLane*> all() {
    std::vector<ConsumeLane*> lanes;
    for (auto& [key, lane] : lanes_) lanes.push_back(&lane);
    return lanes;
  }

 private:
  bool pipelined_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Held>> held_;
  std::unordered_map<std::string, ConsumeLane> lanes_;
  std::deque<ConsumeLane*> listed_;
};

}  // namespace dmq::inline DMQ_ABI::engine
