#include <doctest/doctest.h>
#include <support/credentials.hpp>

#include <chrono>
#include <string>

#include <dmq/auth/instance_credentials.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::auth::AwsSettings;
using dmq::auth::InstanceCredentials;
using dmq::auth::InstanceOptions;
using dmq::http::Method;
using dmq::http::PlainHttp;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;
using std::chrono::minutes;
using std::chrono::seconds;
using Version1 = InstanceOptions::Version1;

namespace {

InstanceCredentials instance(Version1 version_1 = Version1::allowed, int tries = 1) {
  return {{.version_1 = version_1, .tries = {.count = tries}}, support::parse_json, support::no_sleep()};
}

auto fetch(ScriptedTransport& transport, const InstanceCredentials& source = instance()) {
  auto keys = source.fetch(transport, ManualClock::default_start, {});
  if (!keys) CHECK_FALSE(support::holds_secret(keys.error().describe()));
  return keys;
}

dmq::Result<InstanceOptions> options(Environment::Values values) {
  return InstanceOptions::from(AwsSettings::read(Environment::of(std::move(values))).value(), PlainHttp::loopback_only);
}

}  // namespace

TEST_CASE("a session token, the role's name and its keys are asked for in turn") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = "session\n"})
      .reply({.status = 200, .body = "my+role=1/x\nother\n"})
      .reply({.status = 200, .body = support::metadata_keys()});
  const auto keys = fetch(transport).value();
  CHECK(keys.value.access_key_id == "ASIA");
  CHECK(keys.value.secret_access_key.reveal() == "hunter2");
  CHECK(keys.value.session_token.reveal() == "hunter3");
  CHECK(keys.lifetime == std::chrono::hours(6));
  const auto requests = transport.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].method == Method::put);
  CHECK(requests[0].url == "http://169.254.169.254/latest/api/token");
  CHECK(requests[0].headers.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600");
  CHECK(requests[1].method == Method::get);
  CHECK(requests[1].url == "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
  CHECK(requests[1].headers.get("x-aws-ec2-metadata-token") == "session");
  CHECK(requests[2].url == "http://169.254.169.254/latest/meta-data/iam/security-credentials/my+role=1%2Fx");
  CHECK(requests[2].headers.get("x-aws-ec2-metadata-token") == "session");
  for (const auto& request : requests) CHECK(request.timeout == seconds(1));
}

TEST_CASE("a service that was too slow with its token, and takes nothing without one, may do better next time") {
  ScriptedTransport transport;
  transport
      .reply([](const auto&) -> dmq::Result<dmq::http::Response> {
        return Error{.kind = ErrorKind::timeout, .message = "slow"};
      })
      .reply({.status = 401});
  const auto keys = fetch(transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::timeout);
  CHECK(keys.error().http_status == 401);
}

TEST_CASE("version 1 is spoken where there are no session tokens, unless that is disabled") {
  for (const int status : {403, 404, 405, 0}) {
    const auto refuse = [&](const auto&) -> dmq::Result<dmq::http::Response> {
      if (status == 0) return Error{.kind = ErrorKind::timeout, .message = "slow"};
      return dmq::http::Response{.status = status};
    };
    ScriptedTransport transport;
    transport.reply(refuse)
        .reply({.status = 200, .body = "role"})
        .reply({.status = 200, .body = support::metadata_keys()});
    CHECK(fetch(transport).has_value());
    CHECK(transport.requests().back().headers.empty());

    ScriptedTransport strict;
    strict.reply(refuse);
    CHECK_FALSE(fetch(strict, instance(Version1::disabled)));
    CHECK(strict.count() == 1);
  }
}

TEST_CASE("other troubles with the session token are no reason to speak version 1") {
  for (const int status : {400, 500, 429}) {
    ScriptedTransport transport;
    transport.reply({.status = status});
    CHECK_FALSE(fetch(transport));
    CHECK(transport.count() == 1);
  }
  ScriptedTransport unreachable;
  unreachable.reply(Error{.kind = ErrorKind::network, .message = "no route"});
  CHECK(fetch(unreachable).error().kind == ErrorKind::network);
  CHECK(unreachable.count() == 1);
  ScriptedTransport broken;
  broken.reply({.status = 200, .body = "hunter2\r\nX: y"});
  CHECK(fetch(broken).error().kind == ErrorKind::protocol);
}

TEST_CASE("an instance without a role says so") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = "session"}).reply({.status = 404});
  const auto keys = fetch(transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::configuration);
  CHECK(keys.error().message == "the instance has no IAM role");
  ScriptedTransport empty;
  empty.reply({.status = 200, .body = "session"}).reply({.status = 200, .body = "\n"});
  CHECK(fetch(empty).error().kind == ErrorKind::protocol);
}

