#include <doctest/doctest.h>
#include <support/temporary_directory.hpp>

#include <string>

#include <dmq/auth/aws_settings.hpp>

using dmq::Environment;
using dmq::ErrorKind;
using dmq::auth::AwsSettings;

namespace {

const support::TemporaryDirectory& home() {
  static const support::TemporaryDirectory directory;
  static const std::string config = directory.write(
      ".aws/config",
      "[default]\nregion = us-east-1\nendpoint_url = http://localhost:1\n"
      "[profile dev]\nregion = eu-central-1\nuse_fips_endpoint = TRUE\nservices = local\nmax_attempts = 5\n"
      "endpoint_url = http://localhost:2\n"
      "[profile lost]\nservices = nowhere\n"
      "[services local]\nsqs =\n  endpoint_url = http://localhost:3\n");
  return directory;
}

AwsSettings settings(Environment::Values values, const std::string& profile = "") {
  values.emplace("HOME", home().path());
  return AwsSettings::read(Environment::of(std::move(values)), profile).value();
}

}  // namespace

TEST_CASE("the profile is named in code, in AWS_PROFILE or AWS_DEFAULT_PROFILE, or is the default one") {
  CHECK(settings({}).region() == "us-east-1");
  CHECK(settings({{"AWS_DEFAULT_PROFILE", "dev"}}).region() == "eu-central-1");
  CHECK(settings({{"AWS_PROFILE", "dev"}, {"AWS_DEFAULT_PROFILE", "x"}}).region() == "eu-central-1");
  CHECK(settings({{"AWS_PROFILE", "default"}}, "dev").region() == "eu-central-1");
}

TEST_CASE("a profile that was asked for has to be there") {
  const auto missing = AwsSettings::read(Environment::of({{"HOME", home().path()}, {"AWS_PROFILE", "nobody"}}));
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::configuration);
  CHECK(missing.error().message.find("no AWS profile nobody in " + home().path(".aws/config")) != std::string::npos);
  CHECK(AwsSettings::read(Environment::of({{"AWS_PROFILE", "default"}})).has_value());
}

TEST_CASE("the environment comes before the profile") {
  CHECK(settings({{"AWS_REGION", "a"}, {"AWS_DEFAULT_REGION", "b"}}, "dev").region() == "a");
  CHECK(settings({{"AWS_DEFAULT_REGION", "b"}}, "dev").region() == "b");
  CHECK(settings({}, "dev").number("AWS_MAX_ATTEMPTS", "max_attempts", 1, 9, 3).value() == 5);
  CHECK(settings({{"AWS_MAX_ATTEMPTS", "7"}}, "dev").number("AWS_MAX_ATTEMPTS", "max_attempts", 1, 9, 3).value() == 7);
  CHECK(settings({}).number("AWS_MAX_ATTEMPTS", "max_attempts", 1, 9, 3).value() == 3);
  CHECK(settings({}, "dev").flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint").value());
  CHECK_FALSE(
      settings({{"AWS_USE_FIPS_ENDPOINT", "false"}}, "dev").flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint").value());
  CHECK_FALSE(settings({}).flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint").value());
}

TEST_CASE("flags and numbers that are none are named") {
  const auto flag = settings({{"F", "1"}}).flag("F", "f");
  REQUIRE_FALSE(flag);
  CHECK(flag.error().message == "F (in profiles: f) should be true or false");
  for (const char* text : {"0", "10", "x", "1.5", " 1"}) {
    const auto number = settings({{"N", text}}).number("N", "n", 1, 9, 3);
    REQUIRE_FALSE(number);
    CHECK(number.error().message == "N (in profiles: n) should be a number from 1 to 9");
  }
}

TEST_CASE("of the endpoints the nearest to the service counts, and variables before profiles") {
  const auto sqs = [](Environment::Values values, const std::string& profile) {
    return settings(std::move(values), profile).endpoint_url("SQS", "sqs").value();
  };
  CHECK(sqs({{"AWS_ENDPOINT_URL_SQS", "x"}, {"AWS_ENDPOINT_URL", "y"}}, "dev") == "x");
  CHECK(sqs({{"AWS_ENDPOINT_URL", "y"}}, "dev") == "y");
  CHECK(sqs({}, "dev") == "http://localhost:3");
  CHECK(settings({}, "dev").endpoint_url("STS", "sts").value() == "http://localhost:2");
  CHECK(sqs({}, "default") == "http://localhost:1");
  CHECK_FALSE(sqs({{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"}, {"AWS_ENDPOINT_URL_SQS", "x"}}, "dev"));
  const auto lost = settings({}, "lost").endpoint_url("SQS", "sqs");
  REQUIRE_FALSE(lost);
  CHECK(lost.error().message.find("services nowhere") != std::string::npos);
}
