#pragma once

#include <memory>
#include <string>
#include <utility>

#include <dmq/auth/cognito.hpp>
#include <dmq/auth/sigv4.hpp>
#include <dmq/consumer.hpp>
#include <dmq/crypto/random_ids.hpp>
#include <dmq/gateway/batch_route.hpp>
#include <dmq/gateway/publish_route.hpp>
#include <dmq/producer.hpp>
#include <dmq/sqs/send_route.hpp>
#include <dmq/testing/cloud_host.hpp>
#include <support/parser.hpp>

/// Producers and consumers over any transport and clock, wired as wired/ does it, without its leaves.
namespace support {

inline constexpr const char* api_url = "http://localhost/v1/publish-queue";
inline constexpr const char* queue_url = "http://localhost/000000000000/dmq.fifo";

inline dmq::PublishSettings settings() {
  dmq::PublishSettings settings;
  settings.new_id = dmq::crypto::RandomIds();
  return settings;
}

inline auto bearer() {
  return dmq::auth::Bearer(dmq::auth::cognito::ClientCredentials({.token_url = "http://localhost/oauth2/token",
                                                                  .client_id = "local-client",
                                                                  .client_secret = dmq::Secret("local-client-secret"),
                                                                  .scope = "dmq/publish"},
                                                                 parse));
}

inline auto signer() {
  return dmq::auth::SigV4(dmq::auth::StaticCredentials({.access_key_id = "AKIALOCALCLOUD000000",
                                                        .secret_access_key = dmq::Secret("local-cloud-secret-key")}),
                          {.region = "us-east-1", .service = "sqs"});
}

template <class Route, class Transport, class Clock = dmq::SystemClock, class Observer = dmq::NoObserver>
auto gateway_producer(Transport transport, Clock clock = {}, dmq::PublishSettings settings = support::settings(),
                      Observer observer = {}) {
  return dmq::Producer(std::move(transport), Route(api_url, parse), bearer(), std::move(settings), std::move(clock),
                       std::move(observer));
}

template <class Transport, class Clock = dmq::SystemClock>
auto direct_producer(Transport transport, Clock clock = {}, dmq::PublishSettings settings = support::settings()) {
  return dmq::Producer(std::move(transport), dmq::sqs::SendRoute({"http://localhost", parse}, queue_url), signer(),
                       std::move(settings), std::move(clock));
}

template <class Transport, class Clock = dmq::SystemClock>
auto consumer(Transport transport, Clock clock = {}, std::chrono::seconds visibility = std::chrono::seconds(30)) {
  return dmq::Consumer(std::move(transport), dmq::sqs::Wire("http://localhost", parse), signer(),
                       {.queue_url = queue_url, .visibility = visibility, .new_id = dmq::crypto::RandomIds()},
                       std::move(clock));
}

/// A cloud in this process on a clock.
template <class Clock>
struct Cloud {
  explicit Cloud(Clock time = Clock(), dmq::testing::CloudHooks hooks = {})
      : clock(std::move(time)),
        host(std::make_shared<dmq::testing::CloudHost<Clock>>(
            dmq::testing::LocalCloud({.signing_key = key(), .started = dmq::instant(clock)}, parse), clock)),
        transport(host, std::move(hooks)) {}

  std::vector<dmq::testing::HeldMessage> messages() const {
    return host->with([](auto& cloud) { return cloud.messages("dmq.fifo"); });
  }
  auto token_requests() const {
    return host->with([](auto& cloud) { return cloud.token_requests(); });
  }

  /// Made once: it takes a tenth of a second.
  static dmq::testing::RsaKey key() {
    static const dmq::testing::RsaKey shared = dmq::testing::RsaKey::generate();
    return shared;
  }

  Clock clock;
  std::shared_ptr<dmq::testing::CloudHost<Clock>> host;
  dmq::testing::CloudTransport<Clock> transport;
};

}  // namespace support
