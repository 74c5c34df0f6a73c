#include <doctest/doctest.h>
#include <support/parser.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <dmq/auth/process_credentials.hpp>
#include <dmq/testing/manual_clock.hpp>
#include <dmq/testing/scripted_transport.hpp>

using dmq::Error;
using dmq::ErrorKind;
using dmq::Result;
using dmq::auth::Credentials;
using dmq::auth::Fetched;
using dmq::auth::ProcessCredentials;
using dmq::auth::split_command;
using dmq::testing::ManualClock;
using dmq::testing::ScriptedTransport;

namespace {

Result<void> parse_json(std::string_view text, dmq::json::Document& document, dmq::json::Limits limits) {
  return support::parse(text, document, limits);
}

Result<Fetched<Credentials>> fetch(const std::string& command, dmq::Duration limit = std::chrono::minutes(1)) {
  ScriptedTransport transport;
  auto keys = ProcessCredentials(command, "dev", parse_json, limit).fetch(transport, ManualClock::default_start, {});
  CHECK(transport.count() == 0);
  return keys;
}

Error refusal(const std::string& command) {
  const auto keys = fetch(command);
  REQUIRE_FALSE(keys);
  CHECK(keys.error().message.starts_with("credential_process of AWS profile dev: "));
  CHECK(keys.error().describe().find("hunter2") == std::string::npos);
  return keys.error();
}

std::string printing(const std::string& json) {
  return "printf %s '" + json + "'";
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("a command is split into words as a shell would, and not expanded") {
  CHECK(split_command("  /bin/tool --name  dev\t-x ").value() == Words{"/bin/tool", "--name", "dev", "-x"});
  CHECK(split_command("a 'b c' \"d e\" f' 'g \"\"").value() == Words{"a", "b c", "d e", "f g", ""});
  CHECK(split_command(R"(a\ b "c\"d\\e\f" 'g\h' $HOME ; | *)").value() ==
        Words{"a b", R"(c"d\e\f)", R"(g\h)", "$HOME", ";", "|", "*"});
  CHECK(split_command("a\n--b").value() == Words{"a", "--b"});
  for (const char* line : {"", "   ", "a 'b", "a \"b", "''"}) CHECK_FALSE(split_command(line));
}

TEST_CASE("keys are read off what the program prints") {
  const auto keys = fetch(printing(R"({"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hunter2",
                                       "SessionToken":"token","Expiration":"2026-01-01T01:00:00Z","AccountId":"1"})"))
                        .value();
  CHECK(keys.value.access_key_id == "AKID");
  CHECK(keys.value.secret_access_key.reveal() == "hunter2");
  CHECK(keys.value.session_token.reveal() == "token");
  CHECK(keys.lifetime == std::chrono::hours(1));
}

TEST_CASE("without an expiration the keys are good for ever") {
  const auto keys = fetch(printing(R"({"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hunter2"})")).value();
  CHECK(keys.lifetime == dmq::Duration::max());
  CHECK(keys.value.session_token.empty());
}

TEST_CASE("a program that fails is told with what it writes as errors, never with what it prints") {
  const Error error = refusal("sh -c 'echo hunter2; echo please log in >&2; exit 7'");
  CHECK(error.kind == ErrorKind::configuration);
  CHECK(error.message.ends_with("it ended with status 7: please log in"));
  CHECK(refusal("sh -c 'echo hunter2; kill -9 $$'").message.ends_with("it was killed"));
  CHECK(refusal("sh -c 'echo hunter2; exit 1'").message.ends_with("it ended with status 1"));
  const std::string long_text = refusal("sh -c 'yes x | head -2000 >&2; exit 1'").message;
  CHECK(long_text.size() < 600);
}

TEST_CASE("a command that can't be run is told") {
  CHECK(refusal("/nowhere/program").kind == ErrorKind::configuration);
  CHECK(refusal("'").kind == ErrorKind::configuration);
}

TEST_CASE("what is no key is a protocol error") {
  for (const char* json :
       {"", "hunter2", "[]", R"({"AccessKeyId":"AKID","SecretAccessKey":"hunter2"})",
        R"({"Version":2,"AccessKeyId":"AKID","SecretAccessKey":"hunter2"})",
        R"({"Version":"1","AccessKeyId":"AKID","SecretAccessKey":"hunter2"})", R"({"Version":1,"AccessKeyId":"AKID"})",
        R"({"Version":1,"SecretAccessKey":"hunter2"})", R"({"Version":1,"AccessKeyId":"","SecretAccessKey":"hunter2"})",
        R"({"Version":1,"AccessKeyId":"AK\n","SecretAccessKey":"hunter2"})",
        R"({"Version":1,"AccessKeyId":"AK","SecretAccessKey":"hunter2","SessionToken":"a\r\nb"})",
        R"({"Version":1,"AccessKeyId":"AK","SecretAccessKey":"hunter2","Expiration":"soon"})"})
    CHECK_MESSAGE(refusal(printing(json)).kind == ErrorKind::protocol, json);
}

TEST_CASE("keys that have expired are an error") {
  const Error error = refusal(printing(
      R"({"Version":1,"AccessKeyId":"AKID","SecretAccessKey":"hunter2","Expiration":"2026-01-01T00:00:00Z"})"));
  CHECK(error.kind == ErrorKind::protocol);
  CHECK(error.message.find("expired") != std::string::npos);
}

TEST_CASE("a program that takes too long is ended") {
  const auto keys = fetch("sleep 1000", std::chrono::milliseconds(50));
  REQUIRE_FALSE(keys);
  CHECK(keys.error().kind == ErrorKind::timeout);
}
