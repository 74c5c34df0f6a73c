#include <dmq/dmq.hpp>

#include <doctest/doctest.h>

#include <string>

#include <dmq/testing/scripted_transport.hpp>

using dmq::Environment;
using dmq::ErrorKind;
using dmq::testing::ScriptedTransport;

namespace {

dmq::QueueOptions queue(const char* name) {
  return dmq::QueueOptions::from_env(Environment::of({{"SQS_QUEUE_URL", std::string("http://localhost/1/") + name},
                                                      {"AWS_REGION", "us-east-1"},
                                                      {"AWS_ACCESS_KEY_ID", "id"},
                                                      {"AWS_SECRET_ACCESS_KEY", "secret"}}))
      .value();
}

}  // namespace

TEST_CASE("a producer's deduplication has to fit the type of its queue, which its URL tells") {
  dmq::QueueOptions fifo = queue("q.fifo");
  CHECK(dmq::make_producer(fifo, ScriptedTransport()));
  fifo.publish.deduplication = dmq::Deduplication::none;
  CHECK(dmq::make_producer(fifo, ScriptedTransport()).error().kind == ErrorKind::configuration);

  dmq::QueueOptions standard = queue("q");
  const auto refused = dmq::make_producer(standard, ScriptedTransport());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::configuration);
  CHECK(refused.error().message.find("Deduplication::none") != std::string::npos);
  standard.publish.deduplication = dmq::Deduplication::none;
  CHECK(dmq::make_producer(standard, ScriptedTransport()));
}

TEST_CASE("the factories refuse settings that contradict each other") {
  dmq::QueueOptions options = queue("q.fifo");
  options.publish.in_group_batch = 11;
  CHECK(dmq::make_producer(options, ScriptedTransport()).error().kind == ErrorKind::invalid_argument);
  options.consume.visibility = std::chrono::hours(13);
  CHECK(dmq::make_consumer(options, ScriptedTransport()).error().kind == ErrorKind::invalid_argument);
}

TEST_CASE("http:// to another machine is let through when it is asked for, and by nothing else") {
  const Environment environment = Environment::of({{"API_URL", "http://local-cloud:9324/v1/publish-queue"},
                                                   {"COGNITO_TOKEN_URL", "http://local-cloud:9324/oauth2/token"},
                                                   {"COGNITO_CLIENT_ID", "id"},
                                                   {"COGNITO_CLIENT_SECRET", "secret"}});
  const auto refused = dmq::GatewayOptions::from_env(environment);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("PlainHttp::anywhere") != std::string::npos);
  const auto options = dmq::GatewayOptions::from_env(environment, dmq::http::PlainHttp::anywhere);
  REQUIRE(options);
  CHECK(dmq::make_producer(*options, ScriptedTransport()));
}
