#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <dmq/core/clock.hpp>
#include <dmq/http/message.hpp>
#include <dmq/testing/sqs_service.hpp>

namespace dmq::inline DMQ_ABI::testing {

/// Answers that are known and come later. A value; not thread-safe.
class DelayedAnswers {
 public:
  void add(PollId id, http::Response response, Ticks due) { answers_.insert_or_assign({due, id}, std::move(response)); }
  void cancel(PollId id) {
    std::erase_if(answers_, [&](const auto& answer) { return answer.first.second == id; });
  }

  /// Moves those that are due at `now` behind `answered`.
  void advance(Ticks now, std::vector<Answered>& answered) {
    while (!answers_.empty() && answers_.begin()->first.first <= now) {
      auto next = answers_.extract(answers_.begin());
      answered.push_back({next.key().second, std::move(next.mapped())});
    }
  }
  /// Nothing while there are none.
  std::optional<Ticks> next_deadline() const {
    return answers_.empty() ? std::nullopt : std::optional(answers_.begin()->first.first);
  }

 private:
  std::map<std::pair<Ticks, PollId>, http::Response> answers_;
};

}  // namespace dmq::inline DMQ_ABI::testing
