#pragma once

#ifdef __linux__
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

#include <dmq/http/curl.hpp>

namespace dmq::inline DMQ_ABI::http::detail {

/// Ends a connection whose packets nobody acknowledges, as when a cable is cut. The time limit of an HTTP/2 exchange
/// ends just that one, and the next would go the same way until the system gives up, a quarter of an hour later.
inline void bound_silence([[maybe_unused]] curl_socket_t socket) noexcept {
#ifdef TCP_USER_TIMEOUT
  constexpr unsigned int milliseconds = 10'000;
  static_cast<void>(setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds));
#endif
}

}  // namespace dmq::inline DMQ_ABI::http::detail
