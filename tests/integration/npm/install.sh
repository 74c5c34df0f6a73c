#!/bin/sh
# install.sh DIRECTORY: the packages of package-lock.json into DIRECTORY/node_modules, which has both files.
set -eu
cd "$1"

# Without npm the tests are skipped, unless they were asked for.
missing() {
  if [ "${DMQ_REQUIRE_NPM:-0}" = 1 ]; then
    echo "failed: $*" >&2
    exit 1
  fi
  echo "skipped: $*"
  exit 77
}

if cmp -s package-lock.json node_modules/.dmq-lock; then exit 0; fi
for program in node npm; do
  command -v $program >/dev/null || missing "$program is not installed, so no client or server from npm can be run"
done
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >install.log 2>&1 </dev/null; then
  cat install.log
  missing "npm could not install its packages, so no client or server from npm can be run"
fi
cp package-lock.json node_modules/.dmq-lock
