#pragma once

#include <memory>
#include <stop_token>
#include <utility>
#include <vector>

#include <bench/canned.hpp>
#include <dmq/http/transport.hpp>

namespace bench {

using Recording = std::shared_ptr<std::vector<dmq::http::Request>>;

/// Keeps what it is to send, and gives the server's answers without it: the floor sends the same bytes.
class Recorder {
 public:
  explicit Recorder(Recording recording) : recording_(std::move(recording)) {}
  dmq::Result<dmq::http::Response> send(const dmq::http::Request& request, std::stop_token) {
    recording_->push_back(request);
    return dmq::http::Response{.status = 200, .body = canned_answer(request)};
  }

 private:
  Recording recording_;
};

static_assert(dmq::http::HttpTransport<Recorder>);

}  // namespace bench
