#include <doctest/doctest.h>
#include <support/temporary_directory.hpp>

#include <string>

#include <dmq/options.hpp>

using dmq::Environment;
using dmq::ErrorKind;
using dmq::GatewayOptions;
using dmq::QueueOptions;
using dmq::http::PlainHttp;

namespace {

Environment::Values gateway_values() {
  return {{"API_URL", "https://abc.execute-api.eu-central-1.amazonaws.com/v1/publish-queue"},
          {"COGNITO_CLIENT_ID", "id"},
          {"COGNITO_CLIENT_SECRET", "hunter2"},
          {"COGNITO_CLIENT_SCOPE", "queue/publish"},
          {"COGNITO_URL_PREFIX", "my-pool"},
          {"AWS_REGION", "eu-central-1"}};
}

Environment::Values queue_values() {
  return {{"SQS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/q.fifo"},
          {"AWS_ACCESS_KEY_ID", "AKID"},
          {"AWS_SECRET_ACCESS_KEY", "hunter2"}};
}

/// The refusal of options when one variable is changed; empty takes it away.
template <class Options>
std::string refusal(Environment::Values values, const std::string& name, const std::string& value) {
  values[name] = value;
  const auto options = Options::from_env(Environment::of(values));
  if (options) return "";
  CHECK(options.error().kind == ErrorKind::configuration);
  CHECK(options.error().delivery == dmq::DeliveryState::not_sent);
  CHECK(options.error().message.find("hunter2") == std::string::npos);
  return options.error().message;
}

std::string gateway_refusal(const std::string& name, const std::string& value) {
  return refusal<GatewayOptions>(gateway_values(), name, value);
}
std::string queue_refusal(const std::string& name, const std::string& value) {
  return refusal<QueueOptions>(queue_values(), name, value);
}

bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a gateway's options come from the environment") {
  Environment::Values values = gateway_values();
  values["AWS_CA_BUNDLE"] = "/ca.pem";
  const auto options = GatewayOptions::from_env(Environment::of(values)).value();
  CHECK(options.api_url == values["API_URL"]);
  CHECK(options.client.client_id == "id");
  CHECK(options.client.client_secret.reveal() == "hunter2");
  CHECK(options.client.scope == "queue/publish");
  CHECK(options.client.token_url == "https://my-pool.auth.eu-central-1.amazoncognito.com/oauth2/token");
  CHECK(options.http.ca_file == "/ca.pem");
}

TEST_CASE("the scope may be absent, and the token URL comes before the prefix") {
  Environment::Values values = gateway_values();
  values.erase("COGNITO_CLIENT_SCOPE");
  values["COGNITO_TOKEN_URL"] = "http://127.0.0.1:9324/oauth2/token";
  values.erase("AWS_REGION");
  const auto options = GatewayOptions::from_env(Environment::of(values)).value();
  CHECK(options.client.scope.empty());
  CHECK(options.client.token_url == "http://127.0.0.1:9324/oauth2/token");
}

TEST_CASE("each missing variable of a gateway is named") {
  for (const char* name : {"API_URL", "COGNITO_CLIENT_ID", "COGNITO_CLIENT_SECRET", "AWS_REGION"})
    CHECK_MESSAGE(says(gateway_refusal(name, ""), "environment variable " + std::string(name) + " is not set"), name);
  const std::string message = gateway_refusal("COGNITO_URL_PREFIX", "");
  CHECK(says(message, "COGNITO_TOKEN_URL"));
  CHECK(says(message, "COGNITO_URL_PREFIX"));
}

TEST_CASE("each malformed variable of a gateway is named") {
  for (const char* url : {"publish", "ftp://h/x", "https://", "https://h/ x", "https://u@h/", "https://h/#x"}) {
    CHECK_MESSAGE(says(gateway_refusal("API_URL", url), "API_URL is not a URL that can be used"), url);
    CHECK_MESSAGE(says(gateway_refusal("COGNITO_TOKEN_URL", url), "COGNITO_TOKEN_URL is not a URL"), url);
  }
  for (const char* prefix : {"My-Pool", "a.b", "https://x", "-a", "a/b", "a b"})
    CHECK_MESSAGE(says(gateway_refusal("COGNITO_URL_PREFIX", prefix), "COGNITO_URL_PREFIX"), prefix);
  for (const char* region : {"EU", "eu central", "eu.central", "evil.com/", "-x"})
    CHECK_MESSAGE(says(gateway_refusal("AWS_REGION", region), "AWS_REGION"), region);
  CHECK(says(gateway_refusal("COGNITO_CLIENT_ID", "a\nb"), "COGNITO_CLIENT_ID has a control character at byte 1"));
}

