#include <doctest/doctest.h>
#include <support/credentials.hpp>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <string>
#include <utility>

#include <dmq/auth/credentials_chain.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Environment;
using dmq::Error;
using dmq::ErrorKind;
using dmq::auth::AnyCredentials;
using dmq::auth::CredentialsChain;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;

namespace {

CredentialsChain chain(Environment::Values values) {
  values.emplace("AWS_REGION", "eu-central-1");
  return {{.environment = Environment::of(std::move(values)), .sleep = support::no_sleep()}, support::parse_json};
}

auto fetch(CredentialsChain& chain, ScriptedTransport& transport) {
  auto keys = chain.fetch(transport, ManualClock::default_start, {});
  if (!keys) CHECK_FALSE(support::holds_secret(keys.error().describe()));
  return keys;
}

void answer_as_instance(ScriptedTransport& transport) {
  transport.reply({.status = 200, .body = "session"})
      .reply({.status = 200, .body = "role"})
      .reply({.status = 200, .body = support::metadata_keys()});
}

}  // namespace

TEST_CASE("the environment's key needs no request") {
  ScriptedTransport transport;
  CredentialsChain source = chain({{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}});
  CHECK(fetch(source, transport).value().value.access_key_id == "AKID");
  CHECK(transport.count() == 0);
}

TEST_CASE("roles are taken on one after the other, each with the keys of the one before") {
  const support::TemporaryDirectory home;
  home.write(".aws/config",
             "[default]\nrole_arn = outer\nsource_profile = b\n"
             "[profile b]\nrole_arn = inner\ncredential_source = Ec2InstanceMetadata\n");
  ScriptedTransport transport;
  answer_as_instance(transport);
  transport.reply({.status = 200, .body = support::sts_keys("AssumeRole", "2026-01-01T01:00:00Z", "INNER")});
  transport.reply({.status = 200, .body = support::sts_keys("AssumeRole", "2026-01-01T00:30:00Z", "OUTER")});
  CredentialsChain source = chain({{"HOME", home.path()}});
  const auto keys = fetch(source, transport).value();
  CHECK(keys.value.access_key_id == "OUTER");
  CHECK(keys.lifetime == std::chrono::minutes(30));
  const auto requests = transport.requests();
  REQUIRE(requests.size() == 5);
  CHECK(requests[3].url == "https://sts.eu-central-1.amazonaws.com/");
  CHECK(requests[3].body.find("RoleArn=inner") != std::string::npos);
  CHECK(requests[3].headers.get("Authorization").find("Credential=ASIA/") != std::string::npos);
  CHECK(requests[4].body.find("RoleArn=outer") != std::string::npos);
  CHECK(requests[4].headers.get("Authorization").find("Credential=INNER/") != std::string::npos);
}

TEST_CASE("a role that is refused ends the fetch") {
  const support::TemporaryDirectory home;
  home.write(".aws/config",
             "[default]\nrole_arn = r\nsource_profile = default\naws_access_key_id = AKID\n"
             "aws_secret_access_key = hunter2\n");
  ScriptedTransport transport;
  transport.reply({.status = 403, .body = support::sts_error("AccessDenied")});
  CredentialsChain source = chain({{"HOME", home.path()}});
  const auto keys = fetch(source, transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::authorization);
}

TEST_CASE("where no instance answers, the error tells all that was asked in vain") {
  ScriptedTransport transport;
  transport.otherwise([](const auto&) { return Error{.kind = ErrorKind::timeout, .message = "no connection"}; });
  CredentialsChain source = chain({});
  const auto keys = fetch(source, transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::configuration);
  for (const char* part : {"no AWS credentials were found: environment: ", "; web identity: ", "; profile default: ",
                           "; container: ", "; instance: no connection"})
    CHECK_MESSAGE(keys.error().message.find(part) != std::string::npos, part);
}

TEST_CASE("an instance that has answered before is only in trouble") {
  ScriptedTransport transport;
  answer_as_instance(transport);
  transport.reply(Error{.kind = ErrorKind::network, .message = "no connection"});
  CredentialsChain source = chain({});
  CHECK(fetch(source, transport).value().value.access_key_id == "ASIA");
  const auto keys = fetch(source, transport);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::network);
  CHECK(keys.error().message == "no connection");
}

TEST_CASE("an instance without a role is told with the rest, and a stop is a stop") {
  ScriptedTransport transport;
  transport.reply({.status = 200, .body = "session"}).reply({.status = 404}).reply(Error{.kind = ErrorKind::cancelled});
  CredentialsChain source = chain({});
  const auto none = fetch(source, transport);
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::configuration);
  CHECK(none.error().message.ends_with("; instance: the instance has no IAM role"));
  CHECK(fetch(source, transport).error().kind == ErrorKind::cancelled);
}

TEST_CASE("files are read anew at each fetch") {
  const support::TemporaryDirectory home;
  home.write(".aws/credentials", "[default]\naws_access_key_id = OLD\naws_secret_access_key = hunter2\n");
  ScriptedTransport transport;
  CredentialsChain source = chain({{"HOME", home.path()}});
  CHECK(fetch(source, transport).value().value.access_key_id == "OLD");
  home.write(".aws/credentials", "[default]\naws_access_key_id = NEW\naws_secret_access_key = hunter2\n");
  CHECK(fetch(source, transport).value().value.access_key_id == "NEW");
}

TEST_CASE("a queue signs with a key given in code or with a chain") {
  static_assert(dmq::auth::CredentialsSource<AnyCredentials, ScriptedTransport>);
  ScriptedTransport transport;
  AnyCredentials key(dmq::auth::StaticCredentials({"AKID", dmq::Secret("hunter2"), {}}));
  CHECK(key.fetch(transport, {}, {}).value().value.access_key_id == "AKID");
  AnyCredentials any(chain({{"AWS_ACCESS_KEY_ID", "OTHER"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}}));
  CHECK(any.fetch(transport, {}, {}).value().value.access_key_id == "OTHER");
}
