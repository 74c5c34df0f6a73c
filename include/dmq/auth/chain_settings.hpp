#pragma once

#include <string>

#include <dmq/auth/metadata_request.hpp>
#include <dmq/environment.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::auth {

/// Where a chain of credentials looks.
struct ChainSettings {
  Environment environment = Environment::process();
  std::string profile{};  ///< Named in code, it is asked alone: keys and roles of the environment are left out.
  std::string region{};   ///< Of STS; empty: that of the environment or the profile.
  http::PlainHttp plain_http = http::PlainHttp::loopback_only;
  Sleep sleep{};  ///< Between two tries of a metadata service; empty: that of SystemClock.
};

}  // namespace dmq::inline DMQ_ABI::auth
