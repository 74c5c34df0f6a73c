#include <doctest/doctest.h>
#include <support/credentials.hpp>
#include <support/temporary_directory.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <dmq/auth/credentials_plan.hpp>

using dmq::Environment;
using dmq::ErrorKind;
using dmq::auth::ContainerCredentials;
using dmq::auth::CredentialsPlan;
using dmq::auth::EnvironmentCredentials;
using dmq::auth::InstanceCredentials;
using dmq::auth::ProcessCredentials;
using dmq::auth::StaticCredentials;
using dmq::auth::WebIdentityCredentials;

namespace {

/// A home with the two files, and what the environment says besides.
struct World {
  std::string config{};
  std::string credentials{};
  Environment::Values values{};
  std::string profile{};  ///< Named in code.

  dmq::Result<CredentialsPlan> plan() const {
    const support::TemporaryDirectory home;
    home.write(".aws/config", config);
    home.write(".aws/credentials", credentials);
    Environment::Values all = values;
    all["HOME"] = home.path();
    all.emplace("AWS_REGION", "eu-central-1");
    return dmq::auth::plan_credentials({.environment = Environment::of(all), .profile = profile}, support::parse_json);
  }

  std::string refusal() const {
    const auto refused = plan();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::configuration);
    CHECK_FALSE(support::holds_secret(refused.error().describe()));
    return refused.error().message;
  }
};

template <class Source>
bool takes(const World& world) {
  const auto plan = world.plan();
  if (!plan) MESSAGE(plan.error().describe());
  return plan && std::holds_alternative<Source>(plan->base);
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string key_id(const CredentialsPlan& plan) {
  dmq::testing::ManualClock clock;
  struct NoTransport {
    dmq::Result<dmq::http::Response> send(const dmq::http::Request&, std::stop_token) { return dmq::Error{}; }
  } none;
  return std::get<StaticCredentials>(plan.base).fetch(none, {}, {}).value().value.access_key_id;
}

constexpr const char* key = "aws_access_key_id = AKID\naws_secret_access_key = hunter2\n";

}  // namespace

