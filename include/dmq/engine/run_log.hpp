#pragma once

#include <utility>
#include <vector>

#include <dmq/engine/consume_orders.hpp>
#include <dmq/run_report.hpp>

namespace dmq::inline DMQ_ABI::engine {

/// What a run tells: its report at the end, and events on the way, when somebody listens.
struct RunLog {
  explicit RunLog(bool somebody_listens) : keeps_notices(somebody_listens) {}

  void note(Notice notice) {
    if (keeps_notices) notices.push_back(std::move(notice));
  }

  bool keeps_notices;
  RunReport report{};
  std::vector<Notice> notices{};
};

}  // namespace dmq::inline DMQ_ABI::engine
