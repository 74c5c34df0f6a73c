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

TEST_CASE("queue clients sign with the keys of a chain") {
  const Environment environment = Environment::of({{"SQS_QUEUE_URL", "http://localhost/1/q.fifo"},
                                                   {"AWS_REGION", "us-east-1"},
                                                   {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/keys"}});
  const auto options = dmq::QueueOptions::from_env(environment).value();
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = R"({"AccessKeyId":"ASIA","SecretAccessKey":"hunter2","Token":"hunter3",
                               "Expiration":"2200-01-01T00:00:00Z"})"});
  transport.reply({.status = 200, .body = "{}"});
  auto consumer = dmq::make_consumer(options, transport).value();
  CHECK(consumer.receive().value().empty());
  const auto requests = transport.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].url == "http://localhost/keys");
  CHECK(requests[1].headers.get("Authorization").starts_with("AWS4-HMAC-SHA256 Credential=ASIA/"));
  CHECK(requests[1].headers.get("X-Amz-Security-Token") == "hunter3");
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

TEST_CASE("a client needs no queue, but the region, and asks AWS's endpoint unless there is another") {
  Environment::Values values{{"AWS_REGION", "eu-central-1"},
                             {"AWS_ACCESS_KEY_ID", "id"},
                             {"AWS_SECRET_ACCESS_KEY", "secret"},
                             {"AWS_CONFIG_FILE", "/nonexistent/config"},
                             {"AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials"}};
  const auto url = [&] {
    ScriptedTransport transport;
    transport.otherwise([](const auto&) { return dmq::http::Response{.status = 200, .body = "{}"}; });
    auto client =
        dmq::make_client(dmq::QueueOptions::account_from_env(Environment::of(values)).value(), transport).value();
    CHECK(client.list_all_queues().value().empty());
    CHECK(std::string(transport.requests().at(0).headers.get("Authorization")).find("/eu-central-1/sqs/") !=
          std::string::npos);
    return transport.requests().at(0).url;
  };
  CHECK(url() == "https://sqs.eu-central-1.amazonaws.com/");
  values["AWS_ENDPOINT_URL_SQS"] = "http://localhost:9324";
  CHECK(url() == "http://localhost:9324/");
  values.erase("AWS_ENDPOINT_URL_SQS");
  values["SQS_QUEUE_URL"] = "http://localhost/1/q.fifo";
  CHECK(url() == "http://localhost/");

  values["SQS_QUEUE_URL"] = "http://localhost/q.fifo";
  CHECK(dmq::QueueOptions::account_from_env(Environment::of(values)).error().kind == ErrorKind::configuration);
  values.erase("SQS_QUEUE_URL");
  CHECK(dmq::QueueOptions::from_env(Environment::of(values)).error().message.find("SQS_QUEUE_URL") !=
        std::string::npos);
  values.erase("AWS_REGION");
  const auto unplaced = dmq::QueueOptions::account_from_env(Environment::of(values));
  REQUIRE_FALSE(unplaced);
  CHECK(unplaced.error().message.find("AWS_REGION") != std::string::npos);

  dmq::QueueOptions options = queue("q.fifo");
  options.queue_url.clear();
  CHECK(dmq::make_client(options, ScriptedTransport()));
  CHECK(dmq::make_consumer(options, ScriptedTransport()).error().kind == ErrorKind::configuration);
  options.credentials = {};
  CHECK(dmq::make_client(options, ScriptedTransport()).error().kind == ErrorKind::configuration);
}
