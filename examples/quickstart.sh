#!/bin/sh
# Builds examples/quickstart.cpp and runs it. It needs no account and no network: sh examples/quickstart.sh
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/cmake/setup.sh"

build=${DMQ_BUILD_DIR:-$root/.build/quickstart}
dmq_setup library
dmq_configure "$build" -DCMAKE_BUILD_TYPE=Release -DDMQ_BUILD_TESTS=OFF -DDMQ_BUILD_EXAMPLES=ON
dmq_build "$build" quickstart
say
program=$build/examples/quickstart
exec "$program" "$@"