TEST_CASE("the first place that is set up is taken, in the order of AWS's tools") {
  World world{.config = "[default]\nrole_arn = r\nsource_profile = base\n[profile base]\n" + std::string(key),
              .credentials = "[default]\n" + std::string(key),
              .values = {{"AWS_ACCESS_KEY_ID", "AKID"},
                         {"AWS_SECRET_ACCESS_KEY", "hunter2"},
                         {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                         {"AWS_ROLE_ARN", "r"},
                         {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/keys"}}};
  CHECK(takes<EnvironmentCredentials>(world));
  world.values.erase("AWS_ACCESS_KEY_ID");
  world.values.erase("AWS_SECRET_ACCESS_KEY");
  CHECK(world.plan().value().roles.size() == 1);
  world.config = "[default]\ncredential_process = tool\n" + std::string(key);
  CHECK(takes<WebIdentityCredentials>(world));
  world.values.erase("AWS_WEB_IDENTITY_TOKEN_FILE");
  CHECK(takes<StaticCredentials>(world));
  world.credentials = "";
  CHECK(takes<ProcessCredentials>(world));
  world.config = "[default]\n" + std::string(key);
  CHECK(takes<StaticCredentials>(world));
  world.config = "";
  CHECK(takes<ContainerCredentials>(world));
  world.values.erase("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  CHECK(takes<InstanceCredentials>(world));
}

TEST_CASE("a profile named in code takes the environment's keys and web identity out") {
  World world{.config = "[profile dev]\n" + std::string(key),
              .values = {{"AWS_ACCESS_KEY_ID", "AKID"},
                         {"AWS_SECRET_ACCESS_KEY", "hunter2"},
                         {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                         {"AWS_ROLE_ARN", "r"}},
              .profile = "dev"};
  CHECK(takes<StaticCredentials>(world));
  world.profile.clear();
  world.values["AWS_PROFILE"] = "dev";
  CHECK(takes<EnvironmentCredentials>(world));
  world.profile = "default";
  CHECK(takes<InstanceCredentials>(world));
}

TEST_CASE("half a key is an error wherever it stands") {
  CHECK(says(World{.values = {{"AWS_ACCESS_KEY_ID", "AKID"}}}.refusal(), "AWS_SECRET_ACCESS_KEY is not set"));
  CHECK(says(World{.values = {{"AWS_SECRET_ACCESS_KEY", "hunter2"}}}.refusal(), "AWS_ACCESS_KEY_ID is not set"));
  CHECK(World{.credentials = "[default]\naws_access_key_id = AKID\n"}.refusal() ==
        "AWS profile default has an aws_access_key_id without its aws_secret_access_key");
  CHECK(World{.config = "[default]\naws_secret_access_key = hunter2\n"}.refusal() ==
        "AWS profile default has an aws_secret_access_key without its aws_access_key_id");
}

TEST_CASE("when nothing is set up, each place that was asked is named with the reason") {
  const std::string message = World{.values = {{"AWS_EC2_METADATA_DISABLED", "true"}}}.refusal();
  CHECK(says(message,
             "no AWS credentials were found: environment: AWS_ACCESS_KEY_ID is not set; web identity: "
             "AWS_WEB_IDENTITY_TOKEN_FILE is not set; profile default: not in "));
  CHECK(says(message, "/.aws/config and "));
  CHECK(says(message,
             "; container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor ..._FULL_URI is set; instance: "
             "AWS_EC2_METADATA_DISABLED is true"));
  const std::string empty =
      World{.config = "[default]\nregion = x\n", .values = {{"AWS_EC2_METADATA_DISABLED", "true"}}}.refusal();
  CHECK(says(empty, "profile default: no keys, role or credential_process in "));
}

TEST_CASE("the instance is the last resort, and what was asked before is kept for its error") {
  const CredentialsPlan plan = World{}.plan().value();
  CHECK(says(plan.nothing_found, "environment: "));
  CHECK(says(plan.nothing_found, "container: "));
}

TEST_CASE("single sign-on and `aws login` are named, with what can be done") {
  for (const char* setting : {"sso_session = s", "sso_start_url = u", "sso_account_id = 1", "sso_role_name = r"}) {
    const std::string message =
        World{.config = "[profile dev]\n" + std::string(setting) + "\n", .values = {{"AWS_PROFILE", "dev"}}}.refusal();
    CHECK(says(message, "AWS profile dev is for single sign-on"));
    CHECK(says(message, "aws configure export-credentials --profile dev"));
  }
  const std::string login = World{.config = "[default]\nlogin_session = x\n"}.refusal();
  CHECK(says(login, "AWS profile default is for `aws login`"));
}

TEST_CASE("a role is taken on with the keys of its source profile") {
  const CredentialsPlan plan = World{.config =
                                         "[profile dev]\nrole_arn = r\nsource_profile = base\nexternal_id = e\n"
                                         "duration_seconds = 900\nrole_session_name = s\nregion = us-east-1\n",
                                     .credentials = "[base]\n" + std::string(key),
                                     .profile = "dev"}
                                   .plan()
                                   .value();
  CHECK(key_id(plan) == "AKID");
  REQUIRE(plan.roles.size() == 1);
  CHECK(plan.roles[0].arn == "r");
  CHECK(plan.roles[0].external_id == "e");
  CHECK(plan.roles[0].duration_seconds == "900");
  CHECK(plan.roles[0].session_name == "s");
  CHECK(plan.sts_endpoint == "https://sts.eu-central-1.amazonaws.com/");
  CHECK(plan.sts_region == "eu-central-1");
  CHECK(plan.nothing_found.empty());
}

TEST_CASE("roles lead to roles, and the last one named is the first taken on") {
  const CredentialsPlan plan = World{.config =
                                         "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                                         "[profile b]\nrole_arn = rb\nsource_profile = c\n"
                                         "[profile c]\nrole_arn = rc\ncredential_source = Environment\n",
                                     .profile = "a"}
                                   .plan()
                                   .value();
  REQUIRE(plan.roles.size() == 3);
  CHECK(plan.roles[0].arn == "rc");
  CHECK(plan.roles[1].arn == "rb");
  CHECK(plan.roles[2].arn == "ra");
  CHECK(std::holds_alternative<EnvironmentCredentials>(plan.base));
}

TEST_CASE("a role's source may be its own profile's keys, a program, web identity, or a metadata service") {
  World world{.profile = "dev"};
  world.config = "[profile dev]\nrole_arn = r\nsource_profile = dev\n" + std::string(key);
  CHECK(takes<StaticCredentials>(world));
  CHECK(world.plan().value().roles.size() == 1);
  world.config = "[profile dev]\nrole_arn = r\nsource_profile = base\n[profile base]\ncredential_process = tool\n";
  CHECK(takes<ProcessCredentials>(world));
  world.config =
      "[profile dev]\nrole_arn = r\nsource_profile = base\n"
      "[profile base]\nrole_arn = w\nweb_identity_token_file = /token\n";
  CHECK(takes<WebIdentityCredentials>(world));
  CHECK(world.plan().value().roles.size() == 1);
  world.config = "[profile dev]\nrole_arn = r\ncredential_source = Ec2InstanceMetadata\n";
  CHECK(takes<InstanceCredentials>(world));
  CHECK(world.plan().value().nothing_found.empty());
  world.config = "[profile dev]\nrole_arn = r\ncredential_source = EcsContainer\n";
  CHECK(takes<ContainerCredentials>(world));
}

TEST_CASE("the keys of a source profile come before a role that it has, too") {
  const CredentialsPlan plan = World{.config =
                                         "[profile a]\nrole_arn = ra\nsource_profile = b\n"
                                         "[profile b]\nrole_arn = rb\nsource_profile = a\n" +
                                         std::string(key),
                                     .profile = "a"}
                                   .plan()
                                   .value();
  CHECK(plan.roles.size() == 1);
  CHECK(key_id(plan) == "AKID");
}

TEST_CASE("a role that leads nowhere, in a circle, or both ways is an error") {
  const auto refusal = [](const std::string& config) { return World{.config = config, .profile = "a"}.refusal(); };
  const std::string role = "[profile a]\nrole_arn = ra\n";
  CHECK(says(refusal(role), "AWS profile a has a role_arn: it needs one of source_profile and credential_source"));
  CHECK(says(refusal(role + "source_profile = b\ncredential_source = Environment\n"), "needs one of"));
  CHECK(says(refusal(role + "source_profile = b\n"), "has the source_profile b, which is not in"));
  CHECK(says(refusal(role + "source_profile = a\n"), "AWS profile a leads back to profile a"));
  CHECK(says(refusal(role + "source_profile = b\n[profile b]\nrole_arn = rb\nsource_profile = a\n"),
             "AWS profile b leads back to profile a"));
  CHECK(says(refusal(role + "source_profile = b\n[profile b]\nregion = x\n"),
             "AWS profile b is the source_profile of a role and has no keys"));
  CHECK(says(refusal(role + "source_profile = b\n[profile b]\nsso_session = x\n"), "AWS profile b is for single"));
  CHECK(says(refusal(role + "credential_source = Somewhere\n"), "should have the credential_source"));
  CHECK(says(refusal(role + "credential_source = Environment\nmfa_serial = x\n"), "one-time password"));
  for (const char* seconds : {"899", "43201", "x"})
    CHECK(says(refusal(role + "credential_source = Environment\nduration_seconds = " + seconds + "\n"),
               "duration_seconds from 900 to 43200"));
}

TEST_CASE("web identity needs a role, and its settings may come from the profile") {
  CHECK(says(World{.values = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}}}.refusal(), "AWS_ROLE_ARN"));
  CHECK(takes<WebIdentityCredentials>(
      World{.config = "[profile dev]\nweb_identity_token_file = /token\nrole_arn = r\n", .profile = "dev"}));
}

TEST_CASE("a role needs a region") {
  const support::TemporaryDirectory home;
  home.write(".aws/config", "[default]\nrole_arn = r\ncredential_source = Environment\n");
  const auto plan = dmq::auth::plan_credentials({.environment = Environment::of({{"HOME", home.path()}})}, nullptr);
  REQUIRE_FALSE(plan);
  CHECK(says(plan.error().message, "AWS_REGION"));
}

TEST_CASE("files and flags that can't be read are errors, also of places that come later") {
  CHECK(says(World{.credentials = "nonsense"}.refusal(), "credentials, line 1"));
  CHECK(says(World{.values = {{"AWS_EC2_METADATA_DISABLED", "1"}}}.refusal(), "AWS_EC2_METADATA_DISABLED"));
  CHECK(says(World{.profile = "nobody"}.refusal(), "there is no AWS profile nobody in "));
  CHECK(World{.credentials = "[default]\naws_access_key_id = A\x01\naws_secret_access_key = hunter2\n"}.refusal() ==
        "AWS profile default has keys with a line break or another control character");
}
