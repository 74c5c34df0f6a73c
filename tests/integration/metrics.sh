#!/bin/sh
# metrics.sh LOCAL_CLOUD METRICS: a scrape of the example counts the messages that it moves, and a signal ends it.
set -eu
. "$(dirname "$0")/cloud.sh"
start_cloud "$1"

mkfifo "$work/metrics"
"$2" --port 0 --messages 40 >"$work/metrics" 2>"$work/metrics.log" &
metrics=$!
servers="$servers $metrics"
exec 4<"$work/metrics"
url=
while read -r line <&4; do
  case $line in
    METRICS_URL=*) url=${line#*=} ;;
    moved*) break ;;
  esac
done
[ "$line" = "moved 40 messages" ] || fail "the example ended: $(cat "$work/metrics.log")"

scrape() { curl --silent --show-error --fail --max-time 20 --dump-header "$work/head" --output "$work/text" "$url"; }
has() { grep -qxE "$1" "$work/text"; }
expect() { has "$1" || fail "no line '$1' in: $(grep -v _bucket "$work/text")"; }
queue='messaging_system="aws_sqs",messaging_destination_name="orders\.fifo"'
operation() { echo "\{$queue,messaging_operation_name=\"$1\"$2\}"; }
duration=messaging_client_operation_duration_seconds
sent="messaging_client_sent_messages_total$(operation send '') 40"

# The last message may have come before the answer to its sending.
tries=0
until scrape && has "$sent"; do
  tries=$((tries + 1))
  [ $tries -lt 300 ] || break
done
expect "$sent"
expect "messaging_client_consumed_messages_total$(operation ReceiveMessage '') 40"
expect "${duration}_bucket$(operation send ',le="\+Inf"') [1-9][0-9]*"
expect "${duration}_count$(operation DeleteMessageBatch '') [1-9][0-9]*"
expect "dmq_leases_lost_total\{$queue\} 0"
expect "# TYPE $duration histogram"
grep -qi '^content-type: text/plain; version=0\.0\.4' "$work/head" || fail "content type: $(cat "$work/head")"
if grep -vE '^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\} [0-9.e+-]+)$' "$work/text"; then
  fail "these lines are not of the format"
fi
if grep -n 'group-' "$work/text"; then fail "a group has become a label"; fi

kill -TERM "$metrics"
wait "$metrics" || fail "the signal did not end it well: $(cat "$work/metrics.log")"
grep -q '^sent 40, received 40;' "$work/metrics.log" || fail "it said $(cat "$work/metrics.log")"
echo "40 messages, $(wc -l <"$work/text") lines scraped"