TEST_CASE("plain HTTP goes to this machine only") {
  for (const char* name : {"API_URL", "COGNITO_TOKEN_URL"}) {
    for (const char* host : {"example.com", "10.0.0.1", "127.example.com", "localhost.example.com", "[::2]"}) {
      const std::string message = gateway_refusal(name, "http://" + std::string(host) + "/x");
      CHECK_MESSAGE(says(message, std::string(name) + " is http:// to " + host), host);
    }
    for (const char* host : {"127.0.0.1:9324", "localhost", "[::1]:80"})
      CHECK_MESSAGE(gateway_refusal(name, "http://" + std::string(host) + "/x") == "", host);
  }
  CHECK(says(queue_refusal("SQS_QUEUE_URL", "http://example.com/1/q"), "SQS_QUEUE_URL is http:// to example.com"));
  CHECK(says(queue_refusal("AWS_ENDPOINT_URL", "http://example.com"), "AWS_ENDPOINT_URL"));
}

TEST_CASE("plain HTTP may be asked for") {
  Environment::Values values = gateway_values();
  GatewayOptions options = GatewayOptions::from_env(Environment::of(values)).value();
  options.api_url = "http://gateway.internal/publish";
  CHECK_FALSE(check(options));
  options.http.plain_http = PlainHttp::anywhere;
  CHECK(check(options).has_value());
}

TEST_CASE("a gateway's options filled by hand are checked, too") {
  const GatewayOptions good = GatewayOptions::from_env(Environment::of(gateway_values())).value();
  CHECK(check(good).has_value());
  GatewayOptions options = good;
  options.client.client_id.clear();
  CHECK(check(options).error().message == "COGNITO_CLIENT_ID is empty");
  options = good;
  options.client.client_secret = {};
  CHECK(check(options).error().message == "COGNITO_CLIENT_SECRET is empty");
  CHECK(check(GatewayOptions{}).error().kind == ErrorKind::configuration);
}

TEST_CASE("a queue's options come from the environment") {
  Environment::Values values = queue_values();
  values["AWS_SESSION_TOKEN"] = "token";
  const auto options = QueueOptions::from_env(Environment::of(values)).value();
  CHECK(options.queue_url == values["SQS_QUEUE_URL"]);
  CHECK(options.consume.queue_url == options.queue_url);
  CHECK(options.region == "eu-central-1");
  CHECK(options.endpoint == "https://sqs.eu-central-1.amazonaws.com");
  CHECK(options.credentials.access_key_id == "AKID");
  CHECK(options.credentials.secret_access_key.reveal() == "hunter2");
  CHECK(options.credentials.session_token.reveal() == "token");
}

TEST_CASE("AWS_REGION comes before AWS_DEFAULT_REGION before the host of the queue URL") {
  Environment::Values values = queue_values();
  values["AWS_DEFAULT_REGION"] = "us-west-2";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().region == "us-west-2");
  values["AWS_REGION"] = "us-east-1";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().region == "us-east-1");
  CHECK(says(queue_refusal("SQS_QUEUE_URL", "http://127.0.0.1:9324/000000000000/q.fifo"), "AWS_REGION is not set"));
}

TEST_CASE("AWS_ENDPOINT_URL_SQS comes before AWS_ENDPOINT_URL before the origin of the queue URL") {
  Environment::Values values = queue_values();
  values["AWS_ENDPOINT_URL"] = "http://localhost:4566";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().endpoint == "http://localhost:4566");
  values["AWS_ENDPOINT_URL_SQS"] = "http://localhost:9324/";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().endpoint == "http://localhost:9324/");
}

TEST_CASE("without a key in the environment there is a chain, which was not asked yet") {
  Environment::Values values = queue_values();
  values.erase("AWS_ACCESS_KEY_ID");
  values.erase("AWS_SECRET_ACCESS_KEY");
  const auto options = QueueOptions::from_env(Environment::of(values)).value();
  CHECK(options.credentials.access_key_id.empty());
  REQUIRE(options.chain);
  CHECK(options.chain->region == "eu-central-1");
  CHECK(options.chain->environment.find("SQS_QUEUE_URL") == values["SQS_QUEUE_URL"]);
  CHECK_FALSE(QueueOptions::from_env(Environment::of(queue_values())).value().chain);
  // A key that ends is read anew.
  values = queue_values();
  values["AWS_CREDENTIAL_EXPIRATION"] = "2026-01-01T00:00:00Z";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().chain);
}

