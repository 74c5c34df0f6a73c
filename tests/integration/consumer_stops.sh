#!/bin/sh
# consumer_stops.sh LOCAL_CLOUD CONSUMER PRODUCER QUEUE_ADMIN: what SIGTERM leaves behind.
set -eu
. "$(dirname "$0")/cloud.sh"
consumer=$2
producer=$3
admin=$4
start_cloud "$1"

# wait_until COMMAND...: for at most 30 s.
wait_until() {
  for _ in $(seq 300); do
    if "$@"; then return 0; fi
    sleep 0.1
  done
  return 1
}
in_flight() { [ "$("$admin" show orders.fifo | awk -F '\t' '$1 == "in flight" { print $2 }')" = "$1" ]; }
# start_consumer OUT ARGS...: its process id is in $consumer_id.
start_consumer() {
  out=$1
  shift
  "$consumer" "$@" >"$out" 2>"$work/consumer.log" &
  consumer_id=$!
  servers="$servers $consumer_id"
}
# Within a time that is shorter than its long poll of 20 s.
ends() { timeout 15 tail --pid="$consumer_id" -f /dev/null || fail "the consumer goes on after SIGTERM"; }
ended_well() {
  wait "$consumer_id" || fail "the consumer ended with $?: $(cat "$work/consumer.log")"
  grep -qx "$1" "$work/consumer.log" || fail "expected '$1', it says: $(cat "$work/consumer.log")"
}

# In a long poll of 20 s: it has just deleted what there was.
start_consumer "$work/out"
printf 'a\tone\n' | "$producer" >"$work/receipts"
has_one() { [ "$(wc -l <"$work/out")" = 1 ] && in_flight 0; }
wait_until has_one || fail "the consumer does not print what there is"
kill "$consumer_id"
ends
ended_well 'handled 1, released 0, abandoned 0'

# It has taken ten messages, of ten groups, and can't print the first: nobody reads the pipe.
head -c 90000 /dev/zero | tr '\0' x >"$work/body"
for group in 0 1 2 3 4 5 6 7 8 9; do
  printf 'group-%s\t' $group
  cat "$work/body"
  echo
done | "$producer" >"$work/receipts"
mkfifo "$work/pipe"
exec 4<>"$work/pipe"
start_consumer "$work/pipe"
wait_until in_flight 10 || fail "the consumer does not take ten messages"
dd bs=1 count=1 <&4 >"$work/out" 2>"$work/dd.log"
kill "$consumer_id"
# The nine others go back at once, while one is still being printed; another consumer gets them without waiting.
wait_until in_flight 1 || fail "what waits is not given back"
"$consumer" --idle 0 >"$work/rest" 2>"$work/rest.log" || fail "the other consumer: $(cat "$work/rest.log")"
[ "$(cut -f 1 "$work/rest" | sort -u | wc -l)" = 9 ] || fail "the other consumer gets $(wc -l <"$work/rest") messages"
# The one is finished and deleted once it can be printed.
head -n 1 <&4 >>"$work/out"
ended_well 'handled 1, released 9, abandoned 0'
in_flight 0 || fail "something is still in flight"
cut -f 1 "$work/rest" "$work/out" | sort | tr '\n' ' ' >"$work/all"
[ "$(cat "$work/all")" = "group-0 group-1 group-2 group-3 group-4 group-5 group-6 group-7 group-8 group-9 " ] ||
  fail "not each message came once: $(cat "$work/all")"
