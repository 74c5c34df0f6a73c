#!/bin/sh
# end_to_end.sh LOCAL_CLOUD PRODUCER CONSUMER gateway|batch|direct
# Three processes over sockets: what the producer read is what the consumer prints, byte for byte, in order in each
# group, once.
set -eu
here=$(dirname "$0")
. "$here/cloud.sh"
. "$here/lines.sh"
producer=$2
consumer=$3

case $4 in
  gateway) kind=raw publish= receive= ;;
  batch) kind=raw publish=--batch receive="--workers 3" ;;
  direct) kind=escaped publish="--direct --escaped" receive= ;;
  *) fail "unknown way '$4'" ;;
esac

lines "$kind" >"$work/in"
if [ "$kind" = raw ]; then escape_bodies <"$work/in" >"$work/expected"; else cp "$work/in" "$work/expected"; fi
[ "$(wc -l <"$work/in")" -eq 1000 ] || fail "the input has not 1000 lines"

start_cloud "$1"

# shellcheck disable=SC2086
"$consumer" --max 1000 --idle 30 $receive >"$work/out" 2>"$work/consumer.log" &
consumer_id=$!
servers="$servers $consumer_id"
# shellcheck disable=SC2086
"$producer" $publish <"$work/in" >"$work/receipts" 2>"$work/producer.log" ||
  fail "producer: $(tail -n 5 "$work/producer.log")"
wait "$consumer_id" || fail "consumer: $(tail -n 5 "$work/consumer.log")"

# Each message has a receipt, an id of its own and a sequence number.
grep -cxE '[0-9a-f-]{36}	[0-9]+' "$work/receipts" | grep -qx 1000 ||
  fail "receipts: $(cut -c 1-200 "$work/receipts" | tail -n 5)"
[ "$(cut -f 1 "$work/receipts" | sort -u | wc -l)" -eq 1000 ] || fail "message ids are not unique"

# The groups interleave as they like; in each the order is that of the input.
by_group() { sort -s -t '	' -k 1,1; }
by_group <"$work/expected" >"$work/expected.sorted"
cut -f 1,3- "$work/out" | by_group >"$work/out.sorted"
if ! cmp "$work/expected.sorted" "$work/out.sorted"; then
  diff "$work/expected.sorted" "$work/out.sorted" | cut -c 1-300 | head -n 20
  fail "what came out is not what went in"
fi
awk -F '\t' '
  $2 !~ /^[0-9]+$/ || ($1 in last && $2 "" <= last[$1]) { print "sequence number " $2 " after " last[$1]; exit 1 }
  { last[$1] = $2 "" }' "$work/out" || fail "sequence numbers do not rise"

# Nothing came twice, and nothing is left.
"$consumer" --idle 0 >"$work/rest" 2>"$work/consumer.log" || fail "consumer: $(cat "$work/consumer.log")"
[ ! -s "$work/rest" ] || fail "there was more: $(cut -c 1-200 "$work/rest" | head -n 3)"
echo "1000 messages, $(wc -c <"$work/in") bytes, in order"
