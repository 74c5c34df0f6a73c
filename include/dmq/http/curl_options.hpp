#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <dmq/core/clock.hpp>
#include <dmq/http/url.hpp>

namespace dmq::inline DMQ_ABI::http {

/// Which HTTP a transport speaks.
enum class HttpVersion {
  best,   ///< HTTP/2 over TLS where the server offers it, else HTTP/1.1.
  http1,  ///< HTTP/1.1.
};

/// The settings of a transport over libcurl. Proxies come from the environment (https_proxy, no_proxy); what is for
/// loopback or the machine's metadata service never goes through one.
struct CurlOptions {
  Duration connect_timeout = std::chrono::milliseconds(3100);  ///< Name resolution, TCP and TLS together.
  std::size_t max_connections = 64;                            ///< Requests at once; others wait. At least 1.
  std::chrono::seconds max_connection_age{50};  ///< Idle for longer, it is not used again: servers close after 60 s.
  std::string ca_file{};                        ///< PEM file of the authorities to trust; empty: the system's.
  PlainHttp plain_http = PlainHttp::loopback_only;
  HttpVersion http_version = HttpVersion::best;
  std::string user_agent = "dmq/" DMQ_VERSION;
};

}  // namespace dmq::inline DMQ_ABI::http
