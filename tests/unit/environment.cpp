#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <dmq/environment.hpp>

using dmq::Environment;
using dmq::ErrorKind;

namespace {

Environment::Values parsed(std::string_view text) {
  return Environment::parse(text, "test.env").value();
}

std::string refusal(std::string_view text) {
  const auto values = Environment::parse(text, "test.env");
  if (values) return "";
  CHECK(values.error().kind == ErrorKind::configuration);
  return values.error().message;
}

}  // namespace

TEST_CASE("lines are names and values") {
  CHECK(parsed("A=1\nB = two words \r\n\n  # a comment\nexport C=3\nD=a=b\nE=\n") ==
        Environment::Values{{"A", "1"}, {"B", "two words"}, {"C", "3"}, {"D", "a=b"}, {"E", ""}});
  CHECK(parsed("").empty());
  CHECK(parsed("A=1") == Environment::Values{{"A", "1"}});
  CHECK(parsed("A=1\nA=2") == Environment::Values{{"A", "2"}});
}

TEST_CASE("quotes keep spaces, and double ones know escapes") {
  CHECK(parsed(R"(A=' x # \n')").at("A") == R"( x # \n)");
  CHECK(parsed(R"(A=" x\n\r\t\"\\ " # comment)").at("A") == " x\n\r\t\"\\ ");
  CHECK(parsed(R"(A='')").at("A").empty());
  CHECK(parsed(R"(A=x'y')").at("A") == "x'y'");
}

TEST_CASE("a byte order mark is no part of a name") {
  CHECK(parsed("\xEF\xBB\xBF"
               "A=1") == Environment::Values{{"A", "1"}});
}

TEST_CASE("a malformed line is told by its number, never by its content") {
  for (const char* line : {"hunter2", "=hunter2", "hunter2 x=1", "\"hunter2\"=1", "A='hunter2", "A=\"hunter2",
                           "A=\"hunter2\\", "A='hunter2' x"}) {
    const std::string message = refusal("OK=1\n\n" + std::string(line) + "\n");
    CHECK_MESSAGE(message.starts_with("test.env, line 3: "), line);
    CHECK_MESSAGE(message.find("hunter2") == std::string::npos, line);
  }
  CHECK(refusal("A='x") == "test.env, line 1: the closing quote is missing");
  CHECK(refusal("A='x' y") == "test.env, line 1: text after the closing quote");
}

TEST_CASE("an empty value counts as absent") {
  const Environment environment = Environment::of({{"EMPTY", ""}, {"SET", "x"}});
  CHECK(environment.find("SET") == "x");
  CHECK(environment.find("EMPTY") == std::nullopt);
  CHECK(environment.find("NONE") == std::nullopt);
}

TEST_CASE("a value that is required and absent is an error that names it and what it should be") {
  const auto value = Environment::of({}).require("API_URL", "a URL");
  REQUIRE_FALSE(value);
  CHECK(value.error().kind == ErrorKind::configuration);
  CHECK(value.error().message == "environment variable API_URL is not set; it should be a URL");
  CHECK(Environment::of({{"API_URL", "u"}}).require("API_URL", "a URL").value() == "u");
}

TEST_CASE("the environment of the process comes before a file, and not into given values") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("dmq-environment-" + std::to_string(std::rand()) + ".env");
  std::ofstream(path) << "DMQ_TEST_A=file\nDMQ_TEST_B=file\nDMQ_TEST_C=file\n";
  setenv("DMQ_TEST_A", "process", 1);
  setenv("DMQ_TEST_B", "", 1);
  unsetenv("DMQ_TEST_C");
  const Environment environment = Environment::with_file(path.string()).value();
  CHECK(environment.find("DMQ_TEST_A") == "process");
  CHECK(environment.find("DMQ_TEST_B") == "file");
  CHECK(environment.find("DMQ_TEST_C") == "file");
  CHECK(Environment::process().find("DMQ_TEST_A") == "process");
  CHECK(Environment::process().find("DMQ_TEST_C") == std::nullopt);
  CHECK(Environment::of({{"X", "y"}}).find("DMQ_TEST_A") == std::nullopt);
  unsetenv("DMQ_TEST_A");
  unsetenv("DMQ_TEST_B");
  std::filesystem::remove(path);
}

TEST_CASE("a file that can't be read is a configuration error") {
  for (const std::string& path : {std::string("/nowhere/dmq.env"), std::filesystem::temp_directory_path().string()}) {
    const auto environment = Environment::with_file(path);
    REQUIRE_FALSE(environment);
    CHECK(environment.error().kind == ErrorKind::configuration);
    CHECK(environment.error().message == "can't read the environment file " + path);
  }
}
