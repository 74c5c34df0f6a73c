#!/bin/sh
# Builds the benchmarks and runs them: sh tests/bench/run.sh [OPERATION...]
#
# Without arguments all operations of dmq_bench, each a line of JSON, and then a table of what has a budget; the exit
# code tells whether all hold. CPU time is what counts: wall time is that of everybody on the machine.
#
#   sh tests/bench/run.sh queue [ARGUMENTS]   what the model queue costs, with the arguments of Google Benchmark
#
# Installs what is missing, as tests/run.sh does. The server with the canned answers is nginx, on the loopback and for
# as long as this runs. Read from the environment: CXX, DMQ_BUILD_DIR (else .build/bench), DMQ_CMAKE_ARGS,
# DMQ_BENCH_PORT (the first of ten to try, else 18765).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/setup.sh"

build=${DMQ_BUILD_DIR:-$root/.build/bench}
bench=$build/tests/bench/dmq_bench

prepare() {
  dmq_setup benchmarks
  dmq_configure "$build" -DCMAKE_BUILD_TYPE=Release -DDMQ_BUILD_BENCHMARKS=ON -DDMQ_BUILD_TESTS=OFF \
    -DDMQ_BUILD_EXAMPLES=OFF
  dmq_build "$build" "$1"
}

if [ "${1:-}" = queue ]; then
  shift
  prepare dmq_bench_queue
  exec "$build/tests/bench/dmq_bench_queue" "$@"
fi

end() {
  [ -z "$nginx" ] || { kill "$nginx" && wait "$nginx"; } 2>/dev/null || :
  rm -rf "$directory"
}

# Sets nginx to its process id and url to its address.
start_nginx() {
  port=${DMQ_BENCH_PORT:-18765}
  last=$((port + 10))
  while [ "$port" -lt "$last" ]; do
    "$bench" nginx-config "$port" >"$directory/nginx.conf"
    /usr/sbin/nginx -p "$directory" -c "$directory/nginx.conf" 2>"$directory/log" &
    nginx=$!
    url=http://127.0.0.1:$port
    tries=50
    while [ "$tries" -gt 0 ] && kill -0 "$nginx" 2>/dev/null; do
      [ ! -s "$directory/nginx.pid" ] || ! "$bench" floor-send 1 --url "$url" >/dev/null 2>&1 || return 0
      sleep 0.1
      tries=$((tries - 1))
    done
    kill "$nginx" 2>/dev/null || :
    nginx=
    port=$((port + 1))
  done
  cat "$directory/log" >&2
  fail "nginx did not start"
}

measure() { # OPERATION N ARGUMENTS...
  "$bench" "$@" --url "$url" >"$directory/line" || [ $? -eq 1 ] || fail "$1 could not be measured"
  tee -a "$directory/lines" <"$directory/line"
}

operation() {
  case $1 in
    submit)
      measure submit 300000 --groups 100
      measure submit 300000 --groups 100000
      ;;
    inflight) measure inflight 100000 ;;
    *) measure "$1" 10000 ;;
  esac
}

# Of each figure with a budget: operation, name, value, budget, whether it holds.
table() {
  awk -F '[{},]' '
    {
      split("", value)
      count = 0
      for (i = 1; i <= NF; ++i) {
        gsub(/"/, "", $i)
        at = index($i, ":")
        name = substr($i, 1, at - 1)
        value[name] = substr($i, at + 1)
        if (name ~ /_at_(most|least)$/) budgets[++count] = name
      }
      what = value["op"] ("groups" in value ? " of " value["groups"] + 0 " groups" : "")
      for (i = 1; i <= count; ++i) {
        name = budgets[i]
        most = sub(/_at_most$/, "", name)
        if (!most) sub(/_at_least$/, "", name)
        budget = value[budgets[i]] + 0
        holds = most ? value[name] + 0 <= budget : value[name] + 0 >= budget
        printf "%-26s %-26s %8s %s %-6s %s\n", what, name, value[name], most ? "<=" : ">=", budget, holds ? "" : "MISSED"
        missed += !holds
      }
    }
    END { exit missed > 0 }
  ' "$directory/lines"
}

prepare dmq_bench
directory=$(mktemp -d)
nginx=
trap end EXIT
trap 'exit 1' INT TERM HUP
start_nginx
[ $# -gt 0 ] || set -- submit inflight send gateway sendbatch recvdel
for name in "$@"; do operation "$name"; done
printf '\n'
table
