#!/bin/sh
# boto3.sh LOCAL_CLOUD: the steps by Debian's boto3.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"

python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import boto3' 2>/dev/null; then
  [ "${DMQ_REQUIRE_BOTO3:-0}" != 1 ] || fail "python3-boto3 is not installed"
  skip "python3-boto3 is not installed, so SQS's query protocol has no client to be tried with"
fi

start_cloud "$1"
export AWS_DATA_PATH="$here/models" PYTHONDONTWRITEBYTECODE=1
"$python" "$here/run.py" || fail "boto3"
