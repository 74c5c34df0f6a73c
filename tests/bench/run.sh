#!/bin/sh
# Builds and runs the benchmarks: sh tests/bench/run.sh [arguments of Google Benchmark]
#
# Installs what is missing, as tests/run.sh does. Read from the environment: CXX, DMQ_BUILD_DIR (else .build/bench),
# DMQ_CMAKE_ARGS.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/setup.sh"

build=${DMQ_BUILD_DIR:-$root/.build/bench}
dmq_setup benchmarks
dmq_configure "$build" -DCMAKE_BUILD_TYPE=Release -DDMQ_BUILD_BENCHMARKS=ON -DDMQ_BUILD_TESTS=OFF \
  -DDMQ_BUILD_EXAMPLES=OFF
dmq_build "$build" dmq_bench_queue
"$build/tests/bench/dmq_bench_queue" "$@"
