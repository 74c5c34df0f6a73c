#include <doctest/doctest.h>
#include <sys/stat.h>
#include <support/temporary_directory.hpp>

#include <string>

#include <dmq/auth/text_file.hpp>

using dmq::ErrorKind;
using dmq::auth::read_text_file;

TEST_CASE("a file is read whole, and one that is not there is none") {
  const support::TemporaryDirectory directory;
  const std::string text(10'000, 'x');
  CHECK(read_text_file("it", directory.write("file", text)).value() == text);
  CHECK(read_text_file("it", directory.write("empty", "")).value() == "");
  CHECK_FALSE(read_text_file("it", directory.path("nowhere")).value());
  CHECK_FALSE(read_text_file("it", directory.path("file/below")).value());
}

TEST_CASE("what can't be the file of a person is refused, and named") {
  const support::TemporaryDirectory directory;
  const auto refusal = [](const std::string& path) {
    const auto read = read_text_file("the settings", path);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::configuration);
    CHECK(read.error().message.find("the settings " + path) != std::string::npos);
    return read.error().message;
  };
  CHECK(refusal(directory.write("big", std::string((1U << 20U) + 1, 'x'))).ends_with("it is over 1 MiB"));
  CHECK(refusal(directory.path()).ends_with("is it a directory?"));
  // Opening it would never end.
  REQUIRE(mkfifo(directory.path("pipe").c_str(), 0600) == 0);
  CHECK(refusal(directory.path("pipe")).ends_with("it is a pipe"));
}
