#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What the promises of publishing and consuming stand on. Each rule is asked for where it is kept, and holds. A
/// program that is compiled with DMQ_BREAK_RULES, all of it, may break one, to see that its simulation notices.
enum class Rule {
  one_request_in_a_lane,       ///< No message leaves while another of its group is in flight.
  repeat_within_window,        ///< What may be in the queue is sent again only while the queue remembers its id.
  one_id_for_all_attempts,     ///< The deduplication id of a publish never changes.
  acceptance_is_proven,        ///< Only a message id with the right MD5 is acceptance.
  outcomes_join,               ///< Once the fate of an attempt was unknown, only acceptance makes it better.
  tail_comes_back,             ///< What waits behind a failure is reported, too.
  nothing_passes_a_failure,    ///< A failure corks its lane.
  lost_message_may_land,       ///< After an unknown, its group waits for as long as that may still arrive.
  failed_behind_accepted_end,  ///< A failed entry with an accepted one of its group behind it is not sent again.
  resent_is_unknown,           ///< The answer to a request that was sent twice says nothing of the first sending.

  next_after_delete,           ///< The next of a group begins when the delete of the one before is confirmed.
  one_handler_in_a_lane,       ///< A message that comes again does not run beside its earlier handler.
  lease_is_checked,            ///< Nothing begins whose lease is over, or about to be.
  leases_are_extended,         ///< All that is held is extended in time.
  stop_before_loss,            ///< The handler is told before its lease is over.
  tail_waits_for_its_head,     ///< What was taken behind a failed message is not handled before that came back.
  tail_outlasts_the_back_off,  ///< It is kept for longer than the back-off of its head.
  loss_drops_the_tail,         ///< What was taken behind a message whose lease is lost is not handled.
  finished_is_remembered,      ///< A message that was handled is deleted, not handled, when it comes again.
  damage_stops_the_lane,       ///< A damaged message counts as one that failed.
  no_poll_without_room,        ///< No more is taken than may be held.
  lost_poll_is_repeated,       ///< A poll whose answer was lost is repeated under its attempt id.
  released_at_the_end,         ///< What waits when a consumer stops is given back.
};

using RuleName = std::pair<Rule, std::string_view>;

inline constexpr std::array<RuleName, 10> publish_rules = {
    {{Rule::one_request_in_a_lane, "one-request-in-a-lane"},
     {Rule::repeat_within_window, "repeat-within-window"},
     {Rule::one_id_for_all_attempts, "one-id-for-all-attempts"},
     {Rule::acceptance_is_proven, "acceptance-is-proven"},
     {Rule::outcomes_join, "outcomes-join"},
     {Rule::tail_comes_back, "tail-comes-back"},
     {Rule::nothing_passes_a_failure, "nothing-passes-a-failure"},
     {Rule::lost_message_may_land, "lost-message-may-land"},
     {Rule::failed_behind_accepted_end, "failed-behind-accepted-end"},
     {Rule::resent_is_unknown, "resent-is-unknown"}}};

inline constexpr std::array<RuleName, 13> consume_rules = {
    {{Rule::next_after_delete, "next-after-delete"},
     {Rule::one_handler_in_a_lane, "one-handler-in-a-lane"},
     {Rule::lease_is_checked, "lease-is-checked"},
     {Rule::leases_are_extended, "leases-are-extended"},
     {Rule::stop_before_loss, "stop-before-loss"},
     {Rule::tail_waits_for_its_head, "tail-waits-for-its-head"},
     {Rule::tail_outlasts_the_back_off, "tail-outlasts-the-back-off"},
     {Rule::loss_drops_the_tail, "loss-drops-the-tail"},
     {Rule::finished_is_remembered, "finished-is-remembered"},
     {Rule::damage_stops_the_lane, "damage-stops-the-lane"},
     {Rule::no_poll_without_room, "no-poll-without-room"},
     {Rule::lost_poll_is_repeated, "lost-poll-is-repeated"},
     {Rule::released_at_the_end, "released-at-the-end"}}};

#ifdef DMQ_BREAK_RULES
inline std::optional<Rule> broken_rule;
inline bool holds(Rule rule) noexcept {
  return broken_rule != rule;
}
#else
constexpr bool holds(Rule) noexcept {
  return true;
}
#endif

}  // namespace dmq::inline DMQ_ABI::engine