TEST_CASE("keys that can't be used are a protocol error") {
  for (const char* body :
       {"", "hunter2", R"({"Code":"Failed","Message":"hunter2"})", R"({"Code":"Success","AccessKeyId":"A"})",
        R"({"Code":"Success","AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"t"})",
        R"({"Code":"Success","AccessKeyId":"A","SecretAccessKey":"hunter2","Token":"t","Expiration":"x"})"}) {
    ScriptedTransport transport;
    transport.reply({.status = 200, .body = "session"})
        .reply({.status = 200, .body = "role"})
        .reply({.status = 200, .body = body});
    const auto keys = fetch(transport);
    REQUIRE_MESSAGE(!keys, body);
    CHECK(keys.error().kind == ErrorKind::protocol);
  }
}

TEST_CASE("keys near their end or past it are used on for 17 to 25 minutes") {
  for (const char* expiration : {"2025-12-31T12:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:16:59Z"}) {
    for (int i = 0; i < 20; ++i) {
      ScriptedTransport transport;
      transport.reply({.status = 200, .body = "session"})
          .reply({.status = 200, .body = "role"})
          .reply({.status = 200, .body = support::metadata_keys(expiration)});
      const auto now = ManualClock::default_start + std::chrono::milliseconds(i);
      const auto lifetime = instance().fetch(transport, now, {}).value().lifetime;
      CHECK(lifetime >= minutes(17));
      CHECK(lifetime < minutes(25));
    }
  }
}

TEST_CASE("a service in trouble is asked as often as is set") {
  ScriptedTransport transport;
  transport.reply({.status = 500}).reply({.status = 200, .body = "session"}).reply(Error{.kind = ErrorKind::timeout});
  transport.reply({.status = 200, .body = "role"}).reply({.status = 200, .body = support::metadata_keys()});
  CHECK(fetch(transport, instance(Version1::allowed, 2)).has_value());
  CHECK(transport.count() == 5);
}

TEST_CASE("a stop while it is asked ends the fetch") {
  ScriptedTransport transport;
  transport.reply(Error{.kind = ErrorKind::cancelled});
  CHECK(fetch(transport).error().kind == ErrorKind::cancelled);
  CHECK(transport.count() == 1);
}

TEST_CASE("the endpoint, time limit and number of tries come from the environment") {
  CHECK(options({}).value().endpoint == "http://169.254.169.254");
  CHECK(options({}).value().version_1 == Version1::allowed);
  CHECK(options({}).value().tries.count == 1);
  CHECK(options({}).value().tries.timeout == seconds(1));
  CHECK(options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipv6"}}).value().endpoint == "http://[fd00:ec2::254]");
  const InstanceOptions set = options({{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://localhost:1338/"},
                                       {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"},
                                       {"AWS_EC2_METADATA_V1_DISABLED", "true"},
                                       {"AWS_METADATA_SERVICE_TIMEOUT", "5"},
                                       {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3"}})
                                  .value();
  CHECK(set.endpoint == "http://localhost:1338");
  CHECK(set.version_1 == Version1::disabled);
  CHECK(set.tries.timeout == seconds(5));
  CHECK(set.tries.count == 3);
}

TEST_CASE("each malformed setting of the metadata service is named") {
  const Environment::Values wrong{{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://example.com"},
                                  {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv5"},
                                  {"AWS_EC2_METADATA_V1_DISABLED", "yes"},
                                  {"AWS_METADATA_SERVICE_TIMEOUT", "0"},
                                  {"AWS_METADATA_SERVICE_NUM_ATTEMPTS", "-1"}};
  for (const auto& [name, value] : wrong) {
    const auto refused = options({{name, value}});
    REQUIRE_MESSAGE(!refused, name);
    CHECK(refused.error().kind == ErrorKind::configuration);
    CHECK(refused.error().message.starts_with(name + " "));
  }
}
