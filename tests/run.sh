#!/bin/sh
# Builds and runs all tests: sh tests/run.sh [ctest arguments]
#
# On Debian and Ubuntu it installs the packages that are missing, when it may. Read from the environment:
#   CXX              the compiler, else g++ or clang++
#   DMQ_BUILD_DIR    where to build, else .build/tests
#   DMQ_CMAKE_ARGS   more arguments for cmake
#   DMQ_JOBS         tests at a time, else 2
#   DMQ_REQUIRE_NPM  1: tests that need npm fail, rather than being skipped, where they can't run
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

build=${DMQ_BUILD_DIR:-$root/.build/tests}
dmq_setup tests
export DMQ_REQUIRE_BOTO3=1 DMQ_REQUIRE_YAML=1
dmq_configure "$build" -DDMQ_BUILD_TESTS=ON -DDMQ_BUILD_EXAMPLES=ON
dmq_build "$build"

printf 'Testing:  '
status=0
(cd "$build" && tracked ctest.log ctest --parallel "${DMQ_JOBS:-2}" --output-on-failure "$@") || status=$?

if [ $status != 0 ]; then
  # Everything that failed, with its output, but not the line of each test that passed.
  grep -v -e '^ *Start ' -e '^ *[0-9]*/[0-9]* Test .*Passed' "$build/ctest.log" >&2 || true
fi

say
say "Tests by kind:"
sed -n 's/^\([A-Za-z_]*\) *= *\([0-9.]*\) sec\*proc (\([0-9]*\) test.*/  \1: \3, \2 s/p' "$build/ctest.log"
skipped=$(sed -n '/tests did not run:/,$s/^[[:space:]]*[0-9]* - \(.*\) (\(Skipped\|Disabled\|Not Run\))/  \1/p' \
  "$build/ctest.log")
if [ -n "$skipped" ]; then
  say "Skipped:"
  say "$skipped"
  sed -n 's/^skipped: /  because /p' "$build/Testing/Temporary/LastTest.log" | sort -u
fi
grep -e '% tests passed' "$build/ctest.log" || say "No test ran."
exit $status
