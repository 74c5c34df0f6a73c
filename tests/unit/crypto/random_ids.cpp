#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <set>
#include <string>

#include <dmq/crypto/random_ids.hpp>

using dmq::crypto::RandomIds;

TEST_CASE("an id has 32 hexadecimal digits, and comes once") {
  RandomIds ids;
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = ids();
    REQUIRE(id.size() == 32);
    REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    REQUIRE(seen.insert(id).second);
  }
}

TEST_CASE("a copy makes ids of its own") {
  RandomIds first;
  first();
  RandomIds copy = first;
  std::function<std::string()> function = first;
  RandomIds assigned;
  assigned();
  assigned = first;
  std::set<std::string> seen;
  for (int i = 0; i < 40; ++i) {
    CHECK(seen.insert(first()).second);
    CHECK(seen.insert(copy()).second);
    CHECK(seen.insert(function()).second);
    CHECK(seen.insert(assigned()).second);
  }
}

TEST_CASE("a forked child draws anew") {
  RandomIds ids;
  ids();
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string id = ids();
    const bool written = write(ends[1], id.data(), id.size()) == 32;
    _exit(written ? 0 : 1);
  }
  int status = 1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  char theirs[32] = {};
  REQUIRE(read(ends[0], theirs, sizeof theirs) == 32);
  close(ends[0]);
  close(ends[1]);
  CHECK(ids() != std::string(theirs, sizeof theirs));
}

TEST_CASE("seeds differ") {
  CHECK(dmq::crypto::random_seed() != dmq::crypto::random_seed());
}
