#include <doctest/doctest.h>
#include <support/temporary_directory.hpp>

#include <dmq/auth/profile.hpp>

using dmq::Environment;
using dmq::auth::SharedFiles;

TEST_CASE("a profile's settings come from both files, those of the credentials file first") {
  const support::TemporaryDirectory home;
  home.write(".aws/config",
             "[profile dev]\nregion = eu-central-1\naws_access_key_id = of config\nempty =\n"
             "[default]\nregion = old\n[profile default]\nregion = new\n[other]\nregion = x\n");
  home.write(".aws/credentials", "[dev]\naws_access_key_id = of credentials\n[only]\naws_access_key_id = x\n");
  const SharedFiles files = SharedFiles::read(Environment::of({{"HOME", home.path()}})).value();
  const auto dev = files.profile("dev");
  REQUIRE(dev);
  CHECK(dev->find("aws_access_key_id") == "of credentials");
  CHECK(dev->find_in(dev->config, "aws_access_key_id") == "of config");
  CHECK(dev->find("region") == "eu-central-1");
  CHECK_FALSE(dev->find("empty"));
  CHECK_FALSE(dev->find("output"));
  CHECK(files.profile("default")->find("region") == "new");
  CHECK(files.profile("only")->find("aws_access_key_id") == "x");
  CHECK_FALSE(files.profile("other"));
  CHECK_FALSE(files.profile("nobody"));
}

TEST_CASE("the default profile needs no word in front of it in the config file") {
  const support::TemporaryDirectory home;
  home.write(".aws/config", "[default]\nregion = eu-central-1\n");
  const SharedFiles files = SharedFiles::read(Environment::of({{"HOME", home.path()}})).value();
  CHECK(files.profile("default")->find("region") == "eu-central-1");
}

TEST_CASE("variables say where the files are, and a tilde is the home") {
  const support::TemporaryDirectory home;
  home.write("c", "[profile dev]\nregion = a\n");
  const std::string credentials = home.write("k", "[dev]\naws_access_key_id = b\n");
  const SharedFiles files = SharedFiles::read(Environment::of({{"HOME", home.path()},
                                                               {"AWS_CONFIG_FILE", "~/c"},
                                                               {"AWS_SHARED_CREDENTIALS_FILE", credentials}}))
                                .value();
  CHECK(files.config_path() == home.path("c"));
  CHECK(files.profile("dev")->find("region") == "a");
  CHECK(files.profile("dev")->find("aws_access_key_id") == "b");
}

TEST_CASE("without a home there are no files") {
  const SharedFiles files = SharedFiles::read(Environment::of({})).value();
  CHECK(files.config_path().empty());
  CHECK_FALSE(files.profile("default"));
}

TEST_CASE("a malformed file is an error") {
  const support::TemporaryDirectory home;
  home.write(".aws/credentials", "nonsense");
  const auto files = SharedFiles::read(Environment::of({{"HOME", home.path()}}));
  REQUIRE_FALSE(files);
  CHECK(files.error().message.starts_with(home.path(".aws/credentials") + ", line 1"));
}
