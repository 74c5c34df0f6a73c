#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

#include <bench/measure.hpp>
#include <dmq/encoding/json_writer.hpp>

namespace bench {

/// The one line of JSON that an operation prints.
class Report {
 public:
  Report(std::string_view operation, std::size_t n) {
    json_.begin_object().key("op").value(operation).key("n").raw(std::to_string(n));
  }

  Report& field(std::string_view name, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.5g", value);
    json_.key(name).raw(text);
    return *this;
  }

  Report& count(std::string_view name, std::size_t value) {
    json_.key(name).raw(std::to_string(value));
    return *this;
  }

  /// The fields that all operations have.
  Report& cost(const Cost& cost, std::size_t requests, std::size_t messages) {
    const auto r = static_cast<double>(requests);
    const auto m = static_cast<double>(messages);
    return field("requests_per_s", r / cost.wall_us * 1e6)
        .field("messages_per_s", m / cost.wall_us * 1e6)
        .field("cpu_us_per_request", cost.cpu_us / r)
        .field("cpu_us_per_message", cost.cpu_us / m)
        .field("allocations_per_request", cost.allocations / r);
  }

  /// A figure that has a budget, and whether it holds.
  Report& at_most(std::string_view name, double value, double budget) {
    judge(value <= budget);
    return field(name, value).field(std::string(name) + "_at_most", budget);
  }
  Report& at_least(std::string_view name, double value, double budget) {
    judge(value >= budget);
    return field(name, value).field(std::string(name) + "_at_least", budget);
  }

  /// The exit code: 0 when all budgets hold, else 1.
  int print() {
    if (judged_) json_.key("met").value(met_);
    json_.end_object();
    std::puts(text_.c_str());
    std::fflush(stdout);
    return met_ ? 0 : 1;
  }

 private:
  void judge(bool holds) {
    judged_ = true;
    met_ = met_ && holds;
  }

  std::string text_;
  dmq::encoding::JsonWriter json_{text_};
  bool judged_ = false;
  bool met_ = true;
};

}  // namespace bench
