#!/bin/sh
# What dmq costs the compiler and the linker: sh tests/bench/compile.sh [ROUNDS]
#
# Compiles at -O2, in so many rounds (5): the smallest program that sends, what simdjson.h and curl.h alone take, and a
# file that uses producer.hpp and leaves the wiring to another. Then, in half as many rounds, each public header by
# itself: those at the top of include/dmq, those of wired/, and those that the README and the examples include.
#
# Lines of JSON: medians of the compiler's CPU time in user mode, in seconds, and of the ratios of each round, which
# are what has budgets. Read from the environment: CXX.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/cmake/setup.sh"

rounds=${1:-5}
case $rounds in *[!0-9]* | '' | 0) fail "usage: compile.sh [ROUNDS]" ;; esac
dmq_setup library >&2
cxx=$(compiler)
libraries="libcurl simdjson libcrypto"
# shellcheck disable=SC2086
flags="-std=c++20 -O2 -I$root/include $(pkg-config --cflags $libraries)"
# shellcheck disable=SC2086
link="$(pkg-config --libs $libraries) -pthread"
export CCACHE_DISABLE=1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
trap 'exit 1' INT TERM HUP

cat >"$directory/floor.cpp" <<'END'
#include <curl/curl.h>
#include <simdjson.h>
int main() {}
END

cat >"$directory/sending.cpp" <<'END'
#include <dmq/wired/gateway_producer.hpp>
int main() {
  auto producer = dmq::make_producer(dmq::GatewayOptions::from_env().value()).value();
  return producer.publish({.body = "{}", .group = "order-7"}) ? 0 : 1;
}
END

cat >"$directory/other.cpp" <<'END'
#include <dmq/producer.hpp>
#include <string>
template <class Producer>
dmq::PublishResult send_order(Producer& producer, std::string order) {
  return producer.publish({.body = "{\"order\": \"" + order + "\"}", .group = order});
}
std::string tell(const dmq::PublishResult& result) {
  return result ? result->message_id : result.error().describe();
}
END

# Adds the CPU time that the compiler takes for NAME.cpp to the file NAME.
compile() { # NAME
  times >"$directory/before"
  # shellcheck disable=SC2086
  "$cxx" $flags -c "$directory/$1.cpp" -o "$directory/$1.o" || fail "$1.cpp does not compile"
  times >"$directory/after"
  cat "$directory/before" "$directory/after" |
    awk 'NR % 2 == 0 { split($1, part, "m"); at[NR] = part[1] * 60 + part[2] } END { print at[4] - at[2] }' \
      >>"$directory/$1"
}

median() { sort -n "$1" | awk '{ value[NR] = $1 } END { printf "%.3g", (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

ratio() { # NAME: of each round to the floor
  paste "$directory/$1" "$directory/floor" | awk '{ print $1 / $2 }' >"$directory/$1.ratio"
  median "$directory/$1.ratio"
}

compile floor # The first has to bring the headers into memory.
rm "$directory/floor"
round=0
while [ "$round" -lt "$rounds" ]; do
  for name in floor sending other; do compile $name; done
  round=$((round + 1))
done
# shellcheck disable=SC2086
"$cxx" "$directory/sending.o" $link -o "$directory/sending.program"
strip "$directory/sending.program"
kilobytes=$(wc -c <"$directory/sending.program" | awk '{ printf "%.1f", $1 / 1000 }')

printf '{"op":"compile","rounds":%s,"floor_s":%s,"sending_s":%s,"other_s":%s,' "$rounds" \
  "$(median "$directory/floor")" "$(median "$directory/sending")" "$(median "$directory/other")"
printf '"sending_ratio":%s,"sending_ratio_at_most":1.5,"other_ratio":%s,"other_ratio_at_most":0.75,' \
  "$(ratio sending)" "$(ratio other)"
printf '"stripped_kb":%s,"stripped_kb_at_most":600}\n' "$kilobytes"

floor=$(median "$directory/floor")
cd "$root"
{
  (cd include && ls dmq/*.hpp dmq/wired/*.hpp)
  grep -rhos '#include <dmq/[^>]*>' README.md examples | sed 's/.*<\(.*\)>/\1/'
} | sort -u >"$directory/headers"
while read -r header; do
  name=$(printf '%s' "$header" | tr '/.' '__')
  printf '#include <%s>\n' "$header" >"$directory/$name.cpp"
  round=0
  while [ "$round" -lt $(((rounds + 1) / 2)) ]; do
    compile "$name"
    round=$((round + 1))
  done
  seconds=$(median "$directory/$name")
  printf '{"op":"header","header":"%s","compile_s":%s,"part_of_floor":%s}\n' "$header" "$seconds" \
    "$(awk "BEGIN { printf \"%.2f\", $seconds / $floor }")"
done <"$directory/headers"
