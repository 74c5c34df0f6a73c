#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <dmq/version.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What the promises of publishing stand on. Each rule is asked for where it is kept, and holds. A program that is
/// compiled with DMQ_BREAK_RULES, all of it, may break one, to see that its simulation notices.
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
};

inline constexpr std::array<std::pair<Rule, std::string_view>, 10> rules = {
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
