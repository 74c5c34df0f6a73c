#pragma once

#include <concepts>
#include <memory>
#include <stop_token>
#include <utility>

#include <dmq/core/result.hpp>
#include <dmq/http/message.hpp>

namespace dmq::inline DMQ_ABI::http {

/// What the library asks of an HTTP client. To write one, give a type this member, callable from any number of threads
/// at once:
///
///     Result<http::Response> send(const http::Request&, std::stop_token);
///
/// Any status is a success: what it means is for others to say. A failure has
/// - kind network, timeout (the request's limit ran out), cancelled (the stop token fired: at once), invalid_argument
///   (the request can't be sent), or integrity (the body is larger than the limit);
/// - delivery not_sent only when it is certain that no byte of the request went out, else unknown. Most of what the
///   library promises stands on this, and on one more: it sends a request once, unless `request.resend` allows more.
/// Redirects are not followed.
template <class T>
concept HttpTransport =
    std::move_constructible<T> && requires(T& transport, const Request& request, std::stop_token stop) {
      { transport.send(request, stop) } -> std::same_as<Result<Response>>;
    };

/// One transport for several owners; copies share it.
template <HttpTransport T>
class SharedTransport {
 public:
  explicit SharedTransport(T transport) : transport_(std::make_shared<T>(std::move(transport))) {}
  explicit SharedTransport(std::shared_ptr<T> transport) : transport_(std::move(transport)) {}

  Result<Response> send(const Request& request, std::stop_token stop) {
    return transport_->send(request, std::move(stop));
  }
  /// That of the transport, where it has one.
  template <class U = T>
  auto open_async() -> decltype(std::declval<U&>().open_async()) {
    return transport_->open_async();
  }
  T& operator*() const noexcept { return *transport_; }
  T* operator->() const noexcept { return transport_.get(); }

 private:
  std::shared_ptr<T> transport_;
};

}  // namespace dmq::inline DMQ_ABI::http
