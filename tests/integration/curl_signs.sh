#!/bin/sh
# curl_signs.sh LOCAL_CLOUD: the signatures that curl makes are accepted; with a wrong secret they are not.
set -eu
. "$(dirname "$0")/cloud.sh"
start_cloud "$1"

# ask SECRET OPERATION JSON: prints the answer, then its status on a line of its own.
ask() {
  curl --silent --show-error --max-time 20 --aws-sigv4 "aws:amz:$AWS_REGION:sqs" --user "$AWS_ACCESS_KEY_ID:$1" \
       --header 'Content-Type: application/x-amz-json-1.0' --header "X-Amz-Target: AmazonSQS.$2" --data "$3" \
       --write-out '\n%{http_code}\n' "${AWS_ENDPOINT_URL_SQS:-${AWS_ENDPOINT_URL:-}}/"
}

expect() {
  answer=$(ask "$1" "$2" "$3")
  echo "$answer"
  [ "$(echo "$answer" | tail -n 1)" = "$4" ] && echo "$answer" | grep -q "$5" || fail "expected $4 and '$5'"
}

message="{\"QueueUrl\":\"$SQS_QUEUE_URL\",\"MessageGroupId\":\"a\",\"MessageDeduplicationId\":\"1\",\"MessageBody\":\"hello\"}"
expect "$AWS_SECRET_ACCESS_KEY" SendMessage "$message" 200 5d41402abc4b2a76b9719d911017c592
expect "$AWS_SECRET_ACCESS_KEY" ReceiveMessage "{\"QueueUrl\":\"$SQS_QUEUE_URL\"}" 200 '"hello"'
expect "${AWS_SECRET_ACCESS_KEY}x" SendMessage "$message" 403 "request signature we calculated does not match"
