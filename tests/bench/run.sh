#!/bin/sh
# Builds the benchmarks and runs them: sh tests/bench/run.sh [OPERATION...]
#
# Without arguments all operations of dmq_bench, other clients and the compile times, each a line of JSON, then a table of
# what has a budget, and tests/bench/RESULTS.md is written, with latency.svg and cost.svg beside it; the exit code tells whether
# all budgets hold. CPU time is what counts, except for latency: wall time is that of everybody on the machine.
#
#   sh tests/bench/run.sh clients               boto3, and from npm the SDK of AWS, sqs-producer and sqs-consumer
#   sh tests/bench/run.sh compile               compile times and the size of a program alone; see compile.sh
#   sh tests/bench/run.sh micro [ARGUMENTS]     what the parts cost, with the arguments of Google Benchmark
#   sh tests/bench/run.sh queue [ARGUMENTS]     what the model queue costs, likewise
#
# Installs what is missing, as tests/run.sh does. The servers are nginx with canned answers, and for consume and latency
# the example local_cloud, on the loopback and for as long as this runs. Read from the environment: CXX, DMQ_BUILD_DIR
# (else .build/bench), DMQ_CMAKE_ARGS, DMQ_BENCH_PORT (the first of ten to try for nginx, else 18765), DMQ_BENCH_DIVIDE
# (so many times fewer requests and rounds: to see that all works; RESULTS.md and the plots are then left alone).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/setup.sh"

build=${DMQ_BUILD_DIR:-$root/.build/bench}
here=$root/tests/bench
bench=$build/tests/bench/dmq_bench
divide=${DMQ_BENCH_DIVIDE:-1}

prepare() { # TARGET...
  dmq_setup benchmarks
  dmq_configure "$build" -DCMAKE_BUILD_TYPE=Release -DDMQ_BUILD_BENCHMARKS=ON -DDMQ_BUILD_TESTS=OFF \
    -DDMQ_BUILD_EXAMPLES=ON
  dmq_build "$build" "$@"
}

case ${1:-} in
  micro | queue)
    program=dmq_bench_$1
    shift
    prepare "$program"
    exec "$build/tests/bench/$program" "$@"
    ;;
esac

end() {
  for server in $nginx $cloud; do { kill "$server" && wait "$server"; } 2>/dev/null || :; done
  rm -rf "$scratch"
}

load() { cut -d ' ' -f 1-3 /proc/loadavg 2>/dev/null || say unknown; }

# Sets nginx to its process id and url to its address.
start_nginx() {
  port=${DMQ_BENCH_PORT:-18765}
  last=$((port + 10))
  while [ "$port" -lt "$last" ]; do
    "$bench" nginx-config "$port" >"$scratch/nginx.conf"
    /usr/sbin/nginx -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/log" &
    nginx=$!
    url=http://127.0.0.1:$port
    tries=50
    while [ "$tries" -gt 0 ] && kill -0 "$nginx" 2>/dev/null; do
      [ ! -s "$scratch/nginx.pid" ] || ! "$bench" floor-send 1 --url "$url" >/dev/null 2>&1 || return 0
      sleep 0.1
      tries=$((tries - 1))
    done
    kill "$nginx" 2>/dev/null || :
    nginx=
    port=$((port + 1))
  done
  cat "$scratch/log" >&2
  fail "nginx did not start"
}

# Sets cloud to its process id and url to its address.
start_cloud() {
  "$build/examples/local_cloud" --port 0 >"$scratch/cloud" &
  cloud=$!
  while ! grep -q '^ready$' "$scratch/cloud"; do
    kill -0 "$cloud" 2>/dev/null || fail "local_cloud did not start"
    sleep 0.1
  done
  url=$(sed -n 's/^AWS_ENDPOINT_URL_SQS=//p' "$scratch/cloud")
}

stop_cloud() {
  { kill "$cloud" && wait "$cloud"; } 2>/dev/null || :
  cloud=
}

measure() { # OPERATION N ARGUMENTS...
  name=$1
  n=$(($2 / divide))
  shift 2
  "$bench" "$name" "$n" "$@" --url "$url" >"$scratch/line" || [ $? -eq 1 ] || fail "$name could not be measured"
  tee -a "$scratch/lines" <"$scratch/line"
}

# With a new local_cloud: what a poll that was broken off takes from an old one is hidden for a while.
measure_cloud() { # as measure
  nginx_url=$url
  start_cloud
  measure "$@"
  stop_cloud
  url=$nginx_url
}

# What other clients take, each with a local_cloud of its own. Those that this machine can't run are left out.
measure_clients() { # N
  nginx_url=$url
  npm=$build/npm
  start_cloud
  "$(python)" "$here/clients/boto3_client.py" "$url" "$1" >"$scratch/clients" || fail "boto3 could not be measured"
  stop_cloud
  mkdir -p "$npm"
  cp "$root/tests/integration/npm/package.json" "$root/tests/integration/npm/package-lock.json" \
    "$here/clients/npm_clients.mjs" "$npm"
  if sh "$root/tests/integration/npm/install.sh" "$npm" >&2; then
    start_cloud
    (cd "$npm" && PATH=$npm/node_modules/.bin:$PATH node npm_clients.mjs "$url" "$1") \
      >>"$scratch/clients" 2>"$scratch/log" || { cat "$scratch/log" >&2 && fail "the clients of npm could not be measured"; }
    stop_cloud
  fi
  tee -a "$scratch/lines" <"$scratch/clients"
  url=$nginx_url
}

plot() { # NAME: of NAME_plot.awk, writes NAME.svg
  awk -f "$here/lines.awk" -f "$here/svg.awk" -f "$here/$1_plot.awk" "$scratch/lines" >"$here/$1.svg"
}

operation() {
  case $1 in
    submit)
      measure submit 300000 --groups 100
      measure submit 300000 --groups 100000
      ;;
    inflight) measure inflight 100000 ;;
    clients) measure_clients $((2000 / divide)) ;;
    consume) measure_cloud consume 20000 ;;
    latency) for rate in 500 1000 2000; do measure_cloud latency $((5 * rate)) --rate "$rate"; done ;;
    compile)
      sh "$here/compile.sh" $(((4 + divide) / divide)) >"$scratch/compiled"
      tee -a "$scratch/lines" <"$scratch/compiled"
      ;;
    *) measure "$1" 10000 ;;
  esac
}

scratch=$(mktemp -d)
nginx=
cloud=
url=
trap end EXIT
trap 'exit 1' INT TERM HUP
before=$(load)
whole=no
if [ $# = 0 ]; then
  whole=yes
  set -- submit inflight send gateway sendbatch recvdel consume latency clients compile
fi
if [ "$*" != compile ]; then
  prepare dmq_bench local_cloud
  start_nginx
fi
for name in "$@"; do operation "$name"; done
if [ $whole = yes ] && [ "$divide" = 1 ]; then
  sh "$here/results.sh" "$scratch/lines" "$before" >"$here/RESULTS.md"
  plot latency
  plot cost
fi
printf '\n'
awk -f "$here/lines.awk" -f "$here/table.awk" "$scratch/lines"
