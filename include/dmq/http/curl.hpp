#pragma once

// libcurl enters dmq here and nowhere else.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <string>

#include <dmq/core/error.hpp>

/// What all users of libcurl in this library need; nothing for others.
namespace dmq::inline DMQ_ABI::http::detail {

struct CurlCleanup {
  void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
};
struct CurlMultiCleanup {
  void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
};
using CurlHandle = std::unique_ptr<CURL, CurlCleanup>;
using CurlMultiHandle = std::unique_ptr<CURLM, CurlMultiCleanup>;

/// Once for the program; never cleaned up, for nobody knows who else uses libcurl.
inline bool curl_is_ready() {
  static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return ready;
}

/// Rounded up; libcurl takes 0 for "no limit" and refuses more than an int of milliseconds, 24 days.
inline long curl_milliseconds(Duration duration) noexcept {
  constexpr std::chrono::milliseconds longest(std::numeric_limits<int>::max());
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(std::min<Duration>(duration, longest));
  return static_cast<long>(std::max<std::chrono::milliseconds::rep>(rounded.count(), 1));
}

/// What a failed transfer means. `host` is whom it was with; `details` are libcurl's, told only of TLS, where they
/// name the certificate's fault: elsewhere they may quote what was sent. The delivery is for the caller to set.
inline Error explain_curl(CURLcode code, const std::string& host, const std::string& details) {
  const auto network = [](std::string message) {
    return Error{.kind = ErrorKind::network, .message = std::move(message)};
  };
  const auto protocol = [](std::string message) {
    return Error{.kind = ErrorKind::protocol, .message = std::move(message)};
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return network("can't resolve the name of " + host + "; check it, and the name service of this machine");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return network("can't resolve the name of the proxy; check https_proxy and http_proxy in the environment");
    case CURLE_COULDNT_CONNECT:
      return network("can't connect to " + host + "; check that it runs and that no firewall is in between");
    case CURLE_PEER_FAILED_VERIFICATION:
      return network("the certificate of " + host + " is not trusted (" + details +
                     "); if a private authority signed it, give that authority's certificate as CurlOptions::ca_file");
    case CURLE_SSL_CACERT_BADFILE:
      return configuration_error("can't read CurlOptions::ca_file; it has to be a PEM file of certificates");
    case CURLE_SSL_CONNECT_ERROR:
      return network("TLS with " + host + " failed (" + details + "); it has to speak TLS 1.2 or newer");
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return network(host + " closed the connection before it had answered");
    case CURLE_PARTIAL_FILE: return network(host + " closed the connection in the middle of its answer");
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING: return protocol("the answer of " + host + " is not HTTP as it should be");
    case CURLE_OUT_OF_MEMORY: return network("no memory is left for the exchange with " + host);
    default: return network("the exchange with " + host + " failed: " + curl_easy_strerror(code));
  }
}

}  // namespace dmq::inline DMQ_ABI::http::detail
