#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <ratio>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/core/observer.hpp>
#include <dmq/encoding/http_date.hpp>
#include <dmq/encoding/utf8.hpp>

namespace dmq::inline DMQ_ABI {

/// Writes one line an event: time, level, operation, what happened, attempt, duration, status, request id, sizes, the
/// message that it is about or how many there were, and for failures the error. No token, secret or body can be in it,
/// since none is in an event. Thread-safe; copies share the sink, which is called by one thread at a time. What a sink
/// throws is swallowed.
class LogObserver {
 public:
  using Sink = std::function<void(std::string_view line)>;
  enum class Colour { off, on };

  /// `sink` gets each line without its end.
  explicit LogObserver(Sink sink, Level least = Level::info, Colour colour = Colour::off)
      : shared_(std::make_shared<Shared>(std::move(sink), least, colour)) {}

  /// To a stream that outlives the observer, in colour when it is a terminal.
  explicit LogObserver(std::FILE* stream = stderr, Level least = Level::info)
      : LogObserver(
            [stream](std::string_view line) {
              std::string whole(line);
              whole.push_back('\n');
              std::fwrite(whole.data(), 1, whole.size(), stream);
            },
            least, isatty(fileno(stream)) == 1 ? Colour::on : Colour::off) {}

  void operator()(const Event& event) const noexcept {
    if (event.level < shared_->least) return;
    try {
      const std::string line = format(event, shared_->colour);
      const std::lock_guard lock(shared_->mutex);
      shared_->sink(line);
    } catch (...) {
      // A log that fails must not fail the message.
    }
  }

  static std::string format(const Event& event, Colour colour = Colour::off) {
    std::string line = encoding::iso_date(event.at);
    const bool coloured = colour == Colour::on;
    line.append(coloured ? paint(event.level) : " ").append(to_string(event.level));
    line.append(coloured ? "\033[0m " : " ").append(event.operation).append(" ").append(to_string(event.kind));
    if (event.attempt > 0) field(line, "attempt", std::to_string(event.attempt));
    if (event.duration != Duration::zero()) field(line, "ms", milliseconds(event.duration));
    if (event.http_status != 0) field(line, "status", std::to_string(event.http_status));
    if (!event.request_id.empty()) field(line, "request", printable(event.request_id));
    if (event.bytes_out != 0) field(line, "out", std::to_string(event.bytes_out));
    if (event.bytes_in != 0) field(line, "in", std::to_string(event.bytes_in));
    if (!event.group.empty()) field(line, "group", printable(event.group));
    if (!event.message_id.empty()) field(line, "id", printable(event.message_id));
    if (event.receive_count != 0) field(line, "received", std::to_string(event.receive_count));
    if (event.count != 0 || event.kind == EventKind::received) field(line, "count", std::to_string(event.count));
    if (event.error != nullptr) line.append(" ").append(printable(untold(*event.error).describe()));
    return line;
  }

 private:
  struct Shared {
    Shared(Sink s, Level l, Colour c) : sink(std::move(s)), least(l), colour(c) {}
    std::mutex mutex;
    Sink sink;
    Level least;
    Colour colour;
  };

  /// The error without what the fields of the line say already.
  static Error untold(Error error) {
    error.http_status = 0;
    error.request_id.clear();
    error.attempts = 0;
    return error;
  }

  static std::string_view paint(Level level) {
    switch (level) {
      case Level::debug: return " \033[2m";
      case Level::info: return " \033[36m";
      case Level::warning: return " \033[33m";
      case Level::error: return " \033[31m";
    }
    return " ";
  }

  static void field(std::string& line, std::string_view name, std::string_view value) {
    line.append(" ").append(name).append("=").append(value);
  }

  /// With one digit behind a dot, whatever the locale.
  static std::string milliseconds(Duration duration) {
    using Tenths = std::chrono::duration<std::int64_t, std::ratio<1, 10'000>>;
    const auto tenths = std::chrono::round<Tenths>(std::max(duration, Duration::zero())).count();
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
  }

  /// What a service sends can't break a line or steer the terminal: neither by control characters, those of C1
  /// included (U+009B begins an escape sequence), nor by bytes that are not UTF-8.
  static std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
      const auto [code_point, size] = encoding::detail::decode_utf8(text);
      const bool shown = size > 0 && code_point >= 0x20 && (code_point < 0x7F || code_point > 0x9F);
      out.append(shown ? text.substr(0, size) : "?");
      text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return out;
  }

  std::shared_ptr<Shared> shared_;
};

static_assert(Observer<LogObserver>);

}  // namespace dmq::inline DMQ_ABI
