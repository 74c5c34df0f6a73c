#!/bin/sh
# fauxqs.sh PRODUCER CONSUMER NPM_DIRECTORY: `producer --direct` and `consumer` with an SQS that others wrote.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"
. "$here/../lines.sh"
npm=$3
. "$here/node.sh"

export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
start_server node "$npm/fauxqs.mjs"
SQS_QUEUE_URL=$(node "$npm/sqs.mjs" create orders.fifo)
export SQS_QUEUE_URL

by_group() { sort -s -t '	' -k 1,1; }
# It takes no characters beyond U+FFFF, which SQS does.
lines escaped | sed -n '451,550p' | sed 's/[\xf0-\xf4][\x80-\xbf]\{3\}/x/g' >"$work/in"
by_group <"$work/in" >"$work/expected"
for way in --direct "--direct --batch"; do
  # shellcheck disable=SC2086
  "$1" --escaped $way <"$work/in" >"$work/receipts" || fail "producer $way"
  "$2" --max 100 --idle 10 >"$work/out" || fail "consumer after $way"
  cut -f 1,3- "$work/out" | by_group | cmp - "$work/expected" || fail "another thing came out, $way"
done
