#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include <dmq/auth/credentials.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Duration;
using dmq::Environment;
using dmq::ErrorKind;
using dmq::Secret;
using dmq::auth::EnvironmentCredentials;
using dmq::auth::StaticCredentials;
using dmq::testing::ScriptedTransport;

TEST_CASE("a static key is the same for ever") {
  ScriptedTransport transport;
  const StaticCredentials source({"AKID", Secret("hunter2"), Secret("token")});
  for (int i = 0; i < 2; ++i) {
    const auto fetched = source.fetch(transport, {}, {}).value();
    CHECK(fetched.value.access_key_id == "AKID");
    CHECK(fetched.value.secret_access_key.reveal() == "hunter2");
    CHECK(fetched.value.session_token.reveal() == "token");
    CHECK(fetched.lifetime == Duration::max());
  }
  CHECK(transport.count() == 0);
}

TEST_CASE("a key comes from the environment, with its session token where there is one") {
  Environment::Values values{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
  ScriptedTransport transport;
  auto fetched = EnvironmentCredentials(Environment::of(values)).fetch(transport, {}, {}).value();
  CHECK(fetched.value.access_key_id == "AKID");
  CHECK(fetched.value.secret_access_key.reveal() == "hunter2");
  CHECK(fetched.value.session_token.empty());
  values["AWS_SESSION_TOKEN"] = "token";
  fetched = EnvironmentCredentials(Environment::of(values)).fetch(transport, {}, {}).value();
  CHECK(fetched.value.session_token.reveal() == "token");
}

TEST_CASE("half a key is an error that names the other half, and shows neither") {
  const auto without = [](const char* name) {
    Environment::Values values{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
    values.erase(name);
    const auto credentials = EnvironmentCredentials(Environment::of(values)).read();
    REQUIRE_FALSE(credentials);
    CHECK(credentials.error().kind == ErrorKind::configuration);
    CHECK(credentials.error().message.starts_with("environment variable " + std::string(name) + " is not set"));
    CHECK(credentials.error().message.find("hunter2") == std::string::npos);
    CHECK(credentials.error().message.find("AKID") == std::string::npos);
  };
  without("AWS_ACCESS_KEY_ID");
  without("AWS_SECRET_ACCESS_KEY");
}

TEST_CASE("the environment's key may have an end, and the older name of its token") {
  Environment::Values values{{"AWS_ACCESS_KEY_ID", "AKID"},
                             {"AWS_SECRET_ACCESS_KEY", "hunter2"},
                             {"AWS_SECURITY_TOKEN", "old"},
                             {"AWS_CREDENTIAL_EXPIRATION", "2026-01-01T01:00:00Z"}};
  const auto fetch = [&] {
    ScriptedTransport transport;
    return EnvironmentCredentials(Environment::of(values))
        .fetch(transport, dmq::testing::ManualClock::default_start, {});
  };
  CHECK(fetch().value().lifetime == std::chrono::hours(1));
  CHECK(fetch().value().value.session_token.reveal() == "old");
  values["AWS_SESSION_TOKEN"] = "new";
  CHECK(fetch().value().value.session_token.reveal() == "new");
  values["AWS_CREDENTIAL_EXPIRATION"] = "2026-01-01T00:00:00Z";
  CHECK(fetch().error().message.find("have expired") != std::string::npos);
  values["AWS_CREDENTIAL_EXPIRATION"] = "tomorrow";
  CHECK(fetch().error().kind == ErrorKind::configuration);
  CHECK(fetch().error().message.starts_with("AWS_CREDENTIAL_EXPIRATION is no date"));
}

TEST_CASE("a key of the environment that no header field can carry is refused, and not shown") {
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"}) {
    Environment::Values values{{"AWS_ACCESS_KEY_ID", "AKID"}, {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
    values[name] = "hunter3\r\nX: y";
    const auto credentials = EnvironmentCredentials(Environment::of(values)).read();
    REQUIRE_FALSE(credentials);
    CHECK(credentials.error().kind == ErrorKind::configuration);
    CHECK(credentials.error().message.starts_with(std::string(name) + " has a control character at byte 7"));
  }
}
