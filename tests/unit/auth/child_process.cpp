#include <doctest/doctest.h>
#include <unistd.h>
#include <support/temporary_directory.hpp>

#include <chrono>
#include <csignal>
#include <fstream>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dmq/auth/child_process.hpp>

using dmq::ErrorKind;
using dmq::auth::ProcessResult;
using dmq::auth::run_process;
using std::chrono::milliseconds;
using std::chrono::minutes;

namespace {

std::vector<std::string> shell(const std::string& script) {
  return {"sh", "-c", script};
}

}  // namespace

TEST_CASE("a program's output, errors and status are told apart") {
  const ProcessResult result = run_process(shell("echo out; echo err >&2; exit 3"), minutes(1), {}).value();
  CHECK(result.output == "out\n");
  CHECK(result.errors == "err\n");
  CHECK(result.exit_status == 3);
  CHECK_FALSE(result.killed);
}

TEST_CASE("its words arrive as they are, and no shell reads them") {
  const ProcessResult result = run_process({"printf", "%s|", "$HOME; exit 1", "*", ""}, minutes(1), {}).value();
  CHECK(result.output == "$HOME; exit 1|*||");
  CHECK(result.exit_status == 0);
}

TEST_CASE("it has nothing that we have open but its streams") {
  int ours[2];
  REQUIRE(pipe(ours) == 0);
  const ProcessResult result =
      run_process(shell("[ -e /proc/self/fd/" + std::to_string(ours[1]) + " ] && echo there"), minutes(1), {}).value();
  CHECK(result.output.empty());
  close(ours[0]);
  close(ours[1]);
}

TEST_CASE("its input is empty") {
  CHECK(run_process({"cat"}, minutes(1), {}).value().output.empty());
}

TEST_CASE("one that was killed has no status") {
  const ProcessResult result = run_process(shell("kill -9 $$"), minutes(1), {}).value();
  CHECK(result.killed);
  CHECK_FALSE(result.exit_status);
}

TEST_CASE("it may go on for a while after it has closed its streams") {
  CHECK(run_process(shell("exec >&- 2>&-; sleep 0.05; exit 4"), minutes(1), {}).value().exit_status == 4);
}

TEST_CASE("a program that is not there is a setting to mend") {
  const auto result = run_process({"/nowhere/program"}, minutes(1), {});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::configuration);
}

TEST_CASE("one that prints without end is ended") {
  const auto result = run_process({"yes"}, minutes(1), {});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::protocol);
  CHECK(result.error().message == "the program prints more than 64 KiB");
}

TEST_CASE("one that takes longer than it may is ended") {
  const auto result = run_process({"sleep", "1000"}, milliseconds(20), {});
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::timeout);
}

TEST_CASE("a stop ends it at once, with what it has started") {
  const support::TemporaryDirectory directory;
  const std::string fifo = directory.path("fifo");
  REQUIRE(run_process({"mkfifo", fifo}, minutes(1), {}).value().exit_status == 0);
  std::stop_source stop;
  // Both programs hold the fifo open: it ends when both have.
  std::jthread reader([&] {
    std::ifstream input(fifo);
    std::string line;
    std::getline(input, line);
    stop.request_stop();
    while (std::getline(input, line)) {
    }
  });
  const auto result =
      run_process(shell("exec 3>" + fifo + "; sleep 1000 & echo ready >&3; wait"), minutes(10), stop.get_token());
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == ErrorKind::cancelled);
}

TEST_CASE("a stop that was asked for before ends it, too") {
  std::stop_source stop;
  stop.request_stop();
  CHECK(run_process({"sleep", "1000"}, minutes(10), stop.get_token()).error().kind == ErrorKind::cancelled);
}

TEST_CASE("programs run also where the end of children is ignored") {
  const auto before = std::signal(SIGCHLD, SIG_IGN);
  const auto result = run_process(shell("echo out; exit 3"), minutes(1), {});
  std::signal(SIGCHLD, before);
  REQUIRE(result);
  CHECK(result->output == "out\n");
  CHECK_FALSE(result->exit_status);
  CHECK_FALSE(result->killed);
}
