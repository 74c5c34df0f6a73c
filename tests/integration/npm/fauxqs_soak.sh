#!/bin/sh
# fauxqs_soak.sh CONSUME_SOAK NPM_DIRECTORY: four processes consume from an SQS that others wrote, see consume_soak.
set -eu
here=$(dirname "$0")
. "$here/../cloud.sh"
npm=$2
. "$here/node.sh"

export AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
start_server node "$npm/fauxqs.mjs"
SQS_QUEUE_URL=$(node "$npm/sqs.mjs" create orders.fifo)
export SQS_QUEUE_URL
"$1" --given-queue --messages 600 --groups 30 || fail "consume_soak"
