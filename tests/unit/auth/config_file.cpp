#include <doctest/doctest.h>
#include <support/temporary_directory.hpp>

#include <string>
#include <string_view>

#include <dmq/auth/config_file.hpp>

using dmq::ErrorKind;
using dmq::auth::ConfigFile;

namespace {

std::string setting(const ConfigFile& file, std::string_view section, std::string_view name) {
  const dmq::auth::ConfigSection* found = file.find(section);
  REQUIRE_MESSAGE(found != nullptr, section);
  const auto it = found->find(name);
  return it == found->end() ? "(absent)" : it->second;
}

ConfigFile parsed(std::string_view text) {
  return ConfigFile::parse(text, "config").value();
}

}  // namespace

TEST_CASE("a shared file has sections of settings") {
  const ConfigFile file = parsed(
      "[default]\n"
      "region=eu-central-1\n"
      "Output = json\r\n"
      "\n"
      "[profile  dev]\n"
      "aws_access_key_id = AKID\n"
      "role_arn = arn:aws:iam::1:role/a=b\n"
      "[profile \"my dev\"]\n"
      "region = us-east-1");
  CHECK(setting(file, "default", "region") == "eu-central-1");
  CHECK(setting(file, "default", "output") == "json");
  CHECK(setting(file, "profile dev", "aws_access_key_id") == "AKID");
  CHECK(setting(file, "profile dev", "role_arn") == "arn:aws:iam::1:role/a=b");
  CHECK(setting(file, "profile my dev", "region") == "us-east-1");
  CHECK(file.find("dev") == nullptr);
}

TEST_CASE("comments stand on lines of their own, or behind a space") {
  const ConfigFile file = parsed(
      "# first\n; second\n[a] # third\n  # fourth\n"
      "one = x # y\ntwo = x;y#z\nthree = # nothing\nfour = x\t; y\n");
  CHECK(setting(file, "a", "one") == "x");
  CHECK(setting(file, "a", "two") == "x;y#z");
  CHECK(setting(file, "a", "three").empty());
  CHECK(setting(file, "a", "four") == "x");
}

TEST_CASE("deeper lines belong to the setting before them") {
  const ConfigFile file = parsed(
      "[services local]\n"
      "sqs =\n"
      "  endpoint_url = http://localhost:1\n"
      "  Max_Attempts = 2\n"
      "sts=\n"
      "\tendpoint_url = http://localhost:2\n"
      "command = run\n"
      "    --all\n"
      "last = x\n");
  CHECK(setting(file, "services local", "sqs.endpoint_url") == "http://localhost:1");
  CHECK(setting(file, "services local", "sqs.max_attempts") == "2");
  CHECK(setting(file, "services local", "sts.endpoint_url") == "http://localhost:2");
  CHECK(setting(file, "services local", "command") == "run\n--all");
  CHECK(setting(file, "services local", "last") == "x");
  CHECK(setting(file, "services local", "endpoint_url") == "(absent)");
}

TEST_CASE("a file that is indented as a whole is read as if it were not") {
  const ConfigFile file = parsed("  [a]\n  one = 1\n  two = 2\n");
  CHECK(setting(file, "a", "one") == "1");
  CHECK(setting(file, "a", "two") == "2");
}

TEST_CASE("a section that comes twice is one, and the last of two settings counts") {
  const ConfigFile file = parsed("\xEF\xBB\xBF[a]\none = 1\n[b]\n[a]\ntwo = 2\none = 3\n");
  CHECK(setting(file, "a", "one") == "3");
  CHECK(setting(file, "a", "two") == "2");
}

TEST_CASE("a malformed line is named by its number and not quoted") {
  const auto refusal = [](std::string_view text) {
    const auto file = ConfigFile::parse(text, "/home/x/.aws/config");
    REQUIRE_FALSE(file);
    CHECK(file.error().kind == ErrorKind::configuration);
    CHECK(file.error().message.find("hunter2") == std::string::npos);
    return file.error().message;
  };
  CHECK(refusal("[a]\n\nhunter2\n") == "/home/x/.aws/config, line 3: expected NAME = VALUE");
  CHECK(refusal("[a]\n= hunter2\n") == "/home/x/.aws/config, line 2: expected NAME = VALUE");
  CHECK(refusal("[a]\nx =\n  hunter2\n") == "/home/x/.aws/config, line 3: expected NAME = VALUE");
  CHECK(refusal("key = hunter2\n") == "/home/x/.aws/config, line 1: a setting stands before the first [section]");
  CHECK(refusal("[hunter2\n") == "/home/x/.aws/config, line 1: the closing bracket of the section is missing");
}

TEST_CASE("a file that is not there has no sections, and one that can't be read is an error") {
  const support::TemporaryDirectory directory;
  CHECK(ConfigFile::read("the file", directory.path("absent")).value().find("default") == nullptr);
  CHECK(ConfigFile::read("the file", "").value().find("default") == nullptr);
  const auto unreadable = ConfigFile::read("the file", directory.path());
  REQUIRE_FALSE(unreadable);
  CHECK(unreadable.error().kind == ErrorKind::configuration);
  CHECK(unreadable.error().message.find(directory.path()) != std::string::npos);
  const auto large = ConfigFile::read("the file", directory.write("large", std::string((1 << 20) + 1, '#')));
  REQUIRE_FALSE(large);
  CHECK(large.error().message.find("1 MiB") != std::string::npos);
}
