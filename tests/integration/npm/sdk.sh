#!/bin/sh
# sdk.sh LOCAL_CLOUD PRODUCER CONSUMER NPM_DIRECTORY: the SDK of AWS receives from local_cloud what `producer` published
# through the gateway, and publishes what `consumer` reads.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"
. "$here/../lines.sh"
npm=$4
. "$here/node.sh"
start_cloud "$1"

by_group() { sort -s -t '	' -k 1,1; }
lines raw | sed -n '451,550p' >"$work/in"
escape_bodies <"$work/in" | by_group >"$work/expected"

"$2" <"$work/in" >"$work/receipts" || fail "producer"
node "$npm/sqs.mjs" receive 100 >"$work/out" || fail "the SDK could not receive"
cut -f 1,3- "$work/out" | by_group | cmp - "$work/expected" || fail "the SDK received something else"

# A line of the SDK's ends at a carriage return too.
lines raw | tr -d '\r' | sed -n '401,500p' >"$work/in"
escape_bodies <"$work/in" | by_group >"$work/expected"
node "$npm/sqs.mjs" send <"$work/in" || fail "the SDK could not send"
"$3" --max 100 --idle 10 >"$work/out" || fail "consumer"
cut -f 1,3- "$work/out" | by_group | cmp - "$work/expected" || fail "the consumer received something else"