TEST_CASE("what a chain can tell without the network is told at once") {
  Environment::Values values = queue_values();
  values.erase("AWS_ACCESS_KEY_ID");
  values.erase("AWS_SECRET_ACCESS_KEY");
  const std::string message = refusal<QueueOptions>(values, "AWS_EC2_METADATA_DISABLED", "true");
  CHECK(says(message, "no AWS credentials were found: environment: AWS_ACCESS_KEY_ID is not set"));
  CHECK(says(refusal<QueueOptions>(values, "AWS_PROFILE", "nobody"), "there is no AWS profile nobody"));
  CHECK(says(refusal<QueueOptions>(values, "AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), "AWS_ROLE_ARN"));
}

TEST_CASE("region, endpoint, retries and trusted authorities may come from the profile") {
  const support::TemporaryDirectory home;
  home.write(".aws/config",
             "[profile dev]\nregion = us-west-2\nservices = local\nmax_attempts = 7\nca_bundle = /ca.pem\n"
             "aws_access_key_id = AKID\naws_secret_access_key = hunter2\n"
             "[services local]\nsqs =\n  endpoint_url = http://localhost:4566\n");
  const Environment::Values values{{"SQS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/q.fifo"},
                                   {"AWS_PROFILE", "dev"},
                                   {"HOME", home.path()}};
  const auto options = QueueOptions::from_env(Environment::of(values)).value();
  CHECK(options.region == "us-west-2");
  CHECK(options.endpoint == "http://localhost:4566");
  CHECK(options.publish.retry.max_attempts == 7);
  CHECK(options.http.ca_file == "/ca.pem");
  CHECK(options.chain);
}

TEST_CASE("FIPS and dual stack ask AWS's own endpoints, and exclude another one") {
  Environment::Values values = queue_values();
  values["AWS_USE_FIPS_ENDPOINT"] = "true";
  auto options = QueueOptions::from_env(Environment::of(values)).value();
  CHECK(options.fips == dmq::sqs::Fips::on);
  CHECK(options.endpoint.empty());
  values["AWS_USE_DUALSTACK_ENDPOINT"] = "true";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().dual_stack == dmq::sqs::DualStack::on);
  values["AWS_ENDPOINT_URL_SQS"] = "http://localhost:1";
  CHECK(says(queue_refusal("AWS_USE_FIPS_ENDPOINT", "yes"), "AWS_USE_FIPS_ENDPOINT"));
  const auto both = QueueOptions::from_env(Environment::of(values));
  REQUIRE_FALSE(both);
  CHECK(says(both.error().message, "exclude each other"));
}

TEST_CASE("configured endpoints may be ignored") {
  Environment::Values values = queue_values();
  values["AWS_ENDPOINT_URL"] = "http://localhost:4566";
  values["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true";
  CHECK(QueueOptions::from_env(Environment::of(values)).value().endpoint == "https://sqs.eu-central-1.amazonaws.com");
}

TEST_CASE("the number of attempts is AWS's, and each of its retry modes is taken for the standard one") {
  Environment::Values values = queue_values();
  values["AWS_MAX_ATTEMPTS"] = "9";
  for (const char* mode : {"standard", "legacy", "adaptive"}) {
    values["AWS_RETRY_MODE"] = mode;
    CHECK(QueueOptions::from_env(Environment::of(values)).value().publish.retry.max_attempts == 9);
  }
  CHECK(says(queue_refusal("AWS_RETRY_MODE", "eager"), "AWS_RETRY_MODE"));
  CHECK(says(queue_refusal("AWS_MAX_ATTEMPTS", "0"), "AWS_MAX_ATTEMPTS"));
}

TEST_CASE("each missing variable of a queue is named") {
  for (const char* name : {"SQS_QUEUE_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
    CHECK_MESSAGE(says(queue_refusal(name, ""), "environment variable " + std::string(name) + " is not set"), name);
}

TEST_CASE("each malformed variable of a queue is named") {
  for (const char* url :
       {"q.fifo", "https://sqs.eu-central-1.amazonaws.com", "https://sqs.eu-central-1.amazonaws.com/q",
        "https://sqs.eu-central-1.amazonaws.com/1/", "https://sqs.eu-central-1.amazonaws.com/1/q?x"})
    CHECK_MESSAGE(says(queue_refusal("SQS_QUEUE_URL", url), "SQS_QUEUE_URL"), url);
  CHECK(says(queue_refusal("AWS_REGION", "Europe"), "AWS_REGION"));
  CHECK(says(queue_refusal("AWS_ACCESS_KEY_ID", "AK\r\nX: y"), "AWS_ACCESS_KEY_ID has a control character at byte 2"));
  CHECK(says(queue_refusal("AWS_SESSION_TOKEN", "t\n"), "AWS_SESSION_TOKEN has a control character at byte 1"));
  for (const char* name : {"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"})
    for (const char* url : {"localhost:9324", "https://h/path", "https://h/?q"})
      CHECK_MESSAGE(says(queue_refusal(name, url), name), url);
}

TEST_CASE("a queue's options filled by hand are checked, too") {
  const QueueOptions good = QueueOptions::from_env(Environment::of(queue_values())).value();
  CHECK(check(good).has_value());
  QueueOptions options = good;
  options.endpoint.clear();
  CHECK(check(options).has_value());
  options.region.clear();
  CHECK(says(check(options).error().message, "AWS_REGION"));
  options = good;
  options.region = "EU";
  CHECK(says(check(options).error().message, "AWS_REGION"));
  options = good;
  options.credentials = {};
  CHECK(says(check(options).error().message, "AWS_ACCESS_KEY_ID"));
  options.chain = dmq::auth::ChainSettings{};
  CHECK(check(options).has_value());
  options.credentials.access_key_id = "AKID";
  CHECK(says(check(options).error().message, "AWS_SECRET_ACCESS_KEY"));
}
