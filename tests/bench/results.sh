#!/bin/sh
# Writes RESULTS.md to standard output: sh tests/bench/results.sh LINES [LOAD]
#
# LINES are the lines of JSON of one run of run.sh on this machine, LOAD its load averages when that began.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/cmake/setup.sh"

field() { sed -n "s/^$1[[:space:]]*[:=][[:space:]]*\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "$2" | head -n 1; }
version_of() { pkg-config --modversion "$1" 2>/dev/null || say unknown; }

revision() {
  git -C "$root" rev-parse --short HEAD 2>/dev/null || { say "no repository" && return; }
  [ -z "$(git -C "$root" status --porcelain -- include tests/bench ':!*.md' ':!*.svg' 2>/dev/null)" ] || say ", changed"
}

cat <<END
# Measured

Written by \`sh tests/bench/run.sh\`, which measures again.

| | |
| --- | --- |
| processor | $(field 'model name' /proc/cpuinfo), $(nproc) cores |
| memory | $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1000000 }' /proc/meminfo) |
| system | $(field PRETTY_NAME /etc/os-release), Linux $(uname -r) |
| load before the run (1, 5, 15 min) | ${2:-unknown} |
| compiler | $("$(compiler)" --version | head -n 1), -O2 |
| libraries | libcurl $(version_of libcurl), OpenSSL $(version_of libcrypto), simdjson $(version_of simdjson) |
| server | $(/usr/sbin/nginx -v 2>&1 | sed 's/.*: //') on the same machine |
| dmq | $(sed -n 's/^#define DMQ_VERSION "\(.*\)"/\1/p' "$root/include/dmq/version.hpp"), $(revision | tr -d '\n') |
| date | $(date -u '+%Y-%m-%d %H:%M') UTC |

END
awk -f "$here/lines.awk" -f "$here/results.awk" "$1"
