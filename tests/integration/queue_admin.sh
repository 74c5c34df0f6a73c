#!/bin/sh
# queue_admin.sh LOCAL_CLOUD QUEUE_ADMIN PRODUCER: a queue with its dead-letter queue from its making to its end.
set -eu
. "$(dirname "$0")/cloud.sh"
admin=$2
producer=$3
start_cloud "$1"
endpoint=$AWS_ENDPOINT_URL_SQS
unset SQS_QUEUE_URL

# expect STATUS ARGS...: runs the program, without a terminal; what it prints is in $work/out and $work/err.
expect() {
  status=$1
  shift
  ended=0
  "$admin" "$@" </dev/null >"$work/out" 2>"$work/err" || ended=$?
  [ "$ended" = "$status" ] || fail "queue_admin $*: ended with $ended, not $status: $(head -n 5 "$work/err")"
}
says() { grep -qF -- "$1" "$work/err" || fail "expected '$1', it says: $(head -n 5 "$work/err")"; }
prints() { grep -qxF -- "$1" "$work/out" || fail "expected '$1', it prints: $(cat "$work/out")"; }
# shown QUEUE NAME: a value that `show` prints.
shown() {
  expect 0 show "$1"
  awk -F '\t' -v name="$2" '$1 == name { print $2 }' "$work/out"
}
shows() { [ "$(shown "$1" "$2")" = "$3" ] || fail "$1 has the $2 '$(shown "$1" "$2")', not '$3'"; }

# Wrong arguments.
expect 2
says 'the command is missing'
expect 2 destroy x
says 'unknown command destroy'
expect 2 create
says 'NAME is missing'
expect 2 create 'a b'
says 'look at byte 1'
expect 2 create ship.fifo --dead-letter dead
says 'both names end in .fifo'
expect 2 create ship.fifo --dead-letter ship.fifo
says 'its own dead-letter queue'
expect 2 create ship.fifo --visibility 43201
says '--visibility must be a number from 0 to 43200'
expect 2 redrive dead.fifo --rate 501
says '--rate must be a number from 1 to 500'
expect 2 show ship.fifo --force
says 'unknown argument --force'
expect 0 list ship
[ ! -s "$work/out" ] || fail "something was made: $(cat "$work/out")"

# A queue and its dead-letter queue, made once.
url=$endpoint/000000000000/ship.fifo
for turn in first second; do
  expect 0 create ship.fifo --dead-letter dead.fifo --max-receives 1 --visibility 45
  prints "$url"
  if [ $turn = first ]; then says 'made the dead-letter queue'; else [ ! -s "$work/err" ] || fail "$(cat "$work/err")"; fi
done
expect 1 create ship.fifo --visibility 46
says QueueNameExists
for queue in ship.fifo dead.fifo; do
  shows $queue type fifo
  shows $queue ContentBasedDeduplication true
  shows $queue DeduplicationScope messageGroup
  shows $queue FifoThroughputLimit perMessageGroupId
done
shows ship.fifo VisibilityTimeout 45
shows ship.fifo RedrivePolicy '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1}'
shows dead.fifo MessageRetentionPeriod 1209600
shows dead.fifo 'dead letters of' "$url"
expect 0 create plain --delay 5
shows plain type standard
shows plain DelaySeconds 5
expect 0 create slow.fifo --per-queue
shows slow.fifo FifoThroughputLimit perQueue
expect 1 show nothing
says 'there is no queue nothing in this account and region'
expect 0 list s
[ "$(cut -f 1 "$work/out" | tr '\n' ' ')" = 'ship.fifo slow.fifo ' ] || fail "the list is $(cat "$work/out")"

# Twenty dead letters.
receive() {
  curl --silent --show-error --max-time 20 --aws-sigv4 "aws:amz:$AWS_REGION:sqs" \
       --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header 'Content-Type: application/x-amz-json-1.0' \
       --header 'X-Amz-Target: AmazonSQS.ReceiveMessage' \
       --data "{\"QueueUrl\":\"$url\",\"MaxNumberOfMessages\":10,\"VisibilityTimeout\":0}" "$endpoint/" >/dev/null
}
seq 20 | sed 's/.*/group-&\tbody &/' | SQS_QUEUE_URL=$url "$producer" --direct >/dev/null
for _ in 1 2 3 4; do receive; done
shows dead.fifo messages 20
shows ship.fifo messages 0

# Moving them back, stopped on the way, and then to its end.
"$admin" redrive dead.fifo --rate 1 >"$work/moved" 2>"$work/progress" &
redrive=$!
servers="$servers $redrive"
until grep -q 'moved [1-9][0-9]* of 20' "$work/progress"; do
  kill -0 $redrive || fail "redrive ended: $(cat "$work/progress")"
  sleep 0.1
done
expect 1 redrive dead.fifo
says 'There is already a task running'
kill -TERM $redrive
ended=0
wait $redrive || ended=$?
[ $ended = 1 ] || fail "the cancelled redrive ended with $ended"
grep -q '^cancelled; what was moved stays moved' "$work/progress" || fail "no cancel: $(cat "$work/progress")"
moved=$(cat "$work/moved")
shows dead.fifo messages $((20 - moved))
shows ship.fifo messages "$moved"
expect 0 redrive dead.fifo
prints $((20 - moved))
shows dead.fifo messages 0
shows ship.fifo messages 20
expect 1 redrive ship.fifo
says 'must be configured as a Dead Letter Queue'

# Nothing is destroyed by accident.
for command in purge delete; do
  expect 1 $command ship.fifo
  says 'there is no terminal to ask on'
done
shows ship.fifo messages 20
# typed ANSWER COMMAND QUEUE: on a terminal.
typed() { printf '%s\n' "$1" | script -qec "'$admin' $2 $3" /dev/null >"$work/out"; }
if command -v script >/dev/null; then
  typed ship purge ship.fifo && fail 'purged after a wrong name'
  grep -q 'nothing was done' "$work/out" || fail "it says: $(cat "$work/out")"
  typed '' delete ship.fifo && fail 'deleted after no name'
  shows ship.fifo messages 20
  typed ship.fifo purge ship.fifo || fail "not purged: $(cat "$work/out")"
else
  expect 0 purge ship.fifo --yes
fi
shows ship.fifo messages 0
expect 1 purge ship.fifo --yes
says PurgeQueueInProgress
expect 0 delete ship.fifo --yes
expect 1 show ship.fifo
expect 1 delete ship.fifo --yes
says 'there is no queue ship.fifo'

# Without a region there is nobody to ask.
unset AWS_REGION
expect 1 list
says 'AWS_REGION is not set'
