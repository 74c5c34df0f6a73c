#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include <dmq/auth/credentials.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/auth/sts.hpp>
#include <dmq/http/transport.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// Takes on roles with keys that are there already (STS AssumeRole, signed). It keeps what it has learnt of the
/// service's clock: when STS refuses a signature for its time, the request is signed anew, once.
class RoleTaker {
 public:
  explicit RoleTaker(std::string region)
      : signer_(StaticCredentials({}), {.region = std::move(region), .service = "sts"}) {}

  /// Errors: configuration, authorization, protocol, throttled, unavailable, and those of the transport.
  template <http::HttpTransport Transport>
  Result<Fetched<Credentials>> assume(const sts::Role& role, const std::string& endpoint, const Credentials& keys,
                                      Transport& transport, Instant now, const std::stop_token& stop) {
    constexpr std::string_view action = "AssumeRole";
    http::Request request = sts::request(action, endpoint, role, now.wall);
    Result<http::Response> response = send(request, keys, transport, now, stop);
    if (response && signer_.verdict(*response, now) == Verdict::skew)
      response = send(request, keys, transport, now, stop);
    if (!response) return std::move(response).error();
    return sts::parse(action, *response, role, now);
  }

 private:
  template <http::HttpTransport Transport>
  Result<http::Response> send(http::Request& request, const Credentials& keys, Transport& transport, Instant now,
                              const std::stop_token& stop) {
    if (Result<void> ok = signer_.authorize(request, keys, now); !ok) return std::move(ok).error();
    return transport.send(request, stop);
  }

  SigV4<StaticCredentials> signer_;
};

}  // namespace dmq::inline DMQ_ABI::auth
